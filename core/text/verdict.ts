import type { LogVerdict } from "../audit/verify.ts";

/** Where the key of a verification came from: kept elsewhere, or found beside the log, where whoever rewrote the log could put theirs. */
export type KeySource = "pinned" | "beside";

/** What `firebreak audit verify` prints. */
export function formatLogVerdict(verdict: LogVerdict, keySource: KeySource): string {
  if (verdict.verdict === "rejected") {
    const where = verdict.index === undefined ? "" : ` (first at entry ${verdict.index})`;
    return `REJECTED ${verdict.reason}${where}: ${verdict.why}`;
  }
  const { checkpoint, consistentWith } = verdict;
  const root = Buffer.from(checkpoint.root).toString("base64");
  const lines = [`verified: ${checkpoint.size} entries of ${checkpoint.origin}, root ${root}`];
  lines.push(keySource === "pinned" ? "key: the pinned one" : `key: the one that lies beside the log. ${WEAK_KEY}`);
  lines.push(
    consistentWith === undefined
      ? "history: not compared with an older checkpoint (--checkpoint FILE)"
      : `history: contains everything that the older checkpoint of ${consistentWith.size} entries covered`,
  );
  return lines.join("\n");
}

const WEAK_KEY =
  "This proves less: whoever could rewrite the log could replace that key too. Keep the key elsewhere and give it with --key.";

/** The verdict as plain JSON: the root in base64. */
export function logVerdictAnswer(verdict: LogVerdict, keySource: KeySource): unknown {
  if (verdict.verdict === "rejected") return { ...verdict, key: keySource };
  const { checkpoint, consistentWith } = verdict;
  return {
    verdict: "verified",
    key: keySource,
    checkpoint: { ...checkpoint, root: Buffer.from(checkpoint.root).toString("base64") },
    consistentWith:
      consistentWith === undefined ? null : { ...consistentWith, root: Buffer.from(consistentWith.root).toString("base64") },
  };
}
