import { spawnSync } from "node:child_process";

/** Runs a script in a network namespace of its own, which is gone when it ends; throws with what it said when it fails. */
export function inScratchNamespace(script: string, input = ""): string {
  const run = spawnSync("unshare", ["-n", "sh", "-ec", script], { input, encoding: "utf8", maxBuffer: 1 << 28 });
  if (run.status !== 0) throw new Error(`status ${run.status}: ${run.stderr}${run.stdout}`);
  return run.stdout;
}

/** Loads transactions one after the other in a scratch namespace, and gives what the kernel lists afterwards. */
export function loadAndList(...transactions: readonly (readonly unknown[])[]): readonly unknown[] {
  const lines = transactions.map((transaction) => JSON.stringify({ nftables: transaction })).join("\n");
  const script = `while IFS= read -r line; do printf '%s' "$line" | nft -j -f -; done; nft -s -j list table inet firebreak`;
  return parseListing(inScratchNamespace(script, `${lines}\n`));
}

/** The `nftables` array of a listing. */
export function parseListing(text: string): readonly unknown[] {
  const parsed: { readonly nftables: readonly unknown[] } = JSON.parse(text);
  return parsed.nftables;
}
