import type { RequestOptions } from "node:https";
import { FirebreakError } from "../../core/model/error.ts";

/** How to reach one API server; `headers` is asked before each request, so that tokens may rotate. */
export interface ClusterCredentials {
  readonly server: string;
  readonly tls: {
    readonly ca?: string | Buffer | undefined;
    readonly cert?: string | Buffer | undefined;
    readonly key?: string | Buffer | undefined;
    readonly servername?: string | undefined;
    readonly rejectUnauthorized: boolean;
  };
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
}

export type CredentialSource =
  | { readonly kind: "kubeconfig"; readonly file: string; readonly context: string }
  | { readonly kind: "inCluster" };

/**
 * Credentials from a kubeconfig context or the pod's service account.
 *
 * `@kubernetes/client-node` is used for this alone, since it knows every way to log in (tokens, certificates, exec plug-ins);
 * its typed models rename `from` and are kept away from policies (DESIGN.md §6). It is loaded lazily: 130 MB at import.
 *
 * @throws FirebreakError CONFIG_INVALID when the file or context cannot be used
 */
export async function loadCredentials(source: CredentialSource): Promise<ClusterCredentials> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  try {
    if (source.kind === "inCluster") {
      config.loadFromCluster();
    } else {
      config.loadFromFile(source.file);
      if (config.getContextObject(source.context) === null) {
        throw new FirebreakError("CONFIG_INVALID", `the kubeconfig has no context "${source.context}"`);
      }
      config.setCurrentContext(source.context);
    }
  } catch (cause) {
    if (cause instanceof FirebreakError) throw cause;
    throw new FirebreakError("CONFIG_INVALID", `load credentials for a cluster (${describe(source)})`, { cause });
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null || cluster.server === "") {
    throw new FirebreakError("CONFIG_INVALID", `the kubeconfig names no API server (${describe(source)})`);
  }
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  return {
    server: cluster.server.replace(/\/+$/, ""),
    tls: {
      ca: asPem(options.ca),
      cert: asPem(options.cert),
      key: asPem(options.key),
      servername: options.servername,
      rejectUnauthorized: cluster.skipTLSVerify !== true,
    },
    headers: async () => {
      const fresh: RequestOptions = {};
      await config.applyToHTTPSOptions(fresh);
      return headersOf(fresh);
    },
  };
}

function describe(source: CredentialSource): string {
  return source.kind === "inCluster" ? "in-cluster service account" : `context ${source.context}`;
}

function asPem(value: unknown): string | Buffer | undefined {
  return typeof value === "string" || Buffer.isBuffer(value) ? value : undefined;
}

function headersOf(options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (typeof value === "string") headers[name.toLowerCase()] = value;
  }
  if (typeof options.auth === "string") headers["authorization"] = `Basic ${Buffer.from(options.auth).toString("base64")}`;
  return headers;
}
