/** Raw JSON calls to one API server, TLS verified with its own certificate. */
import { Agent, request } from "undici";

/** An object as the API server returns it. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** A status other than 2xx; `status` 0 is never used: a connection that fails throws what undici throws. */
export class KubeApiError extends Error {
  override readonly name = "KubeApiError";
  readonly status: number;

  constructor(method: Method, path: string, status: number, text: string) {
    super(`${method} ${path} answered ${status}: ${text.slice(0, 500)}`);
    this.status = status;
  }
}

/** Calls with one identity (a token). */
export interface KubeApi extends AsyncDisposable {
  /** Any call; a PATCH is a JSON merge patch. Throws {@link KubeApiError} on any status but 2xx. Deadline 15 s. */
  call(method: Method, path: string, body?: unknown): Promise<KubeObject>;
  get(path: string): Promise<KubeObject>;
  /** POST, or PUT over what is there. */
  put(collection: string, object: KubeObject): Promise<KubeObject>;
  /** DELETE; what is not there counts as deleted. */
  remove(path: string): Promise<void>;
}

/** An API client for `https://…` that trusts exactly this certificate. */
export function kubeApi({ server, ca, token }: { readonly server: string; readonly ca: string; readonly token: string }): KubeApi {
  const dispatcher = new Agent({ connect: { ca, timeout: 5_000 }, connections: 8, keepAliveTimeout: 30_000 });
  const call = async (method: Method, path: string, body?: unknown): Promise<KubeObject> => {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const response = await request(`${server}${path}`, {
      dispatcher,
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": type }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(15_000),
    });
    const text = await response.body.text();
    if (response.statusCode >= 300) throw new KubeApiError(method, path, response.statusCode, text);
    return text.startsWith("{") ? (JSON.parse(text) as KubeObject) : { metadata: { name: text } }; // /readyz answers plain text
  };
  return {
    call,
    get: (path) => call("GET", path),
    async put(collection, object) {
      try {
        return await call("POST", collection, object);
      } catch (error) {
        if (!(error instanceof KubeApiError && error.status === 409)) throw error;
        const path = `${collection}/${object.metadata.name}`;
        const { resourceVersion } = (await call("GET", path)).metadata;
        return await call("PUT", path, { ...object, metadata: { ...object.metadata, resourceVersion } });
      }
    },
    async remove(path) {
      try {
        await call("DELETE", `${path}?gracePeriodSeconds=0`);
      } catch (error) {
        if (!(error instanceof KubeApiError && error.status === 404)) throw error;
      }
    },
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  };
}
