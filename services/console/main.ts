import { randomUUID } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { z } from "zod";
import {
  listFindings,
  listTargetRows,
  notify,
  reviveNotices,
  submitRequest,
  waitForRequest,
  type RequestKind,
} from "../../adapters/store/index.ts";
import { API, SESSION_PATH } from "../../core/api/shapes.ts";
import { FirebreakError, NEXT, type ErrorCode } from "../../core/ground/error.ts";
import { unknownName, unknownTarget } from "../../core/model/unknown-name.ts";
import { ISSUES } from "../../core/notify/channel.ts";
import { apiToken } from "../api-token.ts";
import type { Health } from "../health.ts";
import type { Parts, Role } from "../parts.ts";
import { requestKey, sealRequest } from "../request-seal.ts";
import { readSecret } from "../secrets.ts";
import type { Service } from "../service.ts";
import { storedError } from "../stored-error.ts";
import { accessOf, isOurHost, readOnlyToken, type Access } from "./access.ts";
import {
  AcceptBody,
  ApproveBody,
  DiffQuery,
  ExplainQuery,
  FindingsQuery,
  NotifyRetryBody,
  ReachQuery,
  ReconcileBody,
  ReleaseBody,
  SegmentsQuery,
  TargetQuery,
} from "./asked.ts";
import { addLive } from "./live.ts";
import { openMetrics } from "./metrics.ts";
import { addPages } from "./pages.ts";
import { makeRoom, QUESTION_PATIENCE_MS } from "../questions.ts";
import { readinessLines } from "./readiness.ts";
import { openSignedIn } from "./sign-in.ts";
import { denialsAnswer, findingAnswer, readStatus } from "./status.ts";
import { pullOf, readSigned } from "./webhook.ts";

/** Where the address lies under which the API is really reached, for the CLI. */
export const ADDRESS_FILE = "api.address";

const MAX_BODY_BYTES = 1024 * 1024;
const DENIED_EVERY_MS = 60_000;
/** One token so far; whoever holds it acts under this name in the log. */
const ACTOR = "api-token";

const OPEN_PATHS = new Set(["/livez", "/readyz", "/webhook/git"]);
/** Files of the console, which say nothing of anybody. */
const PAGES = /^\/console(?:$|\/)/;

export interface ConsoleParts extends Parts {
  /** What this process lacks. */
  readonly health: Health;
  readonly roles: readonly Role[];
  /** When this process started, ms since the epoch. */
  readonly startedAt: number;
  /** Services of this process: ready when all of them are. */
  readonly services: () => readonly Service[];
}

/** The HTTP side: health, metrics, the webhook, and the API that the CLI uses. It reads the store; writes are requests to the syncer. */
export async function startConsole(parts: ConsoleParts): Promise<Service> {
  const { settings, signal, log } = parts;
  const app = await openApp(parts);
  const { host, port } = splitListen(settings.listen);
  const address = await app.listen({ host, port });
  await writeAddress(settings.stateFolder, address);
  log.info({ address }, "listening");
  const done = new Promise<void>((resolve) => {
    const stop = (): void => void app.close().then(resolve, resolve);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  return { done, notReady: () => undefined };
}

/**
 * All routes, behind their guard; nothing listens yet.
 *
 * @param onRoute told of every route, for whoever has to know them all
 */
export async function openApp(
  parts: ConsoleParts,
  onRoute: (route: { readonly method: string | readonly string[]; readonly url: string }) => void = () => undefined,
): Promise<FastifyInstance> {
  const tokens = async (): Promise<Tokens> => ({
    full: await apiToken(parts.settings, parts.environment),
    read: await readOnlyToken(parts.settings, parts.environment),
  });
  await tokens(); // what is not there stops the start
  const signedIn = openSignedIn(parts);
  const letIn = async (request: FastifyRequest): Promise<Access | "foreign"> => {
    const bearer = bearerOf(request);
    return bearer === undefined ? await signedIn.accessOf(request) : accessOf(bearer, await tokens());
  };
  const app = fastify({ bodyLimit: MAX_BODY_BYTES, forceCloseConnections: true, requestTimeout: QUESTION_PATIENCE_MS + 10_000 });
  app.addHook("onRoute", onRoute);
  app.addHook("onRequest", guard(parts, letIn));
  app.setErrorHandler(async (error, _request, reply) => await sendError(reply, error));
  app.setNotFoundHandler(async (_request, reply) => await reply.code(404).send({ code: "NOT_FOUND", message: "no such path" }));
  addHealth(app, parts, tokens);
  await addWebhook(app, parts);
  addReads(app, parts);
  addWrites(app, parts);
  addLive(app, parts, async (request) => ["full", "read"].includes(await letIn(request)));
  signedIn.addRoutes(app);
  await addPages(app);
  return app;
}

/** Whoever waits for the file may read it as soon as it is there: it is never there empty. */
async function writeAddress(stateFolder: string, address: string): Promise<void> {
  const file = join(stateFolder, ADDRESS_FILE);
  await writeFile(`${file}.next`, `${address}\n`, { mode: 0o600 });
  await rename(`${file}.next`, file);
}

/** What lets somebody in. */
type Tokens = Parameters<typeof accessOf>[1];

/**
 * Host header and token or session, before anything of a request is read. A token in a file that was changed counts at the next request.
 */
function guard(parts: ConsoleParts, letIn: (request: FastifyRequest) => Promise<Access | "foreign">) {
  let deniedAt = 0;
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { settings, now, trail, log } = parts;
    const path = request.url.split("?", 1)[0] ?? "";
    if (!isOurHost(request.headers.host, settings.listen, settings.api.hostnames)) {
      await reply
        .code(421)
        .send({ code: "AUTH_DENIED", message: "this name is not ours; add it to api.hostnames in firebreak.yaml" });
      return;
    }
    if (OPEN_PATHS.has(path) || PAGES.test(path)) return;
    // A link's code is what lets in here, and it is looked at there; to ask who is signed in is no attempt of anything.
    if (path === SESSION_PATH && request.method !== "DELETE") return;
    const access = await letIn(request);
    // Every read is a GET, and no GET changes anything. Whoever may read may sign out.
    const isRead = request.method === "GET" || (path === SESSION_PATH && request.method === "DELETE");
    if (access === "full" || (access === "read" && isRead)) return;
    if (access === "foreign")
      await reply.code(403).send({ code: "AUTH_DENIED", message: "this write does not come from the console's own page" });
    else if (access === "read")
      await reply.code(403).send({ code: "AUTH_DENIED", message: "this token or session may only read (api.readToken)" });
    else
      await reply
        .code(401)
        .header("www-authenticate", "Bearer")
        .send({ code: "AUTH_DENIED", message: "a valid API token is needed" });
    if (now() - deniedAt < DENIED_EVERY_MS) return;
    deniedAt = now();
    const detail = { path: path.slice(0, 200), from: request.ip };
    await trail
      .append([{ id: `auth-denied-${deniedAt}`, type: "auth.denied", outcome: "denied", detail }])
      .catch((error: unknown) => log.warn({ error }, "a denied call could not be logged"));
  };
}

function bearerOf(request: FastifyRequest): string | undefined {
  return /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
}

function addHealth(app: FastifyInstance, parts: ConsoleParts, tokens: () => Promise<Tokens>): void {
  const metrics = openMetrics(parts);
  app.get("/livez", async () => "ok\n");
  app.get("/readyz", async (request, reply) => {
    const notReady = parts.services().flatMap((service) => service.notReady() ?? []);
    const reasons = readinessLines(parts.health.troubles(), notReady, accessOf(bearerOf(request), await tokens()) !== "none");
    if (reasons.length === 0) return "ok\n";
    return await reply.code(503).send(`${reasons.join("\n")}\n`);
  });
  app.get("/metrics", async (_request, reply) => await reply.type(metrics.contentType).send(await metrics.text()));
}

async function addWebhook(app: FastifyInstance, { settings, environment, store }: ConsoleParts): Promise<void> {
  const reference = settings.repository.webhookSecret;
  if (reference === undefined) return;
  await readSecret(reference, environment); // what is not there stops the start
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // The body is read below, as it comes.
    scope.addContentTypeParser("*", async (_request: FastifyRequest, body: unknown) => body);
    scope.post("/webhook/git", async (request, reply) => {
      const signed = await readSigned(request.headers, request.raw, await readSecret(reference, environment));
      if (signed === undefined) return await reply.code(401).send({ code: "AUTH_DENIED", message: "bad signature" });
      await notify(store, "repository", "hint");
      await notify(store, "pulls", String(pullOf(request.headers, signed) ?? ""));
      return await reply.code(202).send({ message: "the branch and its pull requests are read now" });
    });
  });
}

function addReads(app: FastifyInstance, parts: ConsoleParts): void {
  app.get(API.status, async () => await readStatus(parts));
  app.get(API.findings, async (request) => {
    const { all, target } = FindingsQuery.parse(request.query);
    const found = await listFindings(parts.store, {
      ...(all === undefined ? { open: true } : {}),
      ...(target === undefined ? {} : { target }),
    });
    // A name with a typo must not read as "no findings"; a target that was released may have findings that are over.
    if (target !== undefined && found.length === 0) await refuseUnknown(parts, target);
    return found.map(findingAnswer);
  });
  app.get(API.denials, async (request) => {
    const { target } = TargetQuery.parse(request.query);
    const rows = await listTargetRows(parts.store);
    if (target !== undefined) await refuseUnknown(parts, target);
    return rows.filter(({ id }) => target === undefined || id === target).map(denialsAnswer);
  });
  app.get(API.plan, async (request) => await ask(parts, "plan", TargetQuery.parse(request.query)));
  app.get(API.inventory, async () => await ask(parts, "inventory", {}));
  app.get(API.test, async () => await ask(parts, "test", {}));
  app.get(API.reach, async (request) => await ask(parts, "reach", ReachQuery.parse(request.query)));
  app.get(API.diff, async (request) => await ask(parts, "diff", DiffQuery.parse(request.query)));
  app.get(API.segments, async (request) => await ask(parts, "segments", SegmentsQuery.parse(request.query)));
  app.get(API.explain, async (request) => await ask(parts, "explain", ExplainQuery.parse(request.query)));
}

function addWrites(app: FastifyInstance, parts: ConsoleParts): void {
  app.post(API.reconcile, async (request) => await ask(parts, "reconcile", ReconcileBody.parse(request.body ?? {})));
  app.post(API.approve, async (request) => await ask(parts, "approve", ApproveBody.parse(request.body)));
  app.post(API.accept, async (request) => await ask(parts, "accept", AcceptBody.parse(request.body)));
  app.post(API.release, async (request) => await ask(parts, "release", ReleaseBody.parse(request.body)));
  app.post(API.notifyRetry, async (request) => {
    const { channel } = NotifyRetryBody.parse(request.body ?? {});
    refuseUnknownChannel(parts.settings, channel);
    return { revived: await reviveNotices(parts.store, parts.now(), channel) };
  });
}

/** @throws FirebreakError NOT_FOUND for a channel that firebreak.yaml does not have */
function refuseUnknownChannel({ channels, forge }: ConsoleParts["settings"], asked: string | undefined): void {
  const known = [...Object.keys(channels), ...(forge === undefined ? [] : [ISSUES])];
  if (asked !== undefined && !known.includes(asked)) throw unknownName("channel", asked, known, "firebreak.yaml has them");
}

/** @throws FirebreakError NOT_FOUND for a target that is not there, and of which nothing was ever found */
async function refuseUnknown({ store }: ConsoleParts, target: string): Promise<void> {
  const known = (await listTargetRows(store)).map(({ id }) => id);
  if (known.includes(target) || (await listFindings(store, { target })).length > 0) return;
  throw unknownTarget(target, known);
}

/** Asks the syncer, in whichever process it is, and waits for its answer. */
async function ask(
  { store, now, signal, settings, environment }: ConsoleParts,
  kind: RequestKind,
  args: unknown,
): Promise<unknown> {
  await makeRoom(store, kind, now());
  const id = randomUUID();
  const request = { id, kind, args, actor: ACTOR, createdAt: now() };
  await submitRequest(store, { ...request, mac: sealRequest(await requestKey(settings, environment), request) });
  try {
    const row = await waitForRequest(store, id, AbortSignal.any([signal, AbortSignal.timeout(QUESTION_PATIENCE_MS)]));
    if (row.error === null) return row.result;
    throw new FirebreakError(isErrorCode(row.error.code) ? row.error.code : "PLAN_INVARIANT_BROKEN", row.error.message);
  } catch (cause) {
    if (cause instanceof FirebreakError) throw cause;
    throw new FirebreakError("API_UNREACHABLE", "the syncer did not answer in time; does it run?", { cause });
  }
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(NEXT, code);
}

const STATUS_BY_CODE: Partial<Readonly<Record<ErrorCode, number>>> = { NOT_FOUND: 404, RATE_LIMITED: 429 };
const STATUS_BY_NEXT = { person: 422, retry: 503, wait: 409, bug: 500 } as const;

async function sendError(reply: FastifyReply, error: unknown): Promise<void> {
  if (error instanceof z.ZodError) {
    const message = error.issues.map(({ path, message: text }) => `${path.join(".") || "request"}: ${text}`).join("; ");
    await reply.code(400).send({ code: "USAGE", message });
    return;
  }
  const status = (error as { statusCode?: number }).statusCode;
  if (error instanceof FirebreakError)
    await reply.code(STATUS_BY_CODE[error.code] ?? STATUS_BY_NEXT[error.next]).send(storedError(error));
  else if (status !== undefined && status < 500)
    await reply.code(status).send({ code: "USAGE", message: (error as Error).message });
  else await reply.code(500).send(storedError(error));
}

function splitListen(listen: string): { readonly host: string; readonly port: number } {
  const at = listen.lastIndexOf(":");
  return { host: listen.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(listen.slice(at + 1)) };
}
