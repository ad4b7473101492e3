import { bootDigest } from "../plan/host-boot.ts";
import type { HostObservation } from "../observed/observation.ts";
import { readTable } from "../render/nft-table.ts";
import type { NftRuleset } from "../render/nft.ts";
import { NO_EFFECT } from "../finding/finding.ts";
import type { Finding } from "../finding/finding.ts";
import { fingerprintOf } from "../finding/fingerprint.ts";

const SUBJECT = "file /etc/firebreak/ruleset.json";

/** What a host would load at its next start, held against what it should: another ruleset there is a hole that opens with a reboot. */
export function compareKept(expected: NftRuleset, { kept, target, ruleset }: HostObservation): readonly Finding[] {
  if (kept === undefined || !kept.wanted || kept.start === "none") return [];
  // Without a fence nobody knows which generation was confirmed last; that it is gone is told already.
  if (readTable(ruleset)?.generation === undefined) return [];
  const trouble = troubleOf(expected, kept);
  if (trouble === undefined) return [];
  return [
    {
      fingerprint: fingerprintOf("next-start", target, SUBJECT),
      kind: "next-start",
      target,
      subject: SUBJECT,
      severity: "high",
      summary: `after a reboot this host would not enforce what was confirmed, until the next look: ${trouble}`,
      effect: NO_EFFECT, // of today's connections
      who: undefined,
      at: undefined,
      healable: true,
      widens: false,
      foreign: false,
    },
  ];
}

function troubleOf(expected: NftRuleset, kept: NonNullable<HostObservation["kept"]>): string | undefined {
  if (kept.ruleset === undefined) return "the file is missing, or empty";
  if (!kept.isInstalled) return `what loads the file under ${kept.start} is missing, changed or not enabled`;
  return kept.ruleset === bootDigest(expected) ? undefined : "the file holds something else";
}
