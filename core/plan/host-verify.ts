import { fromPrefixes } from "../address/index.ts";
import { portsFromRanges } from "../address/ports.ts";
import type { HostAllow, HostWant } from "../compile/want.ts";
import { FirebreakError } from "../ground/error.ts";
import { EGRESS, INGRESS, originName } from "../render/nft-names.ts";
import type { Side } from "../render/nft-names.ts";
import { isSeenSet } from "../render/nft-seen.ts";
import { isRecord, readTable } from "../render/nft-table.ts";
import type { ListedTable } from "../render/nft-table.ts";
import type { NftRuleset } from "../render/nft-types.ts";
import { admits, hostAccess } from "../verdict/nft.ts";

/**
 * Checks a rendered ruleset before anybody may send it: the lifeline is open, no set that a rule looks into is
 * empty, and only allows whose peers are "any" accept without looking at the peer.
 *
 * Reads the rules, not the renderer's intentions. Throws PLAN_INVARIANT_BROKEN.
 */
export function verifyRuleset(want: HostWant, ruleset: NftRuleset): void {
  const table = readTable(ruleset);
  if (table === undefined) throw broken("it has no table");
  if (table.generation === undefined || table.mark === undefined) throw broken("it has no fence or no mark");
  verifyLifeline(want, ruleset);
  verifySets(table);
  verifyPeers(INGRESS, want.ingress.allows, table);
  verifyPeers(EGRESS, want.egress.allows, table);
}

/**
 * By the verdict engine's reader, which knows nothing of the renderer. Only the lifeline's own sets keep their elements: the others
 * can but admit more, and reading a hundred thousand of them takes seconds.
 */
function verifyLifeline({ lifeline }: HostWant, ruleset: NftRuleset): void {
  const bare = ruleset.map((object) =>
    "set" in object && !object.set.name.startsWith("lifeline") ? { set: { ...object.set, elem: [] } } : object,
  );
  const access = hostAccess(bare);
  const ports = portsFromRanges(lifeline.ports.map(({ protocol, from, to }) => ({ protocol, first: from, last: to })));
  if (access.input.uncertain.length > 0) throw broken(`it is not understood: ${access.input.uncertain.join("; ")}`);
  if (!admits(access, "input", { peers: fromPrefixes(lifeline.from), ports })) throw broken("the lifeline is not open");
}

function verifySets(table: ListedTable): void {
  for (const [name, { elem }] of table.sets) {
    if (elem.length === 0 && !isSeenSet(name)) throw broken(`the set ${name} is empty`);
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

function broken(what: string): FirebreakError {
  return new FirebreakError("PLAN_INVARIANT_BROKEN", `check a planned ruleset: ${what}`);
}
