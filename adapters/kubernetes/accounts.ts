import { hasCode } from "../../core/ground/error.ts";
import type { KubernetesClient } from "./client.ts";

/** An object of the kinds that a service's account is made of. */
export interface AccountObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

const RBAC = "/apis/rbac.authorization.k8s.io/v1";

/** Creates an object, or replaces the one of its name. @throws FirebreakError as `KubernetesClient.call` */
export async function putObject(
  client: KubernetesClient,
  object: AccountObject,
  signal: AbortSignal,
): Promise<"made" | "renewed" | "there"> {
  const collection = collectionOf(object);
  try {
    await client.call("POST", collection, { body: object, signal });
    return "made";
  } catch (error) {
    if (!hasCode(error, "CONFLICT")) throw error;
  }
  if (object.kind === "Namespace") return "there"; // it is shared: its labels are somebody's
  const path = `${collection}/${encodeURIComponent(object.metadata.name)}`;
  const found = (await client.call("GET", path, { signal })) as { readonly metadata: { readonly resourceVersion: string } };
  const metadata = { ...object.metadata, resourceVersion: found.metadata.resourceVersion };
  await client.call("PUT", path, { body: { ...object, metadata }, signal });
  return "renewed";
}

/** A token of an account, and when it runs out: the API server may shorten what was asked. */
export interface AccountToken {
  readonly token: string;
  /** ISO 8601 */
  readonly expires: string;
}

/** Asks for a token of an account. @throws FirebreakError as `KubernetesClient.call` */
export async function requestToken(
  client: KubernetesClient,
  { namespace, name, seconds }: { readonly namespace: string; readonly name: string; readonly seconds: number },
  signal: AbortSignal,
): Promise<AccountToken> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}/token`;
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: seconds } };
  const { status } = (await client.call("POST", path, { body, signal })) as {
    readonly status: { readonly token: string; readonly expirationTimestamp: string };
  };
  return { token: status.token, expires: status.expirationTimestamp };
}

function collectionOf({ kind, metadata }: AccountObject): string {
  switch (kind) {
    case "Namespace":
      return "/api/v1/namespaces";
    case "ServiceAccount":
      return `/api/v1/namespaces/${encodeURIComponent(metadata.namespace ?? "")}/serviceaccounts`;
    default:
      return `${RBAC}/${kind.toLowerCase()}s`;
  }
}
