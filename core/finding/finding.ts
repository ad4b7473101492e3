import type { Adoption } from "./adoption.ts";
import type { TargetId } from "../model/kinds.ts";
import type { Position } from "../model/note.ts";

/** Every way in which live and wanted can part, and every standing condition people must know. */
export const FINDING_KINDS = [
  "modified",
  "deleted",
  "foreign",
  "ruleset-changed",
  "table-missing",
  "dormant",
  "foreign-nat",
  "foreign-chain",
  "next-start",
  "unpublished-element",
  "unreachable",
  "not-comparable",
  "forbidden",
  "ahead-of-log",
  "not-understood",
  "late",
  "revision-refused",
  "log-away",
  "orphaned",
  "unenforceable-here",
  "host-is-a-node",
  "left-isolation",
  "sealed-entered",
  "would-un-isolate",
  "conflict",
  "not-enforcing",
  "heal-fight",
  "address-clash",
  "boundary-address",
  "not-believed",
  "guardrail-violated",
] as const;

export type FindingKind = (typeof FINDING_KINDS)[number];

/** From the effect: widened > not enforcing > narrowed > equivalent. */
export type Severity = "critical" | "high" | "medium" | "low" | "info";

/** What a divergence does to connections, in words that people read; empty lists mean none. */
export interface FindingEffect {
  readonly verdict: "opens" | "closes" | "both" | "equivalent" | "uncertain";
  /** e.g. `any → shop/cust-record: any port (3 workloads)`; at most 20 lines, the last one saying how many more. */
  readonly opened: readonly string[];
  readonly closed: readonly string[];
  /** What passes on between those for which something closed; absent: nothing does, or nobody asked. */
  readonly stays?: readonly string[];
  /** All lines with all names, where the lists above leave some out; absent: they are whole. */
  readonly full?: FullEffect;
}

/** An effect that is told in full, within a bound. */
export interface FullEffect {
  readonly opened: readonly string[];
  readonly closed: readonly string[];
  readonly stays: readonly string[];
  /** How many lines are beyond the bound. */
  readonly more: { readonly opened: number; readonly closed: number; readonly stays: number };
}

/** One divergence on one target, as seen in one comparison; the store adds first and last seen. */
export interface Finding {
  /** Stable for ever for the same thing on the same target: sha256(kind, target, subject), hex, 16 characters. */
  readonly fingerprint: string;
  readonly kind: FindingKind;
  readonly target: TargetId;
  /** What it is about: `networkpolicy shop/fb-cust-record`, `table inet firebreak`, `chain input`. Never secret, never markup. */
  readonly subject: string;
  readonly severity: Severity;
  /** One line. */
  readonly summary: string;
  readonly effect: FindingEffect;
  /** Who wrote it, where known: a managedFields manager. */
  readonly who: string | undefined;
  /** Line of the definition it concerns, where there is one. */
  readonly at: Position | undefined;
  /** True when an apply of the wanted state removes it. */
  readonly healable: boolean;
  /** True when it makes more reachable than the definitions say; such a divergence of our own objects is always healed. */
  readonly widens: boolean;
  /** True when it concerns an object that is not ours. */
  readonly foreign: boolean;
  /** How Git could say it, where the target's responses list `propose`; absent: not asked for, or nothing that Git could say. */
  readonly adoption?: Adoption | undefined;
}

/** No effect on connections. */
export const NO_EFFECT: FindingEffect = { verdict: "equivalent", opened: [], closed: [] };
