import { directionsOf, nextOf, segmentOf, withEnforced, type Enforced } from "../../core/flow/enforced.ts";
import { proposalOf } from "../../core/flow/propose.ts";
import { readyOf } from "../../core/flow/ready.ts";
import { usageOf } from "../../core/flow/usage.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { visible } from "../../core/ground/visible.ts";
import { asIfApplied, savedWorld, type ConnectivityWorld } from "../../core/guardrail/world.ts";
import type { EditInputs } from "../../core/explain/edit.ts";
import type { Definitions, Direction } from "../../core/model/kinds.ts";
import { formatProposal, formatReady, formatUsage } from "../../core/text/flows.ts";
import { readWorld } from "../connectivity.ts";
import { readFlowFile } from "../flow-files.ts";
import { findClone, pathIn } from "../git-clone.ts";
import { readInventory } from "../offline-world.ts";
import { printResult, tell } from "../output.ts";
import type { OutputOptions } from "../tree/common.ts";

/** What `firebreak ready` and `firebreak propose` take. */
export interface SeenOptions extends OutputOptions {
  readonly flows: string;
  readonly inventory: string;
  readonly definitions?: string;
  readonly config?: string;
  readonly full?: true;
}

/** What `firebreak ready` takes. */
export interface ReadyOptions extends SeenOptions {
  readonly direction?: Direction;
  readonly detailedExitcode?: true;
}

/** `firebreak ready SEGMENT`: with `--detailed-exitcode` 2 when something that was seen would be denied, or nobody can say. */
export async function ready(name: string, options: ReadyOptions): Promise<number> {
  const table = await readFlowFile(options.flows);
  const { folder, files, definitions } = await readWorld(options.definitions, options);
  const directions = directionsOf(segmentOf(definitions, name), options.direction);
  if (directions.length === 0) throw new FirebreakError("USAGE", `${name} enforces both directions already`);
  const { world, inputs } = await enforcedWorld({ folder, files, definitions }, new Map([[name, directions]]), options);
  const answer = readyOf(world, inputs, name, directions, table);
  await printResult(options.output, answer, () => formatReady(answer, { full: options.full === true }));
  return options.detailedExitcode === true && answer.denied.length + answer.uncertain.length > 0 ? 2 : 0;
}

/** What `firebreak propose` takes. */
export interface ProposeOptions extends SeenOptions {
  readonly patch?: true;
}

/** `firebreak propose [SEGMENT…]`: rules for what was seen and enforcing would deny; `--patch` prints what `git apply` takes, alone. */
export async function propose(names: readonly string[], options: ProposeOptions): Promise<number> {
  const table = await readFlowFile(options.flows);
  const { folder, files, definitions } = await readWorld(options.definitions, options);
  const segments = names.length > 0 ? names.map((name) => segmentOf(definitions, name)) : [...definitions.segments.values()];
  const observed = segments.filter(({ isolate }) => names.length > 0 || [isolate.ingress, isolate.egress].includes("observe"));
  const enforced = new Map(
    observed.map((segment) => [segment.name, nextOf(segment)] as const).filter(([, next]) => next.length > 0),
  );
  if (enforced.size === 0)
    throw new FirebreakError(
      "USAGE",
      `${names.length > 0 ? "these segments enforce" : "no segment observes, so nothing is to be enforced; name segments that are to be"}`,
    );
  const { world, inputs } = await enforcedWorld({ folder, files, definitions }, enforced, options);
  const proposal = proposalOf(world, inputs, enforced, table);
  if (options.patch === true) {
    process.stdout.write(proposal.patch);
    for (const gap of proposal.gaps) tell(visible(gap));
    for (const { from, to, port, why } of proposal.denied) tell(visible(`stays denied: ${from} → ${to}: ${port}: ${why}`));
    return 0;
  }
  await printResult(options.output, proposal, () => formatProposal(proposal, { full: options.full === true }));
  return 0;
}

/** What `firebreak usage` takes. */
export interface UsageOptions extends SeenOptions {
  readonly days: string;
}

/** `firebreak usage`: which rules carried what was seen, and which did not. */
export async function usage(options: UsageOptions): Promise<number> {
  if (!/^[1-9][0-9]{0,3}$/.test(options.days)) throw new FirebreakError("USAGE", `--days ${options.days} is no number of days`);
  const table = await readFlowFile(options.flows);
  const { definitions } = await readWorld(options.definitions, options);
  const world = savedWorld(definitions, await readInventory(options.inventory), Date.now());
  const answer = usageOf(world, table, Number(options.days));
  await printResult(options.output, answer, () => formatUsage(answer, { full: options.full === true }));
  return 0;
}

/** The saved world with directions enforced, every target as if it were applied: what is asked is what will be. */
async function enforcedWorld(
  {
    folder,
    files,
    definitions,
  }: { readonly folder: string; readonly files: EditInputs["files"]; readonly definitions: Definitions },
  enforced: Enforced,
  { inventory }: SeenOptions,
): Promise<{ readonly world: ConnectivityWorld; readonly inputs: EditInputs }> {
  const view = (what: Definitions): Definitions => asIfApplied(withEnforced(what, enforced)).definitions;
  const world = savedWorld(view(definitions), await readInventory(inventory), Date.now());
  const clone = await findClone(folder);
  const patchPath = clone === undefined ? (path: string) => path : (path: string) => pathIn(clone, path);
  return { world, inputs: { files, patchPath, view } };
}
