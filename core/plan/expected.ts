import { compileTarget, type OperatorInputs, type TargetInputs } from "../compile/inputs.ts";
import type { Want } from "../compile/want.ts";
import type { Definitions } from "../model/kinds.ts";
import type { Target } from "../model/target.ts";
import { wantDigest } from "../render/digest.ts";

/** What a target shall enforce with these inputs; data only, so that another process may compile it. */
export interface WantQuestion {
  /** With the orphans of the inputs as members. It never changes, so that it need not travel with each question. */
  readonly kept: { readonly definitions: Definitions };
  readonly target: Target;
  readonly inputs: TargetInputs;
  readonly operator: OperatorInputs;
}

/** Compiles it, and the digest of its mark. */
export function wantAt({ kept, target, inputs, operator }: WantQuestion): { readonly want: Want; readonly digest: string } {
  const { want } = compileTarget(kept.definitions, target, inputs, operator);
  return { want, digest: wantDigest(want) };
}
