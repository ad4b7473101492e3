import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { request } from "undici";
import { FirebreakError, NEXT, type ErrorCode } from "../core/ground/error.ts";
import type { ErrorShape } from "../core/api/shapes.ts";
import type { SettingsFile } from "../core/config/settings-schema.ts";
import { readSecret } from "../services/secrets.ts";
import { serviceFromEnvironment } from "./service-address.ts";
import { loadSettings } from "./settings.ts";

/** Long enough for a plan of every target. */
const TIMEOUT_MS = 120_000;

/** Calls of the running service. */
export class ApiClient {
  readonly #base: string;
  readonly #token: string;

  private constructor(base: string, token: string) {
    this.#base = base;
    this.#token = token;
  }

  /**
   * The service that the environment names ({@link serviceFromEnvironment}), else the one of this machine, by its settings.
   *
   * @throws FirebreakError CONFIG_INVALID
   */
  static async connect(configFile: string): Promise<ApiClient> {
    const remote = serviceFromEnvironment(process.env, configFile);
    return remote === undefined ? await ApiClient.open(await loadSettings(configFile)) : new ApiClient(remote.url, remote.token);
  }

  /**
   * The service on this machine; its token is in the state folder, where only its owner can read it.
   *
   * @throws FirebreakError API_UNREACHABLE when no service has ever run on this state folder
   */
  static async open(settings: SettingsFile): Promise<ApiClient> {
    const base = (await readIfThere(join(settings.stateFolder, "api.address"))) ?? `http://${settings.listen}`;
    const reference = settings.api.token;
    const token =
      reference === undefined
        ? await readIfThere(join(settings.stateFolder, "api.token"))
        : await readSecret(reference, process.env);
    if (token === undefined) {
      throw new FirebreakError(
        "API_UNREACHABLE",
        `no API token in ${settings.stateFolder}: start the service first (firebreak up), or check --config`,
      );
    }
    return new ApiClient(base.trim(), token.trim());
  }

  /** Where a path of the service is. */
  addressOf(path: string): string {
    return `${this.#base}${path}`;
  }

  async get<T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T> {
    return (await this.#call("GET", path, undefined, query)) as T;
  }

  async post<T>(path: string, body: unknown): Promise<T> {
    return (await this.#call("POST", path, body, {})) as T;
  }

  async #call(method: "GET" | "POST", path: string, body: unknown, query: Readonly<Record<string, string>>): Promise<unknown> {
    let status: number;
    let text: string;
    try {
      const response = await request(`${this.#base}${path}`, {
        method,
        query: { ...query },
        headers: { authorization: `Bearer ${this.#token}`, ...(body === undefined ? {} : { "content-type": "application/json" }) },
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      status = response.statusCode;
      text = await response.body.text();
    } catch (cause) {
      throw new FirebreakError("API_UNREACHABLE", `ask the service at ${this.#base}; is it running? (firebreak up)`, { cause });
    }
    if (status >= 300) throw refusal(text, status);
    const answer = parseJson(text);
    if (answer === undefined) throw new FirebreakError("API_REFUSED", `what answers at ${this.#base} is not Firebreak: no JSON`);
    return answer;
  }
}

function refusal(text: string, status: number): FirebreakError {
  const { code, message } = (parseJson(text) ?? {}) as Partial<ErrorShape>;
  const known = code !== undefined && Object.hasOwn(NEXT, code) ? (code as ErrorCode) : "API_REFUSED";
  return new FirebreakError(known, message ?? `the service answered HTTP ${status}`);
}

/** undefined for what is no JSON: whatever listens there may be something else. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw new FirebreakError("AUTH_DENIED", `read ${file}`, { cause: error });
  }
}
