/** A real forge (Gitea) on loopback, with an administrator's token. About 5 s to start, once built. */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { request } from "undici";
import { buildPart } from "./build.mjs";
import { command } from "./command.ts";
import { freePort } from "./ports.ts";
import type { Run } from "./run.ts";
import { waitFor } from "./wait.ts";

export interface ForgeOptions {
  readonly run: Run;
  readonly signal?: AbortSignal | undefined;
  readonly log?: (line: string) => void;
}

/** A repository on the forge. */
export interface ForgeRepository {
  readonly owner: string;
  readonly name: string;
  readonly cloneUrl: string;
}

export interface Forge extends AsyncDisposable {
  readonly url: string;
  /** …/api/v1, for @octokit/rest's `baseUrl`. */
  readonly baseUrl: string;
  /** The administrator's name. */
  readonly owner: string;
  readonly token: string;
  /** Creates an initialised repository of the administrator's with branch main. */
  createRepo(name: string): Promise<ForgeRepository>;
  /** Creates an account without rights; its token may do in repositories, issues and pull requests what it may. */
  createUser(name: string): Promise<{ readonly name: string; readonly token: string }>;
  /** One API call as the administrator, or as another account; throws on any status but 2xx. */
  call(method: Method, path: string, body?: unknown, as?: string): Promise<unknown>;
  stop(): Promise<void>;
}

type Method = "GET" | "POST" | "PATCH" | "PUT" | "DELETE";

const OWNER = "firebreak";

/** Starts Gitea with an administrator and a token; throws with the reason when it is not there. */
export async function startForge({ run, signal, log }: ForgeOptions): Promise<Forge> {
  const options = { ...(log === undefined ? {} : { log }), ...(signal === undefined ? {} : { signal }) };
  const built = await buildPart("forge", options);
  if ("missing" in built) throw new Error(`no forge: ${built.missing}`);
  const folder = run.makeFolder("forge");
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(folder, "app.ini");
  writeFileSync(config, settings({ folder, port, url, statics: join(built.folder, "static") }), { mode: 0o600 });
  const gitea = [built.binary, "--config", config, "--work-path", folder];
  const env = { GITEA_WORK_DIR: folder, HOME: folder, USER: "root" };
  await command([...gitea, "migrate"], { env, signal, timeoutMs: 60_000 });
  const account = ["--admin", "--username", OWNER, "--email", "firebreak@firebreak.test", "--must-change-password=false"];
  const password = ["--password", randomBytes(16).toString("hex")];
  await command([...gitea, "admin", "user", "create", ...account, ...password], { env, signal, timeoutMs: 60_000 });
  const wish = ["--username", OWNER, "--token-name", "testbed", "--scopes", "all", "--raw"];
  const output = await command([...gitea, "admin", "user", "generate-access-token", ...wish], { env, signal, timeoutMs: 60_000 });
  const token = output.trim().split("\n").at(-1) ?? "";
  const daemon = run.start({ label: "forge", argv: [...gitea, "web"], env, cwd: folder });

  const send = async (method: Method, path: string, body: unknown, who: Readonly<Record<string, string>>): Promise<unknown> => {
    const response = await request(`${url}/api/v1${path}`, {
      method,
      headers: { ...who, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(15_000),
    });
    const text = await response.body.text();
    if (response.statusCode >= 300)
      throw new Error(`${method} ${path} of the forge answered ${response.statusCode}: ${text.slice(0, 300)}`);
    return text === "" ? undefined : (JSON.parse(text) as unknown);
  };
  const call: Forge["call"] = async (method, path, body, as) =>
    await send(method, path, body, { authorization: `token ${token}`, ...(as === undefined ? {} : { sudo: as }) });
  const isUp = async (): Promise<boolean> => {
    daemon.check();
    await call("GET", "/version");
    return true;
  };
  await waitFor(isUp, { what: "the forge answers", timeoutMs: 60_000, everyMs: 100, signal });
  const stop = (): Promise<void> => daemon.stop();
  return {
    url,
    baseUrl: `${url}/api/v1`,
    owner: OWNER,
    token,
    async createRepo(name) {
      await call("POST", "/user/repos", { name, auto_init: true, default_branch: "main" });
      return { owner: OWNER, name, cloneUrl: `${url}/${OWNER}/${name}.git` };
    },
    async createUser(name) {
      const secret = randomBytes(16).toString("hex");
      const account = { username: name, email: `${name}@firebreak.test`, password: secret, must_change_password: false };
      await call("POST", "/admin/users", account);
      const authorization = `Basic ${Buffer.from(`${name}:${secret}`).toString("base64")}`;
      const wish = { name: "testbed", scopes: ["write:repository", "write:issue", "read:user"] };
      const made = (await send("POST", `/users/${name}/tokens`, wish, { authorization })) as { readonly sha1: string };
      return { name, token: made.sha1 };
    },
    call,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function settings({ folder, port, url, statics }: { folder: string; port: number; url: string; statics: string }): string {
  const secret = (): string => randomBytes(32).toString("hex");
  const root = process.getuid?.() === 0;
  return `APP_NAME = Firebreak test bed
RUN_MODE = prod
RUN_USER = ${root ? "root" : (process.env["USER"] ?? "")}
WORK_PATH = ${folder}
; loopback only, for the length of one test
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = ${root}

[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = ${port}
ROOT_URL = ${url}/
STATIC_ROOT_PATH = ${statics}
APP_DATA_PATH = ${folder}/data
DISABLE_SSH = true
OFFLINE_MODE = true

[database]
DB_TYPE = sqlite3
PATH = ${folder}/forge.db

[repository]
ROOT = ${folder}/repositories

[security]
INSTALL_LOCK = true
SECRET_KEY = ${secret()}
INTERNAL_TOKEN = ${secret()}

[service]
DISABLE_REGISTRATION = true

[webhook]
ALLOWED_HOST_LIST = loopback

[log]
LEVEL = warn
ROOT_PATH = ${folder}/log

[cron]
ENABLED = false

[indexer]
ISSUE_INDEXER_TYPE = db

[actions]
ENABLED = false

[packages]
ENABLED = false

[mailer]
ENABLED = false
`;
}
