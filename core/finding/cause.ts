import { sha256Hex } from "../membership/hash.ts";
import type { Finding } from "./finding.ts";

/**
 * What findings of many targets have in common when one act made them all: the same kind of change of the same thing with the same
 * effect, whatever target it is on. 16 hex characters.
 *
 * Counts of workloads differ between targets and are left out. What names its own target in its subject is a cause of its own.
 */
export function causeOf({ kind, subject, effect, who }: Pick<Finding, "kind" | "subject" | "effect" | "who">): string {
  const words = (lines: readonly string[]): readonly string[] =>
    lines.map((line) => line.replaceAll(/ \(\d+ workloads?\)/g, "")).sort();
  return sha256Hex(JSON.stringify([kind, subject, words(effect.opened), words(effect.closed), who ?? ""])).slice(0, 16);
}
