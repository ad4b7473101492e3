import { fromPrefixes } from "../address/index.ts";
import type { HostAllow, HostWant } from "../compile/want.ts";
import { FirebreakError } from "../model/error.ts";
import { elementText, intervalElements } from "../render/nft-elements.ts";
import { EGRESS, INGRESS, originName } from "../render/nft-names.ts";
import type { Side } from "../render/nft-names.ts";
import { portElements } from "../render/nft-ports.ts";
import { isRecord, readTable } from "../render/nft-table.ts";
import type { ListedRule, ListedTable } from "../render/nft-table.ts";
import type { NftRuleset } from "../render/nft-types.ts";

/**
 * Checks a rendered ruleset before anybody may send it: the lifeline is open ahead of anything that could drop, no set that a rule
 * looks into is empty, and only allows whose peers are "any" accept without looking at the peer.
 *
 * Reads the rules, not the renderer's intentions. Throws PLAN_INVARIANT_BROKEN.
 */
export function verifyRuleset(want: HostWant, ruleset: NftRuleset): void {
  const table = readTable(ruleset);
  if (table === undefined) throw broken("it has no table");
  if (table.generation === undefined || table.mark === undefined) throw broken("it has no fence or no mark");
  verifyLifeline(want, table);
  verifySets(table);
  verifyPeers(INGRESS, want.ingress.allows, table);
  verifyPeers(EGRESS, want.egress.allows, table);
}

function verifyLifeline(want: HostWant, table: ListedTable): void {
  const input = table.chains.get(INGRESS.hook);
  if (input === undefined) return;
  const firstDrop = input.rules.findIndex((rule) => rule.expr.some((statement) => isRecord(statement) && "drop" in statement));
  const sure = firstDrop < 0 ? input.rules : input.rules.slice(0, firstDrop);
  const from = fromPrefixes(want.lifeline.from);
  for (const family of [4, 6] as const) {
    const addresses = intervalElements(from, family).map(elementText).sort();
    for (const protocol of ["tcp", "udp"] as const) {
      const ports = portElements(want.lifeline.ports, protocol).map(elementText).sort();
      if (addresses.length === 0 || ports.length === 0) continue;
      const opens = sure.some((rule) => {
        const way = readWay(rule, table);
        return (
          way?.family === family && way.protocol === protocol && equalTexts(way.peers, addresses) && equalTexts(way.ports, ports)
        );
      });
      if (!opens) throw broken(`the lifeline over IPv${family} and ${protocol} is not open`);
    }
  }
}

/** A rule that accepts a peer set on ports and does nothing else; undefined for every other rule. */
function readWay({ expr }: ListedRule, table: ListedTable) {
  const [peer, port, verdict, ...more] = expr;
  if (more.length > 0 || !isRecord(verdict) || !("accept" in verdict)) return undefined;
  const from = fieldMatch(peer);
  const to = fieldMatch(port);
  if (from === undefined || to === undefined || from.field !== "saddr" || to.field !== "dport") return undefined;
  if (typeof from.right !== "string" || !from.right.startsWith("@")) return undefined;
  const ports = isRecord(to.right) && Array.isArray(to.right["set"]) ? to.right["set"] : [to.right];
  return {
    family: from.protocol === "ip6" ? 6 : 4,
    protocol: to.protocol,
    peers: (table.sets.get(from.right.slice(1))?.elem ?? []).map(elementText).sort(),
    ports: ports.map(elementText).sort(),
  };
}

function fieldMatch(statement: unknown) {
  if (!isRecord(statement) || !isRecord(statement["match"])) return undefined;
  const { op, left, right } = statement["match"];
  if (op !== "==" || !isRecord(left) || !isRecord(left["payload"])) return undefined;
  const { protocol, field } = left["payload"];
  return { protocol, field, right };
}

function verifySets(table: ListedTable): void {
  for (const [name, { elem }] of table.sets) {
    if (elem.length === 0) throw broken(`the set ${name} is empty`);
  }
}

/** A rule that only counts and accepts is one that names no peer. */
function verifyPeers(side: Side, allows: readonly HostAllow[], table: ListedTable): void {
  const open = new Set(allows.filter(({ peers }) => peers === "any").map(({ origin }) => `${side.short}/${originName(origin)}`));
  for (const [name, { rules }] of table.chains) {
    if (name !== side.hook && !name.startsWith(`${side.short}_`)) continue;
    for (const { expr } of rules) {
      const accepts = expr.some((statement) => isRecord(statement) && "accept" in statement);
      const matches = expr.some((statement) => isRecord(statement) && "match" in statement);
      const counter = expr.find((statement) => isRecord(statement) && "counter" in statement);
      const counted = isRecord(counter) ? String(counter["counter"]) : "";
      if (accepts && !matches && !open.has(counted)) throw broken(`a rule in ${name} accepts from anybody`);
    }
  }
}

function equalTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}

function broken(what: string): FirebreakError {
  return new FirebreakError("PLAN_INVARIANT_BROKEN", `check a planned ruleset: ${what}`);
}
