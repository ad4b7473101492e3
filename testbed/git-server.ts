/** A Git server: smart HTTP through `git http-backend`, with authentication and a webhook. */
import { spawn } from "node:child_process";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import {
  createRepository,
  git,
  GIT_ENV,
  headOf,
  refs,
  writeCommit,
  type Change,
  type CommitOptions,
  type Files,
} from "./git-repository.ts";
import { freePort } from "./ports.ts";
import type { Run } from "./run.ts";

/** Where a push is told: GitHub's push event, signed with `X-Hub-Signature-256`. */
export interface WebhookTarget {
  readonly url: string;
  readonly secret: string;
}

export interface GitServerOptions {
  readonly run: Run;
  /** Default "policies". */
  readonly name?: string;
  readonly branch?: string;
  /** Default 127.0.0.1. */
  readonly address?: string;
  readonly webhook?: WebhookTarget;
}

/** Where definitions are pushed to and fetched from. */
export interface GitRemote {
  /** http://ADDRESS:PORT/NAME.git, without credentials. */
  readonly url: string;
  /** The default branch. */
  readonly branch: string;
  readonly username: string;
  /** Accepted as the password of `username`. */
  readonly token: string;
  /** Adds or replaces files in one commit on the branch (made if it is not there) and returns its SHA. */
  pushFiles(files: Files, message: string, options?: CommitOptions): Promise<string>;
  deleteFiles(paths: readonly string[], message: string, options?: CommitOptions): Promise<string>;
  head(branch?: string): Promise<string | undefined>;
}

/**
 * A Git server with one repository; its token is a bearer token, too. Commits through it work also while it is stopped: they are made in
 * the repository itself.
 */
export interface GitServer extends GitRemote, AsyncDisposable {
  /** Folder of the bare repository. */
  readonly path: string;
  pushFiles(files: Files, message: string, options?: CommitOptions & Pick<Change, "modes">): Promise<string>;
  /** Rewrites the branch: one commit with nothing but `files`, onto `onto` (its files are then kept) or onto nothing. */
  forcePush(files: Files, message: string, options?: CommitOptions & { readonly onto?: string }): Promise<string>;
  /** Moves the branch to any commit. */
  reset(sha: string, branch?: string): Promise<void>;
  setWebhook(target: WebhookTarget | undefined): void;
  /** Every connection is cut and the port is closed. */
  stop(): Promise<void>;
  /** Starts again on the same port. */
  start(): Promise<void>;
}

/** Creates the repository and serves it. */
export async function startGitServer(options: GitServerOptions): Promise<GitServer> {
  const { run, name = "policies", branch = "main", address = "127.0.0.1" } = options;
  const root = run.makeFolder("git");
  const path = join(root, `${name}.git`);
  await createRepository(path, branch);
  const token = randomBytes(16).toString("hex");
  const username = "firebreak";
  const port = await freePort(address);
  const url = `http://${address}:${port}/${name}.git`;
  let webhook = options.webhook;
  let server: Server | undefined;

  /** Runs `work` and tells the webhook of every branch it moved; a webhook is a hint, so one that fails is only a warning. */
  const telling = async <T>(work: () => Promise<T>): Promise<T> => {
    const before = await refs(path);
    const result = await work();
    const target = webhook;
    if (target === undefined) return result;
    for (const [ref, after] of await refs(path)) {
      if (before.get(ref) !== after) await tell(target, { ref, before: before.get(ref) ?? "0".repeat(40), after, url });
    }
    return result;
  };
  const commit = (change: Omit<Change, "parent">, { branch: to = branch, author }: CommitOptions, parent: string | undefined) =>
    telling(async () => {
      const sha = await writeCommit(path, { ...change, parent }, author);
      await git(path, ["update-ref", `refs/heads/${to}`, sha]);
      return sha;
    });

  const start = async (): Promise<void> => {
    const handler = (request: IncomingMessage, response: ServerResponse): void => {
      if (!isAllowed(request.headers.authorization, username, token)) {
        response.writeHead(401, { "www-authenticate": 'Basic realm="testbed"' }).end();
        return;
      }
      const isPush = request.method === "POST" && (request.url ?? "").endsWith("/git-receive-pack");
      const serve = (): Promise<void> => httpBackend(root, username, request, response);
      (isPush ? telling(serve) : serve()).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
    };
    const started = createServer(handler);
    server = started;
    await new Promise<void>((resolve, reject) => {
      started.once("error", reject);
      started.listen({ port, host: address }, resolve);
    });
    started.unref();
  };
  const stop = async (): Promise<void> => {
    const running = server;
    server = undefined;
    if (running === undefined) return;
    running.closeAllConnections();
    await new Promise((resolve) => running.close(resolve));
  };
  await start();
  run.defer(stop);
  return {
    url,
    branch,
    username,
    token,
    path,
    pushFiles: async (files, message, { modes, ...rest } = {}) =>
      commit(
        { files, remove: [], message, ...(modes === undefined ? {} : { modes }) },
        rest,
        await headOf(path, rest.branch ?? branch),
      ),
    deleteFiles: async (remove, message, rest = {}) =>
      commit({ files: {}, remove, message }, rest, await headOf(path, rest.branch ?? branch)),
    forcePush: (files, message, { onto, ...rest } = {}) => commit({ files, remove: [], message }, rest, onto),
    reset: (sha, to = branch) => telling(async () => void (await git(path, ["update-ref", `refs/heads/${to}`, sha]))),
    head: (of = branch) => headOf(path, of),
    setWebhook(target) {
      webhook = target;
    },
    stop,
    start,
    [Symbol.asyncDispose]: stop,
  };
}

function isAllowed(header: string | undefined, username: string, token: string): boolean {
  const basic = `Basic ${Buffer.from(`${username}:${token}`).toString("base64")}`;
  return [basic, `Bearer ${token}`].some((expected) => isSame(header ?? "", expected));
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** One request through the CGI program `git http-backend` (gitprotocol-http, git-http-backend(1)). */
async function httpBackend(root: string, user: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://localhost");
  const { headers } = request;
  const child = spawn("git", ["http-backend"], {
    stdio: ["pipe", "pipe", "ignore"],
    env: {
      ...process.env,
      ...GIT_ENV,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_PROTOCOL: String(headers["git-protocol"] ?? ""),
      REMOTE_USER: user,
      REQUEST_METHOD: request.method,
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: headers["content-type"],
      CONTENT_LENGTH: headers["content-length"],
      HTTP_CONTENT_ENCODING: headers["content-encoding"],
    },
  });
  child.stdin.on("error", () => undefined); // it may answer without reading everything
  request.pipe(child.stdin);
  response.on("close", () => child.kill());
  let head: Buffer | undefined = Buffer.alloc(0);
  child.stdout.on("data", (chunk: Buffer) => {
    if (head === undefined) {
      if (!response.write(chunk)) {
        child.stdout.pause();
        response.once("drain", () => child.stdout.resume());
      }
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    const fields = head
      .toString("latin1", 0, end)
      .split("\r\n")
      .map((line) => /^([^:]+): *(.*)$/.exec(line) ?? []);
    const status = fields.find(([, key]) => key?.toLowerCase() === "status")?.[2];
    for (const [, key, value] of fields)
      if (key !== undefined && value !== undefined && key.toLowerCase() !== "status") response.setHeader(key, value);
    response.writeHead(Number.parseInt(status ?? "200", 10));
    response.write(head.subarray(end + 4));
    head = undefined;
  });
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve());
  });
  if (head !== undefined) response.writeHead(500);
  response.end();
}

async function tell(target: WebhookTarget, push: { ref: string; before: string; after: string; url: string }): Promise<void> {
  const body = JSON.stringify({ ref: push.ref, before: push.before, after: push.after, repository: { clone_url: push.url } });
  const signature = `sha256=${createHmac("sha256", target.secret).update(body).digest("hex")}`;
  const headers = {
    "content-type": "application/json",
    "x-github-event": "push",
    "x-github-delivery": randomBytes(16).toString("hex"),
    "x-hub-signature-256": signature,
  };
  try {
    const response = await fetch(target.url, { method: "POST", headers, body, signal: AbortSignal.timeout(5_000) });
    if (!response.ok) process.emitWarning(`webhook ${target.url} answered ${response.status}`);
  } catch (error) {
    process.emitWarning(`webhook ${target.url}: ${String(error)}`);
  }
}
