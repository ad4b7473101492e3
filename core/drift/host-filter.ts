import { isRecord } from "../render/nft-table.ts";
import { NO_EFFECT } from "../finding/finding.ts";
import type { FindingEffect } from "../finding/finding.ts";
import { UNCERTAIN } from "./host-effect.ts";
import type { HostJudge, Judged } from "./host-effect.ts";
import type { ForeignChain } from "./foreign-chain.ts";
import { untrackedEffect } from "./host-tracking.ts";

/** A base chain of somebody else that filters, with the expressions of every rule that it may reach. */
export interface FilterChain {
  readonly chain: ForeignChain;
  readonly rules: readonly (readonly unknown[])[];
  /** As it is told to people. */
  readonly subject: string;
}

/**
 * What a foreign filter chain does to what ours lets through.
 *
 * @param joined our table with the chain hooked in beside ours
 */
export function filterEffect(
  { chain, rules, subject }: FilterChain,
  judge: HostJudge,
  joined: () => readonly unknown[],
): { readonly summary: string; readonly effect: FindingEffect | Judged } {
  const uses = (...statements: readonly string[]): boolean =>
    rules.some((expr) => expr.some((part) => isRecord(part) && statements.some((name) => name in part)));
  const extensions = xtOf(rules);
  const isBlind = extensions.some(({ name }) => !PASSIVE_XT.has(name));
  const drops = chain.policy === "drop" || uses("drop", "reject") || extensions.some(({ name }) => DROPPING_XT.has(name));
  if (uses("mangle", "fwd", "dup", "tproxy", "queue", "synproxy") || extensions.some(rewrites)) {
    return { summary: `${subject} rewrites or diverts packets`, effect: UNCERTAIN };
  }
  if (uses("ct helper", "ct timeout", "ct expectation") || extensions.some(({ name }) => TRACKING_XT.has(name))) {
    const summary = `${subject} changes what connection tracking knows: answers may be dropped, or let in as related`;
    return { summary, effect: UNCERTAIN };
  }
  if (drops && isBlind)
    return { summary: `${subject} drops or rejects packets, by matches that nft cannot list`, effect: UNCERTAIN };
  const untracked = rules.filter((expr) => expr.some((part) => isRecord(part) && "notrack" in part));
  if (drops && untracked.length > 0) {
    return { summary: `${subject} drops packets, and keeps others from being tracked`, effect: UNCERTAIN };
  }
  if (drops) {
    const isFollowed = (chain.hook === "input" || chain.hook === "output") && ["ip", "ip6", "inet"].includes(chain.family);
    return { summary: `${subject} drops packets`, effect: isFollowed ? judge.effectOf(joined()) : UNCERTAIN };
  }
  if (untracked.length > 0) {
    // Rules before or around them decide what reaches them: then they are no longer read exactly.
    const isAlone = [rules.length, chain.rules.length].every((count) => count === untracked.length);
    const effect = untrackedEffect(isAlone ? untracked : [[]], chain.hook, judge);
    return { summary: `${subject} keeps packets from being tracked, so that their answers are not known as such`, effect };
  }
  return { summary: `${subject} has rules of somebody else, none of which drops`, effect: NO_EFFECT };
}

/** Extensions of iptables, which nft lists by name only, that decide nothing. */
const PASSIVE_XT: ReadonlySet<string> = new Set(["comment", "LOG", "NFLOG", "ULOG", "TRACE", "AUDIT"]);
/** Those that end a packet. */
const DROPPING_XT: ReadonlySet<string> = new Set(["REJECT", "DROP", "TARPIT", "STEAL"]);
/** Those that change what connection tracking knows (`-j CT --notrack` among them). */
const TRACKING_XT: ReadonlySet<string> = new Set(["CT", "NOTRACK"]);

interface Extension {
  readonly type: string;
  readonly name: string;
}

/** A target that is none of the above may do anything. */
function rewrites({ type, name }: Extension): boolean {
  return type === "target" && !PASSIVE_XT.has(name) && !DROPPING_XT.has(name) && !TRACKING_XT.has(name);
}

function xtOf(rules: readonly (readonly unknown[])[]): readonly Extension[] {
  return rules.flatMap((expr) =>
    expr.flatMap((part): Extension[] => {
      const xt = isRecord(part) ? part["xt"] : undefined;
      if (xt === undefined) return [];
      return [isRecord(xt) ? { type: String(xt["type"]), name: String(xt["name"]) } : { type: "target", name: "?" }];
    }),
  );
}
