import type { AddressSet } from "../address/index.ts";
import type { PortSet } from "../address/ports.ts";
import type { NamedPort } from "./compile-ports.ts";
import type { LabelSelector } from "../selector/index.ts";

/** A pod peer; `own` is the policy's own namespace (no namespaceSelector given). */
export interface PeerSelector {
  readonly namespaces: LabelSelector | "own";
  readonly pods: LabelSelector;
  /** True when the peer has no podSelector or an empty one. */
  readonly isEveryPod: boolean;
}

/** What a rule does with what it matches; NetworkPolicy only accepts. Pass hands it to the next tier. */
export type RuleAction = "accept" | "deny" | "pass";

/** Where a cluster-wide policy stands: above NetworkPolicy or below it; a lower priority is asked first. */
export interface TierPlace {
  readonly level: "admin" | "baseline";
  readonly priority: number;
  /** Namespaces whose pods are its subjects. */
  readonly namespaces: LabelSelector;
}

/** One `ingress` or `egress` entry, ready to evaluate. */
export interface CompiledRule {
  /** Index in the policy's list, from 0. */
  readonly index: number;
  readonly action: RuleAction;
  readonly peers: "any" | { readonly selectors: readonly PeerSelector[]; readonly addresses: AddressSet };
  /** Ports that do not depend on the destination. */
  readonly ports: PortSet;
  /** Ports that each destination pod resolves by name. */
  readonly namedPorts: readonly NamedPort[];
}

/**
 * A policy as the API means it, defaults applied. A direction is null when the policy says nothing about it: a NetworkPolicy does
 * not isolate it, a cluster-wide one has no rules.
 */
export interface CompiledPolicy {
  readonly kind: string;
  /** Empty for a cluster-wide policy. */
  readonly namespace: string;
  readonly name: string;
  /** Undefined for a NetworkPolicy, whose rules isolate and only add up. */
  readonly tier: TierPlace | undefined;
  readonly subjects: LabelSelector;
  readonly ingress: readonly CompiledRule[] | null;
  readonly egress: readonly CompiledRule[] | null;
  /** What was not understood; that part allows nothing, and answers that rest on the policy are uncertain. */
  readonly problems: readonly string[];
}
