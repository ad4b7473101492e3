import type { TargetId } from "../model/kinds.ts";
import type { Finding } from "../finding/finding.ts";
import { fingerprintOf } from "../finding/fingerprint.ts";

/**
 * A target that was read, or could be, and about which nothing (or not everything) can be said: while this is open, nobody may call it in
 * sync. It ends with the first comparison that is whole again.
 *
 * @param why a sentence's end: `… cannot be compared: WHY`
 */
export function notComparable(target: TargetId, why: string): Finding {
  return {
    fingerprint: fingerprintOf("not-comparable", target, "target"),
    kind: "not-comparable",
    target,
    subject: "target",
    severity: "high",
    summary: `cannot be compared: ${why}`,
    effect: { verdict: "uncertain", opened: [], closed: [] },
    who: undefined,
    at: undefined,
    healable: false,
    widens: true,
    foreign: false,
  };
}
