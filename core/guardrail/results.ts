import type { Guardrail, GuardrailRule, PolicyTest, TargetId } from "../model/kinds.ts";
import type { Position } from "../model/note.ts";
import type { Source } from "../reach/source.ts";
import type { Hop } from "./witness.ts";

/** passed: by every reading · violated: by every reading · uncertain: nobody can say, and why is told. */
export type Outcome = "passed" | "violated" | "uncertain";

/** What is wrong with one class of responders; plain data. */
export interface Violation {
  /** The target that enforces at the responders; else the initiators' one; null where neither is managed. */
  readonly target: TargetId | null;
  readonly from: string;
  readonly to: string;
  /** Workloads that reach and that are reached; 0: addresses. */
  readonly counts: { readonly from: number; readonly to: number };
  /** never: reachable and forbidden · always: wanted and closed. */
  readonly ports: string;
  /** never: closed once the ends that observe enforce. */
  readonly notYetEnforced: boolean;
  /** Wider than in the revision before; false when there was no comparison. */
  readonly added: boolean;
  /** From initiator to responder, through intermediates for `reaches`. */
  readonly witness: readonly Hop[];
}

/** A claim checked against one source. */
export interface ClaimResult {
  readonly outcome: Outcome;
  readonly on: Source["kind"];
  /** Of violations that are certain; of an uncertain claim what may be one. */
  readonly violations: readonly Violation[];
  /** Why it is uncertain, each a sentence; for a claim that passed or is violated, empty. */
  readonly why: readonly string[];
}

/** One rule of a guardrail, checked. */
export interface GuardrailResult extends ClaimResult {
  /** `GUARDRAIL/never/INDEX`. */
  readonly id: GuardrailRule["id"];
  readonly guardrail: string;
  readonly kind: GuardrailRule["kind"];
  readonly severity: Guardrail["severity"];
  /** `never internet → cardholder: any`. */
  readonly claim: string;
  readonly reason: string | null;
  readonly at: Position;
}

/** One test of a policy, checked. */
export interface TestResult extends ClaimResult {
  /** `POLICY/tests/INDEX`. */
  readonly id: string;
  readonly policy: string;
  readonly expect: PolicyTest["expect"];
  /** `order-input → cust-record: 8443/tcp is allowed`. */
  readonly claim: string;
  readonly at: Position;
}
