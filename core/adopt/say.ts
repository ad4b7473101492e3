import { formatPrefix, toPrefixes } from "../address/index.ts";
import { formatPorts, intersectPorts, isEmptyPorts, isSubsetPorts, unionPorts } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import type { TargetId } from "../model/kinds.ts";
import { parseRulePort } from "../model/schema/ports.ts";
import type { PartyClass } from "../reach/classes.ts";
import type { Source } from "../reach/source.ts";
import type { Adoption, Said, Scope } from "../finding/adoption.ts";
import { differencePairs, isAmong, isPair, targetsOf, type ChangedPair, type PairDifference } from "./pairs.ts";

/** Rules that one pull request proposes at most, and names in one of them: more is a change that people write themselves. */
const MAX_RULES = 4;
const MAX_NAMES = 6;

/**
 * A live change in the words of rules: what opened and what closed at a target, between segments that exist or addresses that stand for
 * themselves.
 *
 * A name is only used when everything that it says in the scope of the change is so: a rule with it opens nothing there that is not
 * open, and the loss of one closes nothing that is not closed. Elsewhere a segment may hold more; whoever edits Git tells that.
 *
 * @param before everything as it should be at the target, everybody else as is; `after` the same with the change
 * @param names a source of the definitions: which segments there are
 */
export function sayDifference(before: Source, after: Source, names: Source, target: TargetId): Adoption {
  const difference = differencePairs(before, after, names);
  const [doubt] = difference.doubts;
  if (doubt !== undefined) return unsayable(`what is live cannot be told for certain: ${doubt}`);
  if (difference.changes.length === 0) return unsayable("no connection of a workload of today differs");
  const scope = scopeOf(difference, target);
  const parts: Said[][] = [];
  for (const side of ["opened", "closed"] as const) {
    const said = saySide(difference, side, scope);
    if ("why" in said) return unsayable(said.why);
    parts.push([...said.ok]);
  }
  const [opened = [], closed = []] = parts;
  if (opened.length + closed.length > MAX_RULES) return unsayable("it is more than a few rules can say");
  return { kind: "sayable", opened, closed, scopes: [scope] };
}

/** A host knows everybody by address; a cluster's objects know its own pods, and by address whoever they changed something for. */
function scopeOf({ changes }: PairDifference, target: TargetId): Scope {
  const initiators = new Set(changes.flatMap(({ from }) => targetsOf(from)));
  const responders = new Set(changes.flatMap(({ to }) => targetsOf(to)));
  const as = [initiators.has(target) ? ["initiator" as const] : [], responders.has(target) ? ["responder" as const] : []].flat();
  if (target.startsWith("host/")) return { target, as, peers: "all" };
  const others = [...new Set([...initiators, ...responders])].filter((other) => other !== undefined);
  return { target, as, peers: others.filter((other) => other !== target).sort() };
}

function unsayable(why: string): Adoption {
  return { kind: "unsayable", why };
}

type Side = "opened" | "closed";
type SaidSide = { readonly ok: readonly Said[] } | { readonly why: string };

function saySide(difference: PairDifference, side: Side, scope: Scope): SaidSide {
  const parts = difference.changes.filter((change) => !isEmptyPorts(change[side]));
  if (parts.length === 0) return { ok: [] };
  let why = "";
  for (const groups of groupings(parts, side)) {
    if (groups.length > MAX_RULES) continue;
    const said = groups.map((group) => sayGroup(difference, side, scope, group));
    const failed = said.find((one) => "why" in one);
    if (failed === undefined) return { ok: said.flatMap((one) => ("ok" in one ? [one.ok] : [])) };
    if (why === "") why = failed.why;
  }
  return { why: why === "" ? "it is more than a few rules can say" : why };
}

/** Initiators, responders and ports that one rule shall say. */
interface Group {
  readonly from: ReadonlySet<PartyClass>;
  readonly to: ReadonlySet<PartyClass>;
  readonly ports: PortSet;
}

/** Ways to cut the changed pairs into rules, the fewest rules first. */
function* groupings(parts: readonly ChangedPair[], side: Side): Generator<readonly Group[]> {
  yield [groupOf(parts, side)];
  const byPorts = [...Map.groupBy(parts, (change) => formatPorts(change[side])).values()];
  if (byPorts.length > 1) yield byPorts.map((group) => groupOf(group, side));
  yield byPorts.flatMap((group) => {
    const byResponder = [...Map.groupBy(group, ({ to }) => to).values()];
    const alike = Map.groupBy(byResponder, (list) => textOf(list.map(({ from }) => from.number)));
    return [...alike.values()].map((lists) => groupOf(lists.flat(), side));
  });
}

function groupOf(parts: readonly ChangedPair[], side: Side): Group {
  const [first, ...rest] = parts.map((change) => change[side]);
  return {
    from: new Set(parts.map(({ from }) => from)),
    to: new Set(parts.map(({ to }) => to)),
    ports: rest.reduce(unionPorts, first as PortSet), // a group is never empty
  };
}

function textOf(numbers: readonly number[]): string {
  return [...numbers].sort((a, b) => a - b).join();
}

function sayGroup(
  difference: PairDifference,
  side: Side,
  scope: Scope,
  group: Group,
): { readonly ok: Said } | { readonly why: string } {
  const ports = formatPorts(group.ports).split(", ");
  const odd = ports.find((port) => port !== "any" && !("ok" in parseRulePort(port)));
  if (odd !== undefined) return { why: `a rule cannot say ${odd}` };
  const agrees = agreement(difference, side, scope, group.ports);
  const from = cover(difference, group.from, (one) => [...group.to].every((to) => agrees(one, to)));
  if ("why" in from) return from;
  const to = cover(difference, group.to, (one) => [...group.from].every((other) => agrees(other, one)));
  if ("why" in to) return to;
  const clash = from.ok.classes
    .flatMap((one) => to.ok.classes.map((other) => [one, other] as const))
    .find((pair) => !agrees(...pair));
  if (clash !== undefined) return { why: `a rule from ${from.ok.names.join(", ")} to ${to.ok.names.join(", ")} would say more` };
  return { ok: { from: from.ok.names, to: to.ok.names, ports } };
}

/** True when live says of a pair what the rule would; it says nothing of pairs out of scope. */
function agreement({ after }: PairDifference, side: Side, scope: Scope, ports: PortSet) {
  return (from: PartyClass, to: PartyClass): boolean => {
    if (!isPair(from, to) || !isAmong([scope], from, to)) return true;
    const live = after(from, to);
    return side === "opened" ? isSubsetPorts(ports, live) : isEmptyPorts(intersectPorts(ports, live));
  };
}

interface Cover {
  readonly names: readonly string[];
  /** Everybody that the names say, who did not change included. */
  readonly classes: readonly PartyClass[];
}

/** The fewest names that say all of these classes, and of which all that they say agrees. */
function cover(
  { classes, namesOf }: PairDifference,
  wanted: ReadonlySet<PartyClass>,
  agrees: (one: PartyClass) => boolean,
): { readonly ok: Cover } | { readonly why: string } {
  const named = [...new Set([...wanted].flatMap(namesOf))]
    .map((name) => ({ name, members: classes.filter((one) => namesOf(one).includes(name)) }))
    .filter(({ members }) => members.every(agrees));
  const left = new Set(wanted);
  const chosen: { readonly name: string; readonly members: readonly PartyClass[] }[] = [];
  while (left.size > 0) {
    const [best] = named
      .map((one) => ({ ...one, covers: one.members.filter((member) => left.has(member)).length }))
      .filter(({ covers }) => covers > 0)
      .sort((a, b) => b.covers - a.covers || weight(a.members) - weight(b.members) || (a.name < b.name ? -1 : 1));
    if (best === undefined) break;
    chosen.push(best);
    for (const member of best.members) left.delete(member);
  }
  const addresses = addressNames([...left]);
  if ("why" in addresses) return addresses;
  const names = [...chosen.map(({ name }) => name), ...addresses.ok];
  if (names.length > MAX_NAMES) return { why: "more segments than one rule should name" };
  return { ok: { names, classes: [...chosen.flatMap(({ members }) => members), ...left] } };
}

function weight(classes: readonly PartyClass[]): number {
  return classes.reduce((sum, { workloads }) => sum + Math.max(1, workloads.length), 0);
}

/** Addresses that no segment holds stand for themselves; workloads cannot. */
function addressNames(left: readonly PartyClass[]): { readonly ok: readonly string[] } | { readonly why: string } {
  const workload = left.find(({ kind }) => kind === "workloads");
  if (workload !== undefined) {
    return { why: `no segment says ${workload.workloads[0]?.name ?? "these workloads"} without saying more` };
  }
  const blocks = left.flatMap(({ addresses }) => toPrefixes(addresses).map(formatPrefix));
  if (blocks.length > MAX_NAMES) return { why: "the addresses are those of half the world, and no segment says them" };
  return { ok: blocks };
}
