import { createHash } from "node:crypto";
import type { HostWant } from "../compile/want.ts";
import type { NftRuleset } from "../render/nft.ts";
import { bootTransaction } from "./host-transaction.ts";
import { verifyRuleset } from "./host-verify.ts";

/**
 * What a host loads when it starts, as `nft -j -f` takes it: our table as it was confirmed, whatever is there. Checked as a plan is: the
 * lifeline is open in it. Throws PLAN_INVARIANT_BROKEN.
 */
export function bootText(want: HostWant, confirmed: NftRuleset): string {
  verifyRuleset(want, confirmed);
  return textOf(confirmed);
}

/** SHA-256 of that text, hex: what a host that keeps this ruleset shows. */
export function bootDigest(confirmed: NftRuleset): string {
  return createHash("sha256").update(textOf(confirmed)).digest("hex");
}

function textOf(confirmed: NftRuleset): string {
  return `${JSON.stringify({ nftables: bootTransaction(confirmed) })}\n`;
}
