import { sha256Hex } from "../membership/hash.ts";
import type { TargetId } from "../model/kinds.ts";
import type { FindingKind } from "./finding.ts";

/** The identity of a finding, the same for ever for the same thing on the same target: sha256(kind, target, subject), 16 hex characters. */
export function fingerprintOf(kind: FindingKind, target: TargetId, subject: string): string {
  return sha256Hex(JSON.stringify([kind, target, subject])).slice(0, 16);
}
