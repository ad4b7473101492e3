import type { TargetRow } from "../adapters/store/index.ts";
import { decodeInputs, type EncodedInputs, type TargetInputs } from "../core/compile/inputs.ts";
import type { Want } from "../core/compile/want.ts";
import { FirebreakError } from "../core/ground/error.ts";
import type { Orphan } from "../core/membership/orphans.ts";
import type { Definitions, TargetId } from "../core/model/kinds.ts";
import { findTarget, type Target } from "../core/model/target.ts";
import { wantAt, type WantQuestion } from "../core/plan/expected.ts";
import type { Mark } from "../core/render/mark.ts";
import { acceptedRevision, type RevisionParts } from "./accepted-revision.ts";
import type { DefinitionSource } from "./definitions.ts";
import { withOrphans } from "./orphans.ts";
import type { Parts } from "./parts.ts";
import { isSmall } from "./workers/small.ts";
import { valueOf } from "./workers/value.ts";

/** What rendering an expectation takes. */
export type ExpectationParts = Pick<Parts, "operator" | "instance" | "signal" | "workers"> &
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
  return await expectationAsStored(context, row.id, row.appliedSequence, row.appliedInputs);
}

/**
 * The expectation of the apply that has not told how it ended; undefined without one. Until it has, what is live may be what was
 * applied before, this, or a step between them: only what is none of these is somebody else's doing.
 */
export async function intendedOf(context: ExpectationParts, row: TargetRow): Promise<Expectation | undefined> {
  return row.intent === null ? undefined : await expectationAsStored(context, row.id, row.intent.sequence, row.intent.inputs);
}

/** The expectations of a target, and what each was made from: looking again for the same reasons compiles nothing. */
type Made = readonly { readonly definitions: Definitions; readonly inputs: string; readonly expectation: Expectation }[];

const lastMade = new WeakMap<DefinitionSource, Map<TargetId, Made>>();

/** A target has two at most, and more never help. */
const KEPT = 2;

async function expectationAsStored(
  context: ExpectationParts,
  id: TargetId,
  sequence: number,
  encoded: unknown,
): Promise<Expectation> {
  const inputs = JSON.stringify([sequence, encoded]);
  const { orphans } = encoded as EncodedInputs;
  const found = await namedAt(context, id, sequence, orphans);
  const made = lastMade.get(context.definitions) ?? new Map<TargetId, Made>();
  lastMade.set(context.definitions, made);
  const known = made.get(id) ?? [];
  const same = known.find((one) => one.definitions === found.definitions && one.inputs === inputs);
  if (same !== undefined) return same.expectation;
  const expectation = await compiled(context, found, decode(encoded));
  made.set(id, [{ definitions: found.definitions, inputs, expectation }, ...known].slice(0, KEPT));
  return expectation;
}

/** The expectation for a target under a revision, with these inputs. @throws FirebreakError NOT_FOUND when it does not name the target */
export async function expectationAt(
  context: ExpectationParts,
  id: TargetId,
  sequence: number,
  inputs: TargetInputs,
): Promise<Expectation> {
  return await compiled(context, await namedAt(context, id, sequence, inputs.orphans), inputs);
}

/** A target as a revision names it. */
interface Named {
  readonly target: Target;
  readonly sequence: number;
  readonly commit: string;
  readonly plain: Definitions;
  /** With the orphans as members. */
  readonly definitions: Definitions;
}

async function namedAt(context: ExpectationParts, id: TargetId, sequence: number, orphans: readonly Orphan[]): Promise<Named> {
  const applied = await acceptedRevision(context, sequence);
  if (applied === undefined) throw new FirebreakError("NOT_FOUND", `revision ${sequence} of ${id} is not in the store`);
  const plain = await context.definitions.accepted(applied.commit, context.signal);
  const target = findTarget(plain, id);
  if (target === undefined) throw new FirebreakError("NOT_FOUND", `revision ${applied.sequence} does not name ${id}`);
  const definitions = await withOrphans(context, plain, orphans);
  return { target, sequence: applied.sequence, commit: applied.commit, plain, definitions };
}

async function compiled(context: ExpectationParts, named: Named, inputs: TargetInputs): Promise<Expectation> {
  const { target, sequence, commit, plain, definitions } = named;
  const { operator, instance, workers, signal } = context;
  const asked: WantQuestion = { kept: { definitions }, target, inputs, operator };
  const isLittle = isSmall(definitions) && isSmall(inputs);
  const { want, digest } = isLittle
    ? wantAt(asked)
    : valueOf(
        await workers.run("expected", asked, { lane: "looks", signal }),
        `compile what revision ${sequence} means for ${target.id}`,
      );
  return { target, definitions: plain, commit, want, mark: { instance, sequence, digest } };
}

/** The cast: the columns are only ever written from encodeInputs. */
function decode(encoded: unknown): TargetInputs {
  return decodeInputs(encoded as EncodedInputs);
}
