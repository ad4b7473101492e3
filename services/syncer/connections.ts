import { z } from "zod";
import { acceptedRevision } from "../accepted-revision.ts";
import type { DiffAnswer } from "../../core/api/shapes.ts";
import type { ExplainAnswer } from "../../core/explain/answer.ts";
import { withBlame } from "../../core/explain/explain.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { unknownName } from "../../core/model/unknown-name.ts";
import type { Definitions } from "../../core/model/kinds.ts";
import { blameIn } from "../blame.ts";
import { listOrphans, withOrphans } from "../orphans.ts";
import type { Surroundings } from "../workers/questions.ts";
import { valueOf } from "../workers/value.ts";
import type { InForce, SyncerContext } from "./context.ts";
import { saveInventory } from "./save-inventory.ts";

const ReachArgs = z.object({ live: z.literal("true").optional() });
const DiffArgs = z.object({ live: z.literal("true").optional(), before: z.string().optional(), after: z.string().optional() });
const SegmentsArgs = z.object({ name: z.string().optional() });
const ExplainArgs = z.object({ from: z.string(), to: z.string(), port: z.string(), at: z.string().optional() });

/**
 * Answers questions about connections: the revision in force, the workloads of now, and what is enforced now. Asking takes no right to
 * change anything, so the work is done by a worker, one question after the other.
 *
 * @throws FirebreakError LIMIT_EXCEEDED when it takes too long, too much memory, or has too long an answer
 */
export async function answerConnections(
  context: SyncerContext,
  kind: "test" | "explain" | "reach" | "diff" | "segments",
  args: unknown,
): Promise<unknown> {
  const { workers, signal } = context;
  const how = { lane: "questions", signal } as const;
  switch (kind) {
    case "test":
      return valueOf(await workers.run("test", await lookAround(context), how), "check guardrails and tests");
    case "explain":
      return await explain(context, ExplainArgs.parse(args));
    case "reach": {
      const isLive = ReachArgs.parse(args).live === "true";
      return valueOf(await workers.run("reach", { ...(await lookAround(context)), isLive }, how), "list connections");
    }
    case "segments": {
      const { name } = SegmentsArgs.parse(args);
      return valueOf(await workers.run("segments", { ...(await lookAround(context)), name }, how), "list segments");
    }
    case "diff":
      return await compare(context, DiffArgs.parse(args));
    default:
      return kind satisfies never;
  }
}

/** The world as every target shows it now. A target that does not answer is not in it, and what depends on it is uncertain. */
async function lookAround(context: SyncerContext): Promise<Surroundings> {
  const { now, operator } = context;
  const { definitions } = requireInForce(context);
  const whole = await withOrphans(context, definitions, await listOrphans(context));
  return { definitions: whole, saved: await saveInventory(context), now: now(), operator };
}

function requireInForce({ inForce }: SyncerContext): InForce {
  if (inForce === undefined) throw new FirebreakError("INVENTORY_INCOMPLETE", "no revision is in force yet");
  return inForce;
}

async function explain(context: SyncerContext, { at, ...asked }: z.infer<typeof ExplainArgs>): Promise<ExplainAnswer> {
  const { repository, signal, workers, settings } = context;
  const around = await lookAround(context);
  const definitions = at === undefined ? around.definitions : await definitionsOf(context, at);
  const commit = at === undefined ? requireInForce(context).commit : await commitOf(context, at);
  const files = await repository.readDefinitions(commit, signal);
  const question = { ...around, definitions, files, folder: settings.repository.path, asked };
  const answer = valueOf(await workers.run("explain", question, { lane: "questions", signal }), "explain the connection");
  return await withBlame(answer, blameIn(repository, commit, signal));
}

async function compare(context: SyncerContext, { live, before, after }: z.infer<typeof DiffArgs>): Promise<DiffAnswer> {
  const { workers, signal, now } = context;
  const how = { lane: "questions", signal } as const;
  if (live === "true")
    return valueOf(await workers.run("diff-live", await lookAround(context), how), "compare with what is enforced");
  if (before === undefined || after === undefined) throw new FirebreakError("USAGE", "two revisions are needed");
  const inventories = new Map([...context.clusters.connections()].map(([target, connection]) => [target, connection.inventory()]));
  const sides = { before: await definitionsOf(context, before), after: await definitionsOf(context, after) };
  const diff = valueOf(await workers.run("diff", { ...sides, inventories, now: now() }, how), `compare ${before} with ${after}`);
  return { before, after, basis: "live", diff };
}

/** By the number of a revision, or a whole commit id. @throws FirebreakError NOT_FOUND */
async function commitOf(context: SyncerContext, name: string): Promise<string> {
  const commit = /^[0-9]{1,9}$/.test(name) ? (await acceptedRevision(context, Number(name)))?.commit : name;
  if (commit !== undefined) return commit;
  const newest = context.inForce === undefined ? "none is in force yet" : `the newest is ${context.inForce.sequence}`;
  throw unknownName("revision", name, [], `Revisions are numbered from 1, and ${newest}: firebreak audit log lists them`);
}

/** By the number of a revision, or any commit that the repository has. */
async function definitionsOf(context: SyncerContext, name: string): Promise<Definitions> {
  const { definitions, repository, signal } = context;
  const commit = await commitOf(context, name);
  // Whoever may read may name any commit of the server: it is brought under the limits of a stranger, apart from the branch.
  if (commit === name) await repository.fetchAsked(commit, signal);
  const { definitions: found, notes } = await definitions.read(commit, signal);
  if (found !== undefined) return found;
  const first = notes.find(({ severity }) => severity === "error")?.summary ?? "no definitions";
  throw new FirebreakError("DEFINITION_INVALID", `the definitions of ${name} hold errors: ${first}`);
}
