import type { Definitions, Policy } from "./kinds.ts";
import { compareNotes } from "./note.ts";
import type { Note } from "./note.ts";

/** From this long before a policy's last moment on, it is told. */
const NOTICE_MS = 14 * 24 * 60 * 60 * 1000;

/** Definitions as they hold at one moment, and what is to be told about their expiry. */
export interface DefinitionsAt {
  readonly definitions: Definitions;
  readonly notes: readonly Note[];
  /** The next moment (ms since the epoch) at which another policy closes; undefined when none will. */
  readonly nextExpiry: number | undefined;
}

/**
 * The definitions at `nowMs` (ms since the epoch): a policy whose `expires` has come keeps its place and loses its rules, and the
 * tests that expect something to be allowed. The same definitions come back when nothing has expired.
 */
export function definitionsAt(definitions: Definitions, nowMs: number): DefinitionsAt {
  const expiring = [...definitions.policies.values()].filter((policy) => policy.expires !== undefined);
  const over = expiring.filter((policy) => hasExpired(policy, nowMs));
  const left = expiring.flatMap(({ expires }) => (expires === undefined || expires <= nowMs ? [] : [expires]));
  const nextExpiry = left.length === 0 ? undefined : left.reduce((a, b) => Math.min(a, b));
  const notes = expiring.flatMap((policy) => expiryNote(policy, nowMs)).sort(compareNotes);
  if (over.length === 0) return { definitions, notes, nextExpiry };
  const policies = new Map(
    [...definitions.policies].map(([name, policy]) => [name, hasExpired(policy, nowMs) ? closed(policy) : policy]),
  );
  return { definitions: { ...definitions, policies }, notes, nextExpiry };
}

function hasExpired({ expires }: Policy, nowMs: number): boolean {
  return expires !== undefined && expires <= nowMs;
}

function closed(policy: Policy): Policy {
  return { ...policy, rules: [], tests: policy.tests.filter(({ expect }) => expect === "denied") };
}

function expiryNote(policy: Policy, nowMs: number): readonly Note[] {
  const { name, expires, at } = policy;
  if (expires === undefined || expires > nowMs + NOTICE_MS) return [];
  if (expires <= nowMs) {
    const summary = `the policy ${JSON.stringify(name)} expired on ${formatMoment(expires)}: its rules are closed`;
    return [{ severity: "warning", code: "expired", at, summary, detail: "Remove it, or set a later date by a commit" }];
  }
  const summary = `the policy ${JSON.stringify(name)} expires on ${formatMoment(expires)}: its rules close then`;
  return [{ severity: "warning", code: "expires-soon", at, summary, detail: "Set a later date by a commit if it is still needed" }];
}

/** A day when it is 00:00 UTC, else the moment to the second, in UTC. */
function formatMoment(ms: number): string {
  const text = new Date(ms).toISOString();
  return text.endsWith("T00:00:00.000Z") ? text.slice(0, 10) : `${text.slice(0, 19)}Z`;
}
