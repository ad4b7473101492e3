import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A real Git server (`git http-backend` behind node:http) with one repository, and a work tree to push from. */
export interface GitFixture extends AsyncDisposable {
  readonly url: string;
  /** The bare repository's folder. */
  readonly bare: string;
  /** Runs git in the work tree; its output. */
  git(...args: readonly string[]): string;
  /** Writes the files, commits all, pushes (with force) to `main`; the commit. */
  push(files: Readonly<Record<string, string | Uint8Array>>, message?: string): string;
  /** Requests so far, e.g. `POST /repo.git/git-upload-pack`. */
  readonly requests: string[];
  /** While set, every request is answered by it. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  /** When set, paths that begin with it are redirected to the repository, as a forge does for one that was renamed. */
  movedFrom: string | undefined;
  /** When set, requests need these credentials. */
  credentials: { readonly username: string; readonly password: string } | undefined;
}

export async function startGit(): Promise<GitFixture> {
  const folder = mkdtempSync(join(tmpdir(), "fb-git-"));
  const bare = join(folder, "repo.git");
  const work = join(folder, "work");
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "Ann",
    GIT_AUTHOR_EMAIL: "ann@example.org",
    GIT_COMMITTER_NAME: "Cob",
    GIT_COMMITTER_EMAIL: "cob@example.org",
  };
  const run = (cwd: string, args: readonly string[]): string => {
    const done = spawnSync("git", args, { cwd, env, encoding: "utf8" });
    if (done.status !== 0) throw new Error(`git ${args.join(" ")}: ${done.stderr}`);
    return done.stdout.trim();
  };
  run(folder, ["init", "-q", "--bare", "-b", "main", bare]);
  run(folder, ["init", "-q", "-b", "main", work]);
  const fixture = {
    requests: [] as string[],
    answer: undefined as GitFixture["answer"],
    movedFrom: undefined as GitFixture["movedFrom"],
    credentials: undefined as GitFixture["credentials"],
  };
  const server = createServer((request, response) => {
    fixture.requests.push(`${request.method} ${request.url}`);
    if (fixture.answer !== undefined) return fixture.answer(request, response);
    const { credentials, movedFrom } = fixture;
    if (movedFrom !== undefined && request.url?.startsWith(movedFrom) === true)
      return void response.writeHead(307, { location: request.url.replace(movedFrom, "/repo.git") }).end();
    const wanted = credentials && `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`;
    if (wanted !== undefined && request.headers.authorization !== wanted)
      return void response.writeHead(401, { "www-authenticate": "Basic" }).end();
    backend(request, response, folder, env);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return Object.assign(fixture, {
    url: `http://127.0.0.1:${address.port}/repo.git`,
    bare,
    git: (...args: readonly string[]) => run(work, args),
    push(files: Readonly<Record<string, string | Uint8Array>>, message = "change") {
      for (const [path, contents] of Object.entries(files)) {
        mkdirSync(dirname(join(work, path)), { recursive: true });
        writeFileSync(join(work, path), contents);
      }
      run(work, ["add", "-A"]);
      run(work, ["commit", "-q", "--allow-empty", "-m", message]);
      run(work, ["push", "-q", "-f", bare, "HEAD:main"]);
      return run(work, ["rev-parse", "HEAD"]);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      rmSync(folder, { recursive: true, force: true });
    },
  });
}

/** CGI, as far as git needs it. */
function backend(request: IncomingMessage, response: ServerResponse, root: string, env: NodeJS.ProcessEnv): void {
  const url = new URL(request.url ?? "/", "http://localhost");
  const child = spawn("git", ["http-backend"], {
    env: {
      ...env,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      REQUEST_METHOD: request.method,
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      ...(typeof request.headers["git-protocol"] === "string" ? { GIT_PROTOCOL: request.headers["git-protocol"] } : {}),
      REMOTE_ADDR: "127.0.0.1",
    },
  });
  request.pipe(child.stdin);
  child.stdin.on("error", () => undefined); // the child answers without reading everything
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.on("close", () => {
    const all = Buffer.concat(chunks);
    const end = all.indexOf("\r\n\r\n");
    const headers = all
      .toString("latin1", 0, Math.max(end, 0))
      .split("\r\n")
      .map((line) => line.split(": ") as [string, string]);
    const status = Number.parseInt(headers.find(([name]) => name === "Status")?.[1] ?? "200", 10);
    response.writeHead(status, Object.fromEntries(headers.filter(([name]) => name !== "Status" && name !== "")));
    response.end(all.subarray(end + 4));
  });
}
