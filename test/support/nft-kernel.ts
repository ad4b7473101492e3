import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import type { HostObservation } from "../../core/observed/observation.ts";

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

/** A named network namespace with nftables in it; remove it when done. */
export class ScratchNamespace implements Disposable {
  readonly name = `fbt-${process.pid}-${randomBytes(3).toString("hex")}`;

  constructor() {
    sweepStale();
    command("ip", ["netns", "add", this.name]);
    this.run("ip link set lo up");
  }

  /** Runs a shell script in it and gives its output; throws with what it said when it fails. */
  run(script: string, input = ""): string {
    return command("ip", ["netns", "exec", this.name, "sh", "-ec", script], input);
  }

  /** Loads a transaction; throws when the kernel refuses it. */
  load(transaction: readonly unknown[]): void {
    this.run("cat | nft -j -f -", JSON.stringify({ nftables: transaction }));
  }

  /** Everything that `nft -s -j list ruleset` shows. */
  list(): readonly unknown[] {
    return parseListing(this.run("nft -s -j list ruleset"));
  }

  observe(target = "host/directory/ldap-blue-1"): HostObservation {
    return observationOf(this.list(), target);
  }

  [Symbol.dispose](): void {
    command("ip", ["netns", "delete", this.name]);
  }
}

let isSwept = false;

/** Removes, once per process, what test runs that were killed have left: namespaces of processes that are gone, with all in them. */
function sweepStale(): void {
  if (isSwept) return;
  isSwept = true;
  for (const line of command("ip", ["netns", "list"]).split("\n")) {
    const [, name, pid] = /^(fbt-([0-9]+)-[0-9a-f]{6})\b/.exec(line) ?? [];
    if (name === undefined || existsSync(`/proc/${pid}`)) continue;
    for (const left of command("ip", ["netns", "pids", name]).split("\n").filter(Boolean)) spawnSync("kill", ["-9", left]);
    spawnSync("ip", ["netns", "delete", name]); // another test process may sweep at the same time
  }
}

/** A complete observation of a host that shows this listing. */
export function observationOf(ruleset: readonly unknown[], target = "host/directory/ldap-blue-1"): HostObservation {
  const none = { legacyTables: [], addresses: [], resolvers: [] };
  return { kind: "host", target, completeness: "complete", identity: "ssh-ed25519 AAAA", ruleset, ...none, at: 0 };
}

function command(file: string, args: readonly string[], input = ""): string {
  const run = spawnSync(file, args, { input, encoding: "utf8", maxBuffer: 1 << 28 });
  if (run.status !== 0) throw new Error(`${file} ended with ${run.status}: ${run.stderr}${run.stdout}`);
  return run.stdout;
}
