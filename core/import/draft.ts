import type { AddressSet } from "../address/index.ts";
import type { Group } from "./group.ts";

/** Who stands at one end of a rule. */
export type DraftEnd =
  | { readonly kind: "any" }
  /** Every address, but no pod by its identity: what a rule may say beside pods that have rules of their own. */
  | { readonly kind: "everything" }
  | { readonly kind: "pods"; readonly group: Group; readonly not: readonly Group[] }
  | { readonly kind: "addresses"; readonly set: AddressSet };

/** One connection that is allowed. Ports as in a definition. */
export interface DraftRule {
  readonly from: DraftEnd;
  readonly to: DraftEnd;
  readonly ports: readonly string[];
}

/** The rules of one NetworkPolicy. */
export interface DraftPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly owner: string | undefined;
  readonly reason: string | undefined;
  readonly rules: readonly DraftRule[];
}

/** Pods that are isolated, and in which directions. */
export interface DraftSubject {
  readonly group: Group;
  readonly ingress: boolean;
  readonly egress: boolean;
}

/** What the policies of a cluster mean, before names are given. */
export interface Draft {
  readonly subjects: readonly DraftSubject[];
  readonly policies: readonly DraftPolicy[];
  /** What the model cannot say, each a sentence that names the object. */
  readonly leftOut: readonly string[];
}
