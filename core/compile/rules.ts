import { compareText } from "../membership/order.ts";
import type { Definitions, Direction, PortRange, Ports, Rule } from "../model/kinds.ts";

/** Every rule of every policy, by policy name, then by its place in the policy: the same order whatever the input order. */
export function listRules(definitions: Definitions): readonly Rule[] {
  const policies = [...definitions.policies.values()].sort((a, b) => compareText(a.name, b.name));
  return policies.flatMap((policy) => policy.rules);
}

/** The segments a rule is enforced at in this direction: responders for ingress, initiators for egress. */
export function subjectEnds(rule: Rule, direction: Direction): readonly string[] {
  return direction === "ingress" ? rule.to : rule.from;
}

/** The segments at the other end. */
export function peerEnds(rule: Rule, direction: Direction): readonly string[] {
  return direction === "ingress" ? rule.from : rule.to;
}

/** Port ranges sorted (tcp first), overlapping and touching ones merged: one text for one meaning. */
export function normalisePorts(ports: Ports): Ports {
  if (ports === "any") return "any";
  const sorted = [...ports].sort((a, b) => compareText(a.protocol, b.protocol) || a.from - b.from);
  const merged: PortRange[] = [];
  for (const range of sorted) {
    const last = merged.at(-1);
    if (last === undefined || last.protocol !== range.protocol || range.from > last.to + 1) merged.push(range);
    else merged[merged.length - 1] = { ...last, to: Math.max(last.to, range.to) };
  }
  return merged;
}
