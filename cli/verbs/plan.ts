import { API, type PlanAnswer } from "../../core/api/shapes.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { formatPlans } from "../../core/text/answers.ts";
import { wholeAnswers } from "../../core/text/effect.ts";
import { ApiClient } from "../api.ts";
import { printResult } from "../output.ts";
import type { ConfigOptions, OutputOptions } from "../tree/common.ts";

/** What `firebreak plan` takes. */
export interface PlanOptions extends OutputOptions, ConfigOptions {
  readonly inventory?: string;
  readonly definitions?: string;
  readonly at?: string;
  readonly asApplied?: true;
  readonly full?: true;
  readonly detailedExitcode?: true;
}

/** `firebreak plan [TARGET]`: exit 1 when a target could not be planned; with `--detailed-exitcode` 2 when something would change. */
export async function plan(target: string | undefined, options: PlanOptions): Promise<number> {
  const plans = await computePlans(target, options);
  await printResult(options.output, wholeAnswers(plans), () => formatPlans(plans, options.full === true));
  if (plans.some(({ error }) => error !== undefined)) return 1;
  return options.detailedExitcode === true && plans.some(({ steps }) => steps.length > 0) ? 2 : 0;
}

async function computePlans(target: string | undefined, options: PlanOptions): Promise<readonly PlanAnswer[]> {
  const { inventory, definitions, at } = options;
  if (inventory !== undefined) {
    const { planOffline } = await import("../../core/plan/offline.ts");
    const { readOfflineWorld } = await import("../offline-world.ts");
    const world = await readOfflineWorld(options);
    if (options.asApplied !== true) return planOffline(world, target);
    const { asIfApplied } = await import("../../core/guardrail/world.ts");
    return planOffline({ ...world, definitions: asIfApplied(world.definitions).definitions }, target);
  }
  if (definitions !== undefined || at !== undefined) {
    throw new FirebreakError(
      "USAGE",
      "--definitions needs --inventory FILE, as --at does: the service plans the revision in force (firebreak inventory save)",
    );
  }
  if (options.asApplied === true) {
    throw new FirebreakError(
      "USAGE",
      "--as-applied needs --inventory FILE (firebreak inventory save): the service plans what is in force",
    );
  }
  const api = await ApiClient.connect(options.config);
  return await api.get<readonly PlanAnswer[]>(API.plan, target === undefined ? {} : { target });
}
