import type { TargetRow } from "../../adapters/store/index.ts";
import type { LoggedApply } from "../../adapters/trail/file-trail.ts";
import type { TargetInputs } from "../../core/compile/inputs.ts";
import type { Want } from "../../core/compile/want.ts";
import { relevantMemberships } from "../../core/membership/parts.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { membersDigest, wantDigest } from "../../core/render/digest.ts";
import type { States } from "../compare.ts";
import { expectationAt, expectationOf, intendedOf, type Expectation } from "../expected.ts";
import { liveMarks } from "../live-mark.ts";
import type { SyncerContext } from "./context.ts";
import type { Planned } from "./planning.ts";
import { believedMarks } from "./seals.ts";

/** How Firebreak left a target: what differs from it now is somebody else's doing. */
export type Left =
  /** In one of these states. */
  | { readonly kind: "known"; readonly states: States }
  /** Not exactly known; `why` ends a sentence. */
  | { readonly kind: "not known"; readonly why: string }
  /** It was never written, or by revisions that are lost: then the log has the gap, and nothing can be said. */
  | { readonly kind: "nothing" };

/**
 * How Firebreak left the target of a plan, by the store; by the log where the store is behind it: it was lost, or is an older one.
 *
 * The log says which revision was read back there, and how it looked. What that rests on besides Git is not in the log; with what is known
 * now it is rendered again, and the mark on the target tells whether that is the same.
 */
export async function howLeft(context: SyncerContext, planned: Planned, row: TargetRow): Promise<Left> {
  const logged = await context.lastApply(row.id);
  const inLog = logged.applied?.revision ?? 0;
  const inStore = row.appliedSequence ?? 0;
  // Of a backup that was restored: any other number above what was written there was raised by somebody, and excuses nothing.
  const isLost = (sequence: number): boolean => context.gaps.explains(row.id, sequence) && sequence !== row.intent?.sequence;
  if (believedMarks(context, row.id, planned.observation, Math.max(inStore, inLog)).some(({ sequence }) => isLost(sequence)))
    return { kind: "nothing" };
  if (inLog > inStore) return await leftByLog(context, planned, row, logged);
  const applied = await expectationOf(context, row);
  return applied === undefined ? { kind: "nothing" } : await withIntent(context, row, [applied]);
}

async function withIntent(context: SyncerContext, row: TargetRow, states: States): Promise<Left> {
  const intended = await intendedOf(context, row);
  return { kind: "known", states: intended === undefined ? states : [...states, intended] };
}

async function leftByLog(context: SyncerContext, planned: Planned, row: TargetRow, { applied, begun }: LoggedApply): Promise<Left> {
  const revision = applied?.revision ?? 0;
  const [now, then] = [planned.inputs, asSaved(context, planned)];
  let first: Expectation;
  const more: Expectation[] = [];
  try {
    first = await expectationAt(context, row.id, revision, then);
    const second = await expectationAt(context, row.id, revision, now);
    if (!isSame(first.want, second.want)) more.push(second);
    if (begun?.revision !== undefined) more.push(await expectationAt(context, row.id, begun.revision, now));
  } catch (error) {
    if (context.signal.aborted || !(error instanceof FirebreakError)) throw error;
    return { kind: "not known", why: `what revision ${revision} put there cannot be made again: ${error.message}` };
  }
  const marks = liveMarks(planned.observation, context.instance).filter(({ sequence }) => sequence === revision);
  const rendered = [first, ...more].map(({ mark }) => mark.digest);
  if (begun === undefined && marks.some(({ digest }) => !rendered.includes(digest))) {
    return planned.plan.observationDigest === applied?.stateAfter
      ? { kind: "nothing" }
      : { kind: "not known", why: `it is not as revision ${revision} left it, and the store that could say why is lost` };
  }
  return await withIntent(context, row, [first, ...more]);
}

function isSame(one: Want, other: Want): boolean {
  return wantDigest(one) === wantDigest(other) && membersDigest(one) === membersDigest(other);
}

/** The inputs of a plan, with the memberships that the file of the state folder had at the start: those that were live then. */
function asSaved({ savedMemberships }: SyncerContext, { inputs, resolved }: Planned): TargetInputs {
  return { ...inputs, memberships: relevantMemberships(resolved.definitions, resolved.target, savedMemberships) };
}
