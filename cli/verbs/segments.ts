import { API } from "../../core/api/shapes.ts";
import { savedWorld } from "../../core/guardrail/world.ts";
import { listSegments, type SegmentsAnswer } from "../../core/segments/list.ts";
import { formatSegments } from "../../core/text/segments.ts";
import { visible } from "../../core/ground/visible.ts";
import { ApiClient } from "../api.ts";
import { isAway, serviceNamed } from "../connectivity.ts";
import { readOfflineWorld } from "../offline-world.ts";
import { printResult, tell } from "../output.ts";
import type { OutputOptions } from "../tree/common.ts";

/** What `firebreak segments` takes. */
export interface SegmentsOptions extends OutputOptions {
  readonly definitions?: string;
  readonly inventory?: string;
  readonly at?: string;
  readonly config?: string;
  readonly full?: true;
}

/** `firebreak segments [NAME]`: of the running service, or of a folder where one is named or no service is. */
export async function segments(name: string | undefined, options: SegmentsOptions): Promise<number> {
  const answer = await answerAsked(name, options);
  for (const gap of answer.gaps) tell(visible(gap));
  await printResult(options.output, answer, () => formatSegments(answer, { full: options.full === true }));
  return 0;
}

async function answerAsked(name: string | undefined, options: SegmentsOptions): Promise<SegmentsAnswer> {
  const { definitions, at, inventory, config } = options;
  const service = serviceNamed(config);
  if (definitions === undefined && at === undefined && inventory === undefined && service !== undefined) {
    try {
      const api = await ApiClient.connect(service);
      return await api.get<SegmentsAnswer>(API.segments, name === undefined ? {} : { name });
    } catch (error) {
      if (!isAway(error, config)) throw error;
      tell("the service does not answer: answered from the definitions here, which do not know what runs (--inventory FILE)");
    }
  }
  return await answerHere(name, options);
}

/** Without an inventory only hosts, externals and addresses are known: made-up pods are nobody. */
async function answerHere(name: string | undefined, options: SegmentsOptions): Promise<SegmentsAnswer> {
  const { definitions, seen } = await readOfflineWorld(options);
  const world = savedWorld(definitions, seen, Date.now());
  return listSegments({ ...world, basis: options.inventory === undefined ? "definitions" : "inventory" }, name);
}
