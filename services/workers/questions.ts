import { posix } from "node:path";
import type { DiffAnswer, ReachAnswer } from "../../core/api/shapes.ts";
import type { InventoryFile } from "../../core/observed/inventory-file.ts";
import type { OperatorInputs } from "../../core/compile/inputs.ts";
import type { ExplainAnswer } from "../../core/explain/answer.ts";
import { revisionDiff } from "../../core/explain/between.ts";
import { explainConnection, type AskedConnection } from "../../core/explain/explain.ts";
import { savedWorld, type ConnectivityWorld } from "../../core/guardrail/world.ts";
import { makeReport, type TestReport } from "../../core/guardrail/report.ts";
import type { ClusterInventory } from "../../core/membership/inventory.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import type { Definitions, TargetId } from "../../core/model/kinds.ts";
import type { SourceFile } from "../../core/model/source.ts";
import { sourceDiff } from "../../core/reach/diff.ts";
import { listSource } from "../../core/reach/listing.ts";
import { listSegments, type SegmentsAnswer } from "../../core/segments/list.ts";

/** What every target showed, and what it is held against. */
export interface Surroundings {
  readonly definitions: Definitions;
  readonly saved: InventoryFile;
  /** ms since the epoch */
  readonly now: number;
  readonly operator: OperatorInputs;
}

/** Longer answers are for a file: `firebreak inventory`, and the question asked with `--inventory`. */
const MAX_ANSWER_MIB = 32;

/** Guardrails and tests of policies, now. */
export function testNow(around: Surroundings): TestReport {
  const { definitions, approved, enforceable, live, gaps } = worldOf(around);
  const sources = [approved, enforceable, live].filter((source) => source !== undefined);
  return bounded(makeReport(definitions, sources, "live", gaps));
}

/** Who may connect to whom: as it is meant, or as it is enforced. */
export function reachNow({ isLive, ...around }: Surroundings & { readonly isLive: boolean }): ReachAnswer {
  const { approved, live } = worldOf(around);
  const { classes, connections, notes } = listSource(isLive ? looked(live) : approved);
  return bounded({ classes, connections: [...connections], notes });
}

/** Who is in which segment, or in the one that is asked about. */
export function segmentsNow({ name, ...around }: Surroundings & { readonly name: string | undefined }): SegmentsAnswer {
  return bounded(listSegments(worldOf(around), name));
}

/** What is enforced otherwise than it is meant. */
export function liveDiff(around: Surroundings): DiffAnswer {
  const { approved, enforceable, live } = worldOf(around);
  const diff = sourceDiff(enforceable ?? approved, looked(live));
  return bounded({ before: "definitions", after: "live", basis: "live", diff });
}

/** Two revisions, by their definitions, on the workloads of now. */
export interface AskedDiff {
  readonly before: Definitions;
  readonly after: Definitions;
  readonly inventories: ReadonlyMap<TargetId, ClusterInventory>;
  readonly now: number;
}

/** What changes from one revision to the other. */
export function diffOf({ before, after, inventories, now }: AskedDiff): DiffAnswer["diff"] {
  return bounded(revisionDiff(before, after, inventories, now));
}

/** Files of the definitions, and the folder of the repository that they are in. */
export interface AskedExplain extends Surroundings {
  readonly files: readonly SourceFile[];
  readonly folder: string;
  readonly asked: AskedConnection;
}

/** One connection, without who touched the lines last. */
export function explainNow({ files, folder, asked, ...around }: AskedExplain): ExplainAnswer {
  const patchPath = (path: string): string => posix.join(folder, path);
  return bounded(explainConnection(worldOf(around), { files, patchPath }, asked));
}

function worldOf({ definitions, saved, now, operator }: Surroundings): ConnectivityWorld {
  return { ...savedWorld(definitions, saved, now, operator), basis: "live" };
}

function looked(live: ConnectivityWorld["live"]): NonNullable<ConnectivityWorld["live"]> {
  if (live === undefined) throw new FirebreakError("INVENTORY_INCOMPLETE", "nothing of what is enforced was read yet");
  return live;
}

/** The service that asked keeps the answer and sends it on, so its size has a limit, too. */
function bounded<Answer>(answer: Answer): Answer {
  const mib = JSON.stringify(answer).length / 1024 / 1024;
  if (mib <= MAX_ANSWER_MIB) return answer;
  const advice = "save the workloads with `firebreak inventory` and ask about the file, with --inventory";
  throw new FirebreakError("LIMIT_EXCEEDED", `the answer has ${Math.ceil(mib)} MiB, the limit is ${MAX_ANSWER_MIB}; ${advice}`);
}
