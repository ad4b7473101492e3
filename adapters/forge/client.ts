import { createAppAuth } from "@octokit/auth-app";
import { retry } from "@octokit/plugin-retry";
import { throttling } from "@octokit/plugin-throttling";
import { Octokit } from "@octokit/rest";
import type { ForgeKind } from "../../core/forge/forge.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { failureOf } from "./failure.ts";

/** Who we are: a token, or a GitHub App's installation (its tokens are made and renewed as needed). */
export type ForgeCredential =
  | { readonly token: string }
  | { readonly app: { readonly id: string; readonly privateKey: string; readonly installationId: string } };

export interface ForgeOptions {
  readonly kind: ForgeKind;
  /** API base URL: `https://api.github.com`, `https://HOST/api/v3` (GitHub Enterprise), or `https://HOST/api/v1` (Gitea, Forgejo). */
  readonly url: string;
  /** `owner/name` */
  readonly repository: string;
  readonly credential: ForgeCredential;
  /** Deadline of one request, ms; default 20 s. */
  readonly timeoutMs?: number;
  /** Keep to GitHub's advice (one write a second, three seconds between notifications, one retry of a read). Default true; off in tests. */
  readonly isPaced?: boolean;
}

/** A connection to one repository of a forge. */
export interface Client {
  readonly kind: ForgeKind;
  readonly octokit: Octokit;
  /** Path parameters of every route. */
  readonly at: { readonly owner: string; readonly repo: string };
  /** `owner/name` */
  readonly repository: string;
  readonly credential: ForgeCredential;
  /** Runs requests; any failure comes out as a FirebreakError that says what was being done. Pass `request` on to every request. */
  call<Result>(doing: string, signal: AbortSignal, work: (request: RequestLimits) => Promise<Result>): Promise<Result>;
}

export interface RequestLimits {
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 20_000;
/**
 * No retry: the plugin's own list, and what it would stall 14 s on for nothing: 405 (not mergeable), 409 (already there) and 429, which
 * is told to the caller with its wait.
 */
const DO_NOT_RETRY = [400, 401, 403, 404, 405, 409, 410, 422, 429, 451];

/** What octokit says while it works; failures are thrown as well. */
const SILENT = { debug: nothing, info: nothing, warn: nothing, error: nothing };

const PacedOctokit = Octokit.plugin(retry, throttling);

/** Makes no request yet. @throws FirebreakError CONFIG_INVALID when the repository is not `owner/name` */
export function openClient(options: ForgeOptions): Client {
  const [owner, repo, more] = options.repository.split("/");
  if (!owner || !repo || more !== undefined)
    throw new FirebreakError("CONFIG_INVALID", `forge repository ${options.repository}: must be owner/name`);
  const octokit = new PacedOctokit({
    baseUrl: options.url.replace(/\/+$/, ""),
    userAgent: "firebreak",
    log: SILENT,
    ...authentication(options.credential),
    ...pace(options),
    request: { fetch: fetchWithin(options.timeoutMs ?? TIMEOUT_MS) },
  });
  // A write whose answer was lost may have been done: only the caller, who looks for it first, may repeat it.
  octokit.hook.before("request", (request) => {
    if (request.method !== "GET") request.request.retries = 0;
  });
  return {
    kind: options.kind,
    octokit,
    at: { owner, repo },
    repository: options.repository,
    credential: options.credential,
    async call(doing, signal, work) {
      try {
        return await untilAborted(work({ signal }), signal);
      } catch (error) {
        if (error instanceof FirebreakError) throw error;
        throw failureOf(error, `${doing} of ${options.repository}`);
      }
    },
  };
}

function authentication(credential: ForgeCredential): object {
  if ("token" in credential) return { auth: credential.token };
  const { id, privateKey, installationId } = credential.app;
  return { authStrategy: createAppAuth, auth: { appId: id, privateKey, installationId, log: SILENT } };
}

/** GitHub's own advice for GitHub; a Gitea of one's own has no such limits. Rate limits are never waited for here: the caller is told. */
function pace({ kind, url, repository, isPaced = true }: ForgeOptions): object {
  if (!isPaced) return { throttle: { enabled: false }, retry: { enabled: false } };
  const onLimit = (): boolean => false;
  const throttle = { id: `${url} ${repository}`, onRateLimit: onLimit, onSecondaryRateLimit: onLimit };
  return {
    throttle: kind === "github" ? throttle : { enabled: false },
    retry: { retries: 1, doNotRetry: DO_NOT_RETRY },
  };
}

/** Every request has its own deadline, which does not run while it waits for its turn. */
function fetchWithin(timeoutMs: number): typeof fetch {
  return async (url, init) => {
    const signals = [AbortSignal.timeout(timeoutMs), ...(init?.signal ? [init.signal] : [])];
    return await fetch(url, { ...init, signal: AbortSignal.any(signals) });
  };
}

/** Also while a request waits for its turn. */
async function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(new Error("stopped", { cause: signal.reason }));
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function nothing(): void {
  // see SILENT
}
