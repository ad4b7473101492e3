import type { TargetRow } from "../adapters/store/index.ts";
import { compileTarget, decodeInputs, type EncodedInputs, type TargetInputs } from "../core/compile/inputs.ts";
import type { Want } from "../core/compile/want.ts";
import { FirebreakError } from "../core/ground/error.ts";
import type { Definitions, TargetId } from "../core/model/kinds.ts";
import { findTarget, type Target } from "../core/model/target.ts";
import { wantDigest } from "../core/render/digest.ts";
import type { Mark } from "../core/render/mark.ts";
import { acceptedRevision, type RevisionParts } from "./accepted-revision.ts";
import type { DefinitionSource } from "./definitions.ts";
import { withOrphans } from "./orphans.ts";
import type { Parts } from "./parts.ts";

/** What rendering an expectation takes. */
export type ExpectationParts = Pick<Parts, "operator" | "instance" | "signal"> &
  RevisionParts & {
    readonly definitions: DefinitionSource;
  };

/** What should be live on a target: rendered from Git at the pointer, never from a copy of what was sent. */
export interface Expectation {
  readonly target: Target;
  readonly definitions: Definitions;
  readonly commit: string;
  readonly want: Want;
  readonly mark: Mark;
}

/**
 * The expectation for a target that was applied once; undefined for one that never was.
 *
 * While an intent is open (a run ended in the middle) the expectation is still the last one that was read back.
 */
export async function expectationOf(context: ExpectationParts, row: TargetRow): Promise<Expectation | undefined> {
  if (row.appliedSequence === null || row.appliedInputs === null) return undefined;
  return await expectationAt(context, row.id, row.appliedSequence, decode(row.appliedInputs));
}

/**
 * The expectation of the apply that has not told how it ended; undefined without one. Until it has, what is live may be what was
 * applied before, this, or a step between them: only what is none of these is somebody else's doing.
 */
export async function intendedOf(context: ExpectationParts, row: TargetRow): Promise<Expectation | undefined> {
  return row.intent === null ? undefined : await expectationAt(context, row.id, row.intent.sequence, decode(row.intent.inputs));
}

/** The expectation for a target under a revision, with these inputs. @throws FirebreakError NOT_FOUND when it does not name the target */
export async function expectationAt(
  context: ExpectationParts,
  id: TargetId,
  sequence: number,
  inputs: TargetInputs,
): Promise<Expectation> {
  const applied = await acceptedRevision(context, sequence);
  if (applied === undefined) throw new FirebreakError("NOT_FOUND", `revision ${sequence} of ${id} is not in the store`);
  const definitions = await context.definitions.accepted(applied.commit, context.signal);
  const target = findTarget(definitions, id);
  if (target === undefined) throw new FirebreakError("NOT_FOUND", `revision ${applied.sequence} does not name ${id}`);
  const { want } = compileTarget(await withOrphans(context, definitions, inputs.orphans), target, inputs, context.operator);
  const mark = { instance: context.instance, sequence: applied.sequence, digest: wantDigest(want) };
  return { target, definitions, commit: applied.commit, want, mark };
}

/** The cast: the columns are only ever written from encodeInputs. */
function decode(encoded: unknown): TargetInputs {
  return decodeInputs(encoded as EncodedInputs);
}
