/** A small GitHub in this process: one repository, only what the forge adapter uses, held to GitHub's own schemas. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { graphql, Refusal, ROUTES, type Call, type Caller } from "./routes.ts";
import { answerOf, refuseBody } from "./schema.ts";
import { GitHubState } from "./state.ts";

/** What goes wrong with a request. `lost`: it is done, and the answer does not arrive. */
export type Fault =
  | { readonly kind: "error"; readonly status: number }
  | { readonly kind: "primary"; readonly resetSeconds: number }
  | { readonly kind: "secondary"; readonly retryAfterSeconds?: number }
  | { readonly kind: "lost" }
  | { readonly kind: "down" };

export interface GitHubDouble extends AsyncDisposable {
  /** Base URL of its API. */
  readonly url: string;
  /** `owner/name` */
  readonly repository: string;
  /** A person's kind of token: no check runs. */
  readonly token: string;
  readonly state: GitHubState;
  /** Every request so far, e.g. `POST /repos/acme/policies/pulls`. */
  readonly requests: string[];
  /** Requests that GitHub would refuse for their form, and answers that it would not give; a test ends with none. */
  readonly complaints: string[];
  /** While it returns a fault, that happens instead; called for every request. */
  fault: (method: string, path: string) => Fault | undefined;
}

const TOKENS: Readonly<Record<string, Caller>> = {
  "user-token": { login: "firebreak-user", isApp: false },
  "installation-token": { login: "firebreak-app[bot]", isApp: true },
};

const PATTERNS = Object.keys(ROUTES).map((route) => {
  const [method = "", path = ""] = route.split(" ");
  const source = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    name === "ref" || name === "path" ? `(?<${name}>.+)` : `(?<${name}>[^/]+)`,
  );
  return { route, method, path, pattern: new RegExp(`^${source}$`) };
});

/** Starts it on a loopback port. */
export async function startGitHubDouble(repository = "acme/policies"): Promise<GitHubDouble> {
  const server = createServer((request, response) => {
    void respond(double, request, response).catch((error: unknown) => {
      double.complaints.push(String(error));
      response.writeHead(500).end("{}");
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const double: GitHubDouble = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    repository,
    token: "user-token",
    state: new GitHubState(),
    requests: [],
    complaints: [],
    fault: () => undefined,
    async [Symbol.asyncDispose]() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
  return double;
}

async function respond(double: GitHubDouble, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "GET" } = request;
  const url = new URL(request.url ?? "/", double.url);
  const path = url.pathname;
  double.requests.push(`${method} ${decodeURIComponent(path)}`);
  const text = await textOf(request);
  const fault = double.fault(method, decodeURIComponent(path));
  if (fault !== undefined && fault.kind !== "lost") return fail(fault, request, response);
  const caller = TOKENS[(request.headers.authorization ?? "").replace(/^(?:token|bearer) /i, "")];
  const isApp = path === "/app" || path.startsWith("/app/");
  if (caller === undefined && !isApp) return send(response, 401, { message: "Bad credentials" });
  const body: unknown = text === "" ? {} : JSON.parse(text);
  const [status, data, headers] = answer(double, method, url, body, caller ?? { login: "", isApp: true });
  if (fault !== undefined) return void request.socket.destroy();
  send(response, status, data, headers);
}

function answer(
  double: GitHubDouble,
  method: string,
  url: URL,
  body: unknown,
  caller: Caller,
): readonly [number, unknown, object?] {
  if (url.pathname === "/graphql") return [200, graphql(double.state, body as Parameters<typeof graphql>[1])];
  const found = PATTERNS.find((each) => each.method === method && each.pattern.test(url.pathname));
  if (found === undefined) {
    double.complaints.push(`the double does not know ${method} ${url.pathname}`);
    return [404, { message: "Not Found" }];
  }
  const raw = found.pattern.exec(url.pathname)?.groups ?? {};
  const params = Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, decodeURIComponent(value)]));
  const { repository } = double;
  if (params["repo"] !== undefined && `${params["owner"]}/${params["repo"]}` !== repository) return [404, { message: "Not Found" }];
  const refused = refuseBody(method, found.path, body);
  if (refused !== undefined) {
    double.complaints.push(`${method} ${found.path}: ${refused}`);
    return [422, { message: "Invalid request.", errors: [refused] }];
  }
  try {
    // The cast: it was held to GitHub's schema.
    const call = { state: double.state, repository, caller, params, query: url.searchParams, body: body as Call["body"] };
    const [status, data] = ROUTES[found.route]?.(call) ?? [404, undefined];
    const page = Array.isArray(data) ? paged(data, url) : { data, headers: {} };
    return [status, answerOf(method, found.path, status, page.data), page.headers];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [error.status, { message: error.message, ...(error.errors === undefined ? {} : { errors: error.errors }) }];
  }
}

function paged(all: readonly unknown[], url: URL): { readonly data: readonly unknown[]; readonly headers: object } {
  const size = Math.min(Number(url.searchParams.get("per_page") ?? 30), 100);
  const page = Number(url.searchParams.get("page") ?? 1);
  const data = all.slice((page - 1) * size, page * size);
  if (all.length <= page * size) return { data, headers: {} };
  const next = new URL(url);
  next.searchParams.set("page", String(page + 1));
  return { data, headers: { link: `<${next.href}>; rel="next"` } };
}

function fail(fault: Exclude<Fault, { kind: "lost" }>, request: IncomingMessage, response: ServerResponse): void {
  switch (fault.kind) {
    case "error":
      return send(response, fault.status, { message: fault.status === 401 ? "Bad credentials" : "Server Error" });
    case "primary": {
      const reset = Math.floor(Date.now() / 1_000) + fault.resetSeconds;
      const headers = { "x-ratelimit-limit": "5000", "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(reset) };
      return send(response, 403, { message: "API rate limit exceeded for installation ID 7." }, headers);
    }
    case "secondary": {
      const headers = fault.retryAfterSeconds === undefined ? {} : { "retry-after": String(fault.retryAfterSeconds) };
      return send(response, 403, { message: "You have exceeded a secondary rate limit. Please wait." }, headers);
    }
    case "down":
      request.socket.destroy();
  }
}

function send(response: ServerResponse, status: number, data: unknown, headers: object = {}): void {
  const told = data === undefined ? {} : { "content-type": "application/json; charset=utf-8" };
  response.writeHead(status, { ...told, ...headers }).end(data === undefined ? undefined : JSON.stringify(data));
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
