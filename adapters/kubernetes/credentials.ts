import { stat } from "node:fs/promises";
import type { RequestOptions } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import { FirebreakError } from "../../core/ground/error.ts";
import { kubeConfigModule } from "./kube-config.ts";

/** How to reach one API server now. */
export interface ClusterCredentials {
  /** `https://HOST[:PORT][/PATH]`, no slash at the end. */
  readonly server: string;
  readonly tls: TlsOptions;
  readonly headers: Readonly<Record<string, string>>;
}

export interface TlsOptions {
  readonly ca: string | Buffer | undefined;
  readonly cert: string | Buffer | undefined;
  readonly key: string | Buffer | undefined;
  readonly servername: string | undefined;
  readonly rejectUnauthorized: boolean;
}

export type CredentialSource =
  | { readonly kind: "kubeconfig"; readonly file: string; readonly context: string }
  | { readonly kind: "inCluster" };

/** Credentials that may change while we run: tokens rotate, plug-ins log in again, somebody mends the kubeconfig. */
export interface CredentialProvider {
  /** @throws FirebreakError CONFIG_INVALID when the file or context cannot be used, AUTH_DENIED when a log-in plug-in fails */
  current(signal: AbortSignal): Promise<ClusterCredentials>;
  /** The server answered 401: read the file anew and log in again next time. */
  refused(): void;
}

/** Files and tokens are looked at again after this. */
const KEEP_MS = 10_000;
/** A server that refuses us all the time does not make us log in all the time. */
const RELOAD_MS = 5_000;

/**
 * Credentials of a kubeconfig context or of the pod's service account; nothing is read before they are asked for, and a kubeconfig that
 * was changed is read anew within ten seconds.
 *
 * `@kubernetes/client-node` is used for this alone, since it knows every way to log in (tokens, certificates, exec plug-ins);
 * its typed models rename `from` and are kept away from policies (docs/design/contracts.md "Clusters"). It is loaded lazily, and only
 * the part that logs in.
 *
 * @param now ms since the epoch
 */
export function openCredentials(source: CredentialSource, now: () => number = Date.now): CredentialProvider {
  let config: { readonly value: KubeConfig; readonly at: number; readonly version: string } | undefined;
  let kept: { readonly value: ClusterCredentials; readonly at: number } | undefined;
  let asking: Promise<ClusterCredentials> | undefined;

  async function ask(): Promise<ClusterCredentials> {
    // Before it is read: what is written meanwhile is read the next time.
    const version = source.kind === "kubeconfig" ? await versionOf(source.file) : "";
    if (config?.version !== version) config = { value: await loadConfig(source), at: now(), version };
    const value = await credentialsOf(config.value, source);
    kept = { value, at: now() };
    return value;
  }

  return {
    async current(signal) {
      if (kept !== undefined && now() - kept.at < KEEP_MS) return kept.value;
      asking ??= ask().finally(() => (asking = undefined));
      return await unlessAborted(asking, signal, source);
    },
    refused() {
      kept = undefined;
      if (config !== undefined && now() - config.at >= RELOAD_MS) config = undefined;
    },
  };
}

async function loadConfig(source: CredentialSource): Promise<KubeConfig> {
  const { KubeConfig } = await kubeConfigModule();
  const config = new KubeConfig();
  try {
    if (source.kind === "inCluster") config.loadFromCluster();
    else config.loadFromFile(source.file);
  } catch (cause) {
    throw new FirebreakError("CONFIG_INVALID", `load credentials for a cluster (${describe(source)})`, { cause });
  }
  if (source.kind === "kubeconfig") {
    if (config.getContextObject(source.context) === null) {
      throw new FirebreakError("CONFIG_INVALID", `the kubeconfig has no context "${source.context}"`);
    }
    config.setCurrentContext(source.context);
  }
  return config;
}

async function credentialsOf(config: KubeConfig, source: CredentialSource): Promise<ClusterCredentials> {
  const cluster = config.getCurrentCluster();
  const doing = describe(source);
  if (cluster === null || !URL.canParse(cluster.server)) {
    throw new FirebreakError("CONFIG_INVALID", `the kubeconfig names no API server (${doing})`);
  }
  if (cluster.proxyUrl !== undefined && cluster.proxyUrl !== "") {
    throw new FirebreakError("CONFIG_INVALID", `proxy-url in a kubeconfig is not supported by this version (${doing})`);
  }
  if (config.getCurrentUser() === null) throw new FirebreakError("CONFIG_INVALID", `the kubeconfig names no user (${doing})`);
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (cause) {
    throw new FirebreakError("AUTH_DENIED", `log in to a cluster (${doing})`, { cause });
  }
  return {
    server: cluster.server.replace(/\/+$/, ""),
    tls: {
      ca: asPem(options.ca),
      cert: asPem(options.cert),
      key: asPem(options.key),
      servername: options.servername,
      rejectUnauthorized: cluster.skipTLSVerify !== true,
    },
    headers: headersOf(options),
  };
}

/** A log-in plug-in may hang: whoever asks waits no longer than its own deadline. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal, source: CredentialSource): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => {
    reject(new FirebreakError("CLUSTER_UNREACHABLE", `log in to a cluster (${describe(source)})`, { cause: signal.reason }));
  };
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop);
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function describe(source: CredentialSource): string {
  return source.kind === "inCluster" ? "in-cluster service account" : `context ${source.context}`;
}

function asPem(value: unknown): string | Buffer | undefined {
  return typeof value === "string" || Buffer.isBuffer(value) ? value : undefined;
}

function headersOf(options: RequestOptions): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (typeof value === "string") headers[name.toLowerCase()] = value;
  }
  if (typeof options.auth === "string") headers["authorization"] = `Basic ${Buffer.from(options.auth).toString("base64")}`;
  return headers;
}

/** What changes when a file is written or replaced; `gone` for one that is not there. */
async function versionOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined); // whoever reads it says why
  return found === undefined ? "gone" : `${found.ino} ${found.size} ${found.mtimeMs}`;
}
