import { posix } from "node:path";
import { z } from "zod";
import { acceptedRevision } from "../accepted-revision.ts";
import type { DiffAnswer, ReachAnswer } from "../../core/api/shapes.ts";
import type { ExplainAnswer } from "../../core/explain/answer.ts";
import { revisionDiff } from "../../core/explain/between.ts";
import { explainConnection } from "../../core/explain/explain.ts";
import { savedWorld, type ConnectivityWorld } from "../../core/explain/world.ts";
import { makeReport, type TestReport } from "../../core/guardrail/report.ts";
import { FirebreakError } from "../../core/model/error.ts";
import type { Definitions } from "../../core/model/kinds.ts";
import { sourceDiff } from "../../core/reach/diff.ts";
import { listSource } from "../../core/reach/listing.ts";
import { blameIn } from "../blame.ts";
import { listOrphans, withOrphans } from "../orphans.ts";
import type { InForce, SyncerContext } from "./context.ts";
import { saveInventory } from "./save-inventory.ts";

const ReachArgs = z.object({ live: z.literal("true").optional() });
const DiffArgs = z.object({ live: z.literal("true").optional(), before: z.string().optional(), after: z.string().optional() });
const ExplainArgs = z.object({ from: z.string(), to: z.string(), port: z.string() });

/** Answers questions about connections: the revision in force, the workloads of now, and what is enforced now. */
export async function answerConnections(
  context: SyncerContext,
  kind: "test" | "explain" | "reach" | "diff",
  args: unknown,
): Promise<unknown> {
  switch (kind) {
    case "test":
      return reportOf(await lookAround(context));
    case "explain":
      return await explain(context, ExplainArgs.parse(args));
    case "reach":
      return await listReach(context, ReachArgs.parse(args).live === "true");
    case "diff":
      return await compare(context, DiffArgs.parse(args));
    default:
      return kind satisfies never;
  }
}

/** The world as every target shows it now. A target that does not answer is not in it, and what depends on it is uncertain. */
async function lookAround(context: SyncerContext): Promise<ConnectivityWorld> {
  const { definitions } = requireInForce(context);
  const whole = await withOrphans(context, definitions, await listOrphans(context.store));
  return { ...savedWorld(whole, await saveInventory(context), context.now(), context.operator), basis: "live" };
}

function requireInForce({ inForce }: SyncerContext): InForce {
  if (inForce === undefined) throw new FirebreakError("INVENTORY_INCOMPLETE", "no revision is in force yet");
  return inForce;
}

function reportOf({ definitions, approved, enforceable, live, gaps }: ConnectivityWorld): TestReport {
  const sources = [approved, enforceable, live].filter((source) => source !== undefined);
  return makeReport(definitions, sources, "live", gaps);
}

async function listReach(context: SyncerContext, isLive: boolean): Promise<ReachAnswer> {
  const { approved, live } = await lookAround(context);
  if (isLive && live === undefined) throw new FirebreakError("INVENTORY_INCOMPLETE", "nothing of what is enforced was read yet");
  const { classes, connections, notes } = listSource((isLive ? live : undefined) ?? approved);
  return { classes, connections: [...connections], notes };
}

async function explain(
  context: SyncerContext,
  asked: { readonly from: string; readonly to: string; readonly port: string },
): Promise<ExplainAnswer> {
  const { repository, signal } = context;
  const { commit } = requireInForce(context);
  const files = await repository.readDefinitions(commit, signal);
  const folder = context.settings.repository.path;
  const inputs = { files, patchPath: (path: string) => posix.join(folder, path) };
  return await explainConnection(await lookAround(context), inputs, asked, blameIn(repository, commit, signal));
}

async function compare(context: SyncerContext, { live, before, after }: z.infer<typeof DiffArgs>): Promise<DiffAnswer> {
  if (live === "true") {
    const world = await lookAround(context);
    const intent = world.enforceable ?? world.approved;
    if (world.live === undefined) throw new FirebreakError("INVENTORY_INCOMPLETE", "nothing of what is enforced was read yet");
    return { before: "definitions", after: "live", basis: "live", diff: sourceDiff(intent, world.live) };
  }
  if (before === undefined || after === undefined) throw new FirebreakError("USAGE", "two revisions are needed");
  const inventories = new Map([...context.clusters.connections()].map(([target, connection]) => [target, connection.inventory()]));
  const sides = [await definitionsOf(context, before), await definitionsOf(context, after)] as const;
  return { before, after, basis: "live", diff: revisionDiff(sides[0], sides[1], inventories, context.now()) };
}

/** By the number of a revision, or any commit that the repository has. */
async function definitionsOf(context: SyncerContext, name: string): Promise<Definitions> {
  const { definitions, repository, signal } = context;
  const commit = /^[0-9]{1,9}$/.test(name) ? (await acceptedRevision(context, Number(name)))?.commit : name;
  if (commit === undefined) throw new FirebreakError("NOT_FOUND", `there is no revision ${name}`);
  // Whoever may read may name any commit of the server: it is brought under the limits of a stranger, apart from the branch.
  if (commit === name) await repository.fetchAsked(commit, signal);
  const { definitions: found, notes } = await definitions.read(commit, signal);
  if (found !== undefined) return found;
  const first = notes.find(({ severity }) => severity === "error")?.summary ?? "no definitions";
  throw new FirebreakError("DEFINITION_INVALID", `the definitions of ${name} hold errors: ${first}`);
}
