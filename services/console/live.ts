import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { listFindings } from "../../adapters/store/index.ts";
import { causesOf } from "../../core/api/causes.ts";
import { overviewOf } from "../../core/api/overview.ts";
import { API, type OverviewAnswer } from "../../core/api/shapes.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { storedError } from "../stored-error.ts";
import type { ConsoleParts } from "./main.ts";
import { findingAnswer, readStatus } from "./status.ts";

const MOST_FINDINGS = 10_000;
/** However many people look, the store is read once in this time. */
const FRESH_MS = 1_000;
const BEAT_MS = 2_000;
const MOST_STREAMS = 200;
/** A reader that takes nothing is cut off rather than kept in memory; its browser comes again. */
const MOST_UNREAD = 64 * 1024;

/** What the console's pages show, as it was at one moment. */
interface Look {
  readonly overview: string;
  readonly causes: string;
  readonly looked: OverviewAnswer["looked"];
  /** Digests of what is shown, without the times of looks: another one is worth a request. */
  readonly versions: { readonly overview: string; readonly causes: string };
}

/** The aggregates of the console's pages, and the stream that says when they changed. */
export function addLive(app: FastifyInstance, parts: ConsoleParts, isLetIn: (request: FastifyRequest) => Promise<boolean>): void {
  const look = openLook(parts);
  app.get(API.overview, async (request, reply) => await sendJson(request, reply, (await look()).overview));
  app.get(API.causes, async (request, reply) => await sendJson(request, reply, (await look()).causes));
  const streams = new Map<FastifyReply["raw"], FastifyRequest>();
  let ticking: NodeJS.Timeout | undefined;
  const beat = async (): Promise<void> => {
    const text = await eventOf(look, parts.now());
    for (const [raw, request] of streams) {
      if (raw.writableLength > MOST_UNREAD) raw.destroy();
      else if (await isLetIn(request).catch(() => false)) raw.write(text);
      else raw.end("event: out\ndata: {}\n\n"); // signed out, or the token was changed
    }
  };
  app.get(API.events, async (request, reply) => {
    if (streams.size >= MOST_STREAMS) throw new FirebreakError("RATE_LIMITED", "too many pages listen; ask again in a moment");
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" });
    streams.set(raw, request);
    raw.on("error", () => raw.destroy());
    raw.on("close", () => {
      streams.delete(raw);
      if (streams.size > 0) return;
      clearInterval(ticking);
      ticking = undefined;
    });
    ticking ??= setInterval(() => void beat(), BEAT_MS);
    raw.write(await eventOf(look, parts.now()));
  });
  app.addHook("preClose", async () => {
    clearInterval(ticking);
    for (const raw of streams.keys()) raw.end();
    await Promise.resolve();
  });
}

async function eventOf(look: () => Promise<Look>, at: number): Promise<string> {
  try {
    const { looked, versions } = await look();
    return eventText("beat", { at: new Date(at).toISOString(), looked, versions });
  } catch (error) {
    return eventText("trouble", storedError(error));
  }
}

function eventText(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Reads at most once in FRESH_MS; whoever asks meanwhile gets the same. A failure is asked again. */
function openLook(parts: ConsoleParts): () => Promise<Look> {
  let last: { readonly at: number; readonly look: Promise<Look> } | undefined;
  return async () => {
    if (last === undefined || parts.elapsed() - last.at >= FRESH_MS) {
      const made = { at: parts.elapsed(), look: readLook(parts) };
      last = made;
      made.look.catch(() => {
        if (last === made) last = undefined;
      });
    }
    return await last.look;
  };
}

async function readLook(parts: ConsoleParts): Promise<Look> {
  const [status, found] = await Promise.all([readStatus(parts), listFindings(parts.store, { open: true, limit: MOST_FINDINGS })]);
  const severities = found.map(({ severity }) => severity);
  const overview = overviewOf(status, severities);
  const causes = causesOf(found.map(findingAnswer), found.length < MOST_FINDINGS);
  const shown = {
    ...overview,
    looked: null,
    repository: { ...overview.repository, fetchedAt: null },
    attention: overview.attention.map((target) => ({ ...target, lastReadAt: null })),
  };
  const lasting = causes.causes.map((cause) => ({ ...cause, lastSeen: null }));
  return {
    overview: JSON.stringify(overview),
    causes: JSON.stringify(causes),
    looked: overview.looked,
    versions: { overview: digestOf(JSON.stringify(shown)), causes: digestOf(JSON.stringify({ ...causes, causes: lasting })) },
  };
}

async function sendJson(request: FastifyRequest, reply: FastifyReply, text: string): Promise<void> {
  const etag = `"${digestOf(text)}"`;
  void reply.header("etag", etag).header("cache-control", "no-cache");
  if (request.headers["if-none-match"] === etag) await reply.code(304).send();
  else await reply.type("application/json; charset=utf-8").send(text);
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}
