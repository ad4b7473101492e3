/** Things in front of an API server: a forwarder that counts, freezes and cuts connections, and a proxy that records and steers calls. */
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect, createServer as createTcpServer, type AddressInfo, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { TestCluster } from "../../../testbed/cluster.ts";
import type { CredentialProvider } from "../../../adapters/kubernetes/credentials.ts";

/** Bytes pass unread, TLS included. */
export interface Forwarder extends AsyncDisposable {
  /** https://127.0.0.1:PORT, to be verified like the API server itself. */
  readonly server: string;
  /** Connections accepted so far. */
  readonly accepted: () => number;
  /** From now on nothing passes in either direction, and nobody is told. */
  freeze(): void;
  thaw(): void;
}

/** Starts a forwarder to a cluster's API server. */
export async function startForwarder(cluster: TestCluster): Promise<Forwarder> {
  const { hostname, port } = new URL(cluster.server);
  const open = new Set<Socket>();
  let accepted = 0;
  let isFrozen = false;
  const server = createTcpServer((near) => {
    accepted += 1;
    const far = connect(Number(port), hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from);
      from.on("data", (chunk) => {
        if (!isFrozen) to.write(chunk);
      });
      from.on("error", () => to.destroy());
      from.on("close", () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  const address = await listen(server);
  return {
    server: `https://127.0.0.1:${address.port}`,
    accepted: () => accepted,
    freeze: () => void (isFrozen = true),
    thaw: () => void (isFrozen = false),
    [Symbol.asyncDispose]: async () => await close(server, open),
  };
}

export interface Recorded {
  readonly method: string;
  /** With the query. */
  readonly url: string;
  /** As it was on the wire. */
  readonly body: string;
  readonly authorization: string | undefined;
}

/** What is answered instead of the API server: an answer, nothing for ever after the headers, or a broken connection. */
export type Instead = { readonly status: number; readonly body?: unknown } | "silence" | "reset";

export interface Proxy extends AsyncDisposable {
  readonly server: string;
  readonly requests: Recorded[];
  /** Asked for each request; undefined: it is forwarded. */
  instead: (request: Recorded) => Instead | undefined;
  /** May drop or change each line of an answer on its way back; undefined leaves it out. */
  line: (text: string) => string | undefined;
}

/** Starts a plain HTTP proxy in front of a cluster's API server, or in front of nothing. */
export async function startProxy(cluster?: TestCluster): Promise<Proxy> {
  const open = new Set<Socket>();
  const requests: Recorded[] = [];
  const server = createServer((incoming, outgoing) => {
    void serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.on("connection", (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = "", url = "", headers } = incoming;
    const recorded = { method, url, body: Buffer.concat(chunks).toString("utf8"), authorization: headers.authorization };
    requests.push(recorded);
    const instead = proxy.instead(recorded) ?? (cluster === undefined ? { status: 404 } : undefined);
    if (instead === undefined) forward(cluster!, recorded, headers["content-type"], outgoing, (text) => proxy.line(text));
    else if (instead === "reset") incoming.socket.destroy();
    else if (instead === "silence") outgoing.writeHead(200).flushHeaders();
    else outgoing.writeHead(instead.status, { "content-type": "application/json" }).end(bodyOf(instead.body));
  };
  const address = await listen(server);
  const proxy: Proxy = {
    server: `http://127.0.0.1:${address.port}`,
    requests,
    instead: () => undefined,
    line: (text) => text,
    [Symbol.asyncDispose]: async () => await close(server, open),
  };
  return proxy;
}

function bodyOf(body: unknown): string {
  return typeof body === "string" ? body : JSON.stringify(body ?? {});
}

function forward(
  cluster: TestCluster,
  { method, url, body, authorization }: Recorded,
  contentType: string | undefined,
  outgoing: ServerResponse,
  line: (text: string) => string | undefined,
): void {
  const headers = {
    accept: "application/json",
    "content-length": String(Buffer.byteLength(body)),
    ...(authorization && { authorization }),
    ...(contentType && { "content-type": contentType }),
  };
  const sent = httpsRequest(`${cluster.server}${url}`, { method, headers, ca: readFileSync(cluster.caFile) }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 500).flushHeaders();
    let pending = "";
    answer.setEncoding("utf8");
    answer.on("data", (text: string) => {
      const lines = (pending + text).split("\n");
      pending = lines.pop() ?? "";
      for (const whole of lines) outgoing.write((line(whole) ?? "") + "\n");
    });
    answer.on("end", () => outgoing.end(pending));
    answer.on("error", () => outgoing.destroy());
    outgoing.on("close", () => answer.destroy());
  });
  sent.on("error", () => outgoing.destroy());
  outgoing.on("close", () => sent.destroy());
  sent.end(body);
}

/** The administrator's credentials, for this server. */
export function credentialsFor(cluster: TestCluster, server = cluster.server, token = cluster.adminToken): CredentialProvider {
  const tls = {
    ca: readFileSync(cluster.caFile),
    cert: undefined,
    key: undefined,
    servername: undefined,
    rejectUnauthorized: true,
  };
  return fixedCredentials({ server, tls, headers: { authorization: `Bearer ${token}` } });
}

export function fixedCredentials(credentials: Awaited<ReturnType<CredentialProvider["current"]>>): CredentialProvider {
  return { current: async () => await Promise.resolve(credentials), refused: () => undefined };
}

export function plainCredentials(server: string): CredentialProvider {
  const tls = { ca: undefined, cert: undefined, key: undefined, servername: undefined, rejectUnauthorized: true };
  return fixedCredentials({ server, tls, headers: {} });
}

/** A kubeconfig whose context `front` leads to the proxy with the administrator's token. */
export function proxyKubeconfig(cluster: TestCluster, server: string): string {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "front", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "front", user: { token: cluster.adminToken } }],
    contexts: [{ name: "front", context: { cluster: "front", user: "front" } }],
  };
  const file = join(cluster.run.makeFolder("front"), "kubeconfig");
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

async function listen(server: Server): Promise<AddressInfo> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  return server.address() as AddressInfo;
}

async function close(server: Server, open: ReadonlySet<Socket>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  for (const socket of open) socket.destroy();
  await promise;
}
