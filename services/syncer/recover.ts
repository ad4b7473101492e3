import {
  addWork,
  currentRevision,
  forgetTarget,
  listTargetRows,
  recordTargets,
  revision,
  seedRevision,
} from "../../adapters/store/index.ts";
import type { TrailReader } from "../../core/audit/trail.ts";
import type { EntryOf } from "../../core/audit/entry.ts";
import { listTargets } from "../../core/model/target.ts";
import type { SyncerContext } from "./context.ts";
import { putInForce, subjectOf } from "./branch.ts";

const PAGE = 1_000;

/**
 * Makes the store know what the log knows: the log is fsynced and the store is not.
 *
 * Replays which revisions were accepted and which targets released, in order, so that numbering goes on, the revision in force is the
 * one that was, and a target gone from Git is an orphan again and not forgotten.
 */
export async function replayLog(context: SyncerContext, trail: TrailReader): Promise<void> {
  const { store, log, now, signal } = context;
  const known = (await currentRevision(store))?.sequence ?? 0;
  let replayed = 0;
  let logged = 0;
  for await (const entry of decisions(trail)) {
    if (entry.type === "target.released") {
      if (replayed > 0) await forgetTarget(store, entry.target.id, now());
      continue;
    }
    logged = Math.max(logged, entry.revision);
    if (entry.revision <= known) continue;
    const info = await context.repository.commitInfo(entry.commit, signal);
    const { tree, author, committer } = info;
    const acceptedAt = Date.parse(entry.time);
    const actor = entry.actor?.kind === "token" ? entry.actor.id : "git";
    await seedRevision(store, entry.revision, {
      commit: entry.commit,
      tree,
      parent: info.parents[0] ?? null,
      actor,
      author,
      committer,
      subject: subjectOf(info.message),
      acceptedAt,
    });
    const { definitions } = await context.definitions.read(entry.commit, signal);
    if (definitions !== undefined) {
      const named = listTargets(definitions).map(({ id, mode, labels }) => ({ id, mode, labels }));
      await recordTargets(store, named, entry.revision, now());
    }
    replayed += 1;
  }
  if (replayed > 0) log.warn({ revisions: replayed }, "the store was behind the log and was rebuilt from it");
  for (let sequence = logged + 1; sequence <= known; sequence++) await logRevision(context, sequence);
}

/** A revision that the store has and the log has not: a crash between the two. What was checked then is known to nobody. */
async function logRevision(context: SyncerContext, sequence: number): Promise<void> {
  const { store, trail, log, settings } = context;
  const found = await revision(store, sequence);
  if (found === undefined) return;
  const { commit, tree, actor, committer, subject } = found;
  await trail.append([
    {
      id: `revision-accepted-${sequence}-${commit}`,
      type: "revision.accepted",
      commit,
      revision: sequence,
      tree,
      repository: settings.repository.url,
      actor: actor === "git" ? { kind: "person", id: committer } : { kind: "token", id: actor },
      outcome: "ok",
      recovered: true,
      reason: subject,
    },
  ]);
  log.warn({ sequence, commit }, "the log was behind the store and was completed from it");
}

async function* decisions(trail: TrailReader): AsyncGenerator<EntryOf<"revision.accepted"> | EntryOf<"target.released">> {
  let from: number | undefined = 0;
  while (from !== undefined) {
    const page = await trail.read({ from, limit: PAGE, filter: { types: ["revision.accepted", "target.released"] } });
    for (const entry of page.entries) if (entry.type === "revision.accepted" || entry.type === "target.released") yield entry;
    from = page.next;
  }
}

/** Closes intents that have no outcome: a run ended between the two. What happened is not known; nothing is redone silently. */
export async function closeOpenIntents(context: SyncerContext, intents: readonly EntryOf<"apply.intent">[]): Promise<void> {
  if (intents.length === 0) return;
  await context.trail.append(
    intents.map((intent) => ({
      id: `recovered-${intent.seq}`,
      type: "apply.outcome",
      target: intent.target,
      plan: intent.plan,
      outcome: "unknown",
      recovered: true,
      causedBy: intent.seq,
      ...(intent.generation === undefined ? {} : { generation: intent.generation }),
    })),
  );
  context.log.warn({ intents: intents.length }, "intents without an outcome were closed as unknown");
}

/** Takes up the revision that was in force, and gives every target work: the first run finds out what is live. */
export async function resume(context: SyncerContext): Promise<void> {
  const { store, signal, now } = context;
  const current = await currentRevision(store);
  if (current === undefined) return;
  const definitions = await context.definitions.accepted(current.commit, signal);
  await putInForce(context, { sequence: current.sequence, commit: current.commit, definitions });
  const rows = await listTargetRows(store);
  await addWork(
    store,
    rows.map(({ id }) => ({ target: id, kind: "start" as const, detail: {} })),
    now(),
  );
  for (const { id } of rows) await context.queue.enqueue(id);
}
