import type { Basis } from "../guardrail/report.ts";

/** Which workloads an answer rests on, in words. */
export const BASIS = {
  definitions: "on workloads made up from the definitions",
  inventory: "on the workloads of the inventory",
  live: "on the workloads of now",
} as const satisfies Record<Basis, string>;
