import { FirebreakError } from "../../core/ground/error.ts";
import type { WatchEvent } from "./client.ts";

interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly resourceVersion?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

function metadataOf(object: unknown): Metadata {
  return (object as { metadata: Metadata }).metadata;
}

/** `namespace/name`, or `name` for what has no namespace. */
export function keyOf(object: unknown): string {
  const { namespace, name } = metadataOf(object);
  return namespace === undefined ? name : `${namespace}/${name}`;
}

export function versionOf(object: unknown): string | undefined {
  return metadataOf(object).resourceVersion;
}

/** The bookmark that ends the initial events of a streaming list (KEP-3157). */
export function isEndOfInitialEvents(event: WatchEvent): boolean {
  return event.type === "BOOKMARK" && metadataOf(event.object).annotations?.["k8s.io/initial-events-end"] === "true";
}

/** What an ERROR line of a watch says, as an error: CONFLICT when our place in the stream is gone (410), else CLUSTER_UNREACHABLE. */
export function watchError(status: unknown, path: string): FirebreakError {
  const { code, message } = status as { code?: number; message?: string };
  const cause = new Error(`${code ?? "?"}: ${message ?? "no message"}`);
  return new FirebreakError(code === 410 || code === 409 ? "CONFLICT" : "CLUSTER_UNREACHABLE", `watch ${path}`, { cause });
}
