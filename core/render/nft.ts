import type { HostWant } from "../compile/want.ts";
import type { Mark } from "./mark.ts";
import { renderSide } from "./nft-chain.ts";
import type { Phase } from "./nft-chain.ts";
import { formatMarkComment } from "./nft-mark.ts";
import { ABOUT, EGRESS, FAMILY, FENCE, INGRESS, TABLE } from "./nft-names.ts";
import type { NftObject, NftRuleset } from "./nft-types.ts";

export type { NftObject, NftRuleset } from "./nft-types.ts";
export type { Phase } from "./nft-chain.ts";
export { canonicalRuleset, rulesetDigest } from "./nft-canonical.ts";
export type { CanonicalRuleset } from "./nft-canonical.ts";

export interface RenderOptions {
  /** What the fence holds; 1 to 2^32 - 1. */
  readonly generation: number;
  /** settle: accepts and logs where final drops, so that connection tracking learns live sessions first. */
  readonly phase: Phase;
}

/**
 * The whole of `table inet firebreak` for one host, as `nft -s -j list table` gives it back (without handles).
 *
 * Deterministic: the same want gives the same text whatever the order of its allows. Nothing that people wrote (labels, reasons)
 * enters; origins do, as names. Throws PLAN_INVARIANT_BROKEN on an empty peer set, an empty port list or an unsound mark.
 */
export function renderRuleset(want: HostWant, mark: Mark, { generation, phase }: RenderOptions): NftRuleset {
  const sides = [renderSide(INGRESS, want.ingress, want, phase), renderSide(EGRESS, want.egress, want, phase)];
  const inTable = { family: FAMILY, table: TABLE } as const;
  const objects: readonly NftObject[] = [
    { table: { family: FAMILY, name: TABLE } },
    ...sides.flatMap((side) => side.counters),
    { set: { ...inTable, name: FENCE, type: "mark", elem: [generation] } },
    ...sides.flatMap((side) => side.sets),
    ...sides.flatMap((side) => side.maps),
    { chain: { ...inTable, name: ABOUT } },
    ...sides.flatMap((side) => side.chains),
    { rule: { ...inTable, chain: ABOUT, comment: formatMarkComment(mark), expr: [{ return: null }] } },
    ...sides.flatMap((side) => side.rules),
  ];
  return objects;
}
