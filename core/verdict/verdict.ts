import type { Direction } from "../model/kinds.ts";

/** Why one end allows or denies. */
export interface Why {
  readonly direction: Direction;
  readonly allowed: boolean;
  /**
   * self: own address · own-node: nothing may stop it · not-isolated · rule: a rule allows it · denied: a cluster-wide rule denies it
   * · isolated: no rule allows it · no-subject: no pod
   */
  readonly reason: "self" | "own-node" | "not-isolated" | "rule" | "denied" | "isolated" | "no-subject" | "no-shared-family";
  /** `namespace/name` of the policy that allows, or of those that isolate. */
  readonly policies: readonly string[];
  /** One sentence for people. */
  readonly text: string;
}

/** The answer for one connection. `uncertain` lists what the enforcer leaves undefined or the engine did not understand. */
export interface Verdict {
  readonly ingress: boolean;
  readonly egress: boolean;
  /** Both ends allow it in one family that both ends have. */
  readonly allowed: boolean;
  readonly why: readonly Why[];
  readonly uncertain: readonly string[];
}
