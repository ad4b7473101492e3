import { readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { parse, stringify } from "yaml";
import { FirebreakError } from "../core/ground/error.ts";

/** What one context of a kubeconfig leads to. */
export interface ContextEntry {
  readonly context: string;
  readonly server: string;
  /** PEM; undefined: the system's authorities. */
  readonly ca: string | undefined;
  readonly insecure: boolean;
  readonly token: string;
}

interface Named {
  readonly name: string;
}

/** What we touch of a kubeconfig; everything else in it stays. */
interface Kubeconfig {
  readonly clusters?: readonly Named[] | null;
  readonly users?: readonly Named[] | null;
  readonly contexts?: readonly Named[] | null;
}

/** A kubeconfig with this context put in, whatever else it holds. @param before its text; undefined: there is none yet */
export function withContext(before: string | undefined, { context, server, ca, insecure, token }: ContextEntry): string {
  const config = (before === undefined ? {} : ((parse(before) as Kubeconfig | null) ?? {})) satisfies Kubeconfig;
  const put = (list: readonly Named[] | null | undefined, entry: object): readonly object[] => [
    ...(list ?? []).filter(({ name }) => name !== context),
    { name: context, ...entry },
  ];
  const trust = insecure
    ? { "insecure-skip-tls-verify": true }
    : ca === undefined
      ? {}
      : { "certificate-authority-data": base64(ca) };
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    ...config,
    clusters: put(config.clusters, { cluster: { server, ...trust } }),
    users: put(config.users, { user: { token } }),
    contexts: put(config.contexts, { context: { cluster: context, user: context } }),
  });
}

/** Puts a context into a kubeconfig file that only its owner can read; the file is replaced as a whole. */
export async function writeContext(file: string, entry: ContextEntry): Promise<void> {
  const draft = `${file}.${process.pid}.new`;
  try {
    await writeFile(draft, withContext(await textOf(file), entry), { mode: 0o600 });
    await rename(draft, file);
  } catch (cause) {
    throw new FirebreakError("CONFIG_INVALID", `write the kubeconfig ${file}`, { cause });
  }
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** Where kubectl looks; the first file of KUBECONFIG. */
export function kubectlsFile(): string {
  const [first = ""] = (process.env["KUBECONFIG"] ?? "").split(delimiter);
  return first === "" ? join(homedir(), ".kube", "config") : first;
}
