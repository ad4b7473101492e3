import { stringify } from "yaml";
import { compileTarget } from "../../core/compile/inputs.ts";
import type { Want } from "../../core/compile/want.ts";
import type { Target } from "../../core/model/target.ts";
import { compileOffline, targetsAsked, type OfflineWorld } from "../../core/plan/offline.ts";
import { createTransaction } from "../../core/plan/host-transaction.ts";
import { wantDigest } from "../../core/render/digest.ts";
import { renderNetworkPolicies } from "../../core/render/networkpolicy.ts";
import { renderRuleset } from "../../core/render/nft.ts";
import { formatNotes } from "../../core/text/notes.ts";
import { readOfflineWorld, type OfflineOptions } from "../offline-world.ts";
import { tell } from "../output.ts";
import type { OutputOptions } from "../tree/common.ts";

/** What `firebreak render` takes. */
export interface RenderVerbOptions extends OfflineOptions, OutputOptions {
  readonly target: string;
}

/** `firebreak render --target NAME`: YAML for `kubectl apply -f -`, JSON for `nft -j -f -`; what is missing is told on standard error. */
export async function render(options: RenderVerbOptions): Promise<number> {
  const world = await readOfflineWorld(options);
  for (const target of targetsAsked(world.definitions, options.target)) {
    const { want, notes } = options.inventory === undefined ? compileAlone(world, target) : compileOffline(world, target);
    if (notes.length > 0) tell(formatNotes(notes));
    process.stdout.write(renderWant(want, world.seen.instance, options.output));
  }
  return 0;
}

/** From definitions alone: what rests on namespaces, resolvers or pods' addresses is left out, and said. */
function compileAlone({ definitions, operator }: OfflineWorld, target: Target) {
  const memberships = new Map();
  if (target.kind === "cluster") {
    tell("without --inventory there are no namespaces, so no policy can be placed: nothing is rendered");
    return compileTarget(
      definitions,
      target,
      { kind: "cluster", namespaces: [], services: [], memberships, orphans: [], now: Date.now() },
      operator,
    );
  }
  tell("without --inventory the addresses of pods and the host's resolvers are missing: their rules are left out");
  return compileTarget(definitions, target, { kind: "host", resolvers: [], memberships, orphans: [], now: Date.now() }, operator);
}

/** Objects carry sequence 0: a mark that the service replaces. */
function renderWant(want: Want, instance: string, output: OutputOptions["output"]): string {
  const mark = { instance, sequence: 0, digest: wantDigest(want) };
  if (want.kind === "host") {
    const ruleset = { nftables: createTransaction(renderRuleset(want, mark, { generation: 1, phase: "final" })) };
    return output === "yaml" ? stringify(ruleset) : `${JSON.stringify(ruleset, undefined, 2)}\n`;
  }
  const items = renderNetworkPolicies(want, mark);
  if (output === "json") return `${JSON.stringify({ apiVersion: "v1", kind: "List", items }, undefined, 2)}\n`;
  return items.map((item) => `---\n${stringify(item, { aliasDuplicateObjects: false })}`).join("");
}
