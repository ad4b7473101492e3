import type { Plan } from "./plan.ts";

/** One step as people read it. */
export interface StepSummary {
  readonly kind: string;
  readonly subject: string;
  readonly why: string;
}

/** The steps of a plan in words, in their order. */
export function describeSteps(plan: Plan): readonly StepSummary[] {
  if (plan.kind === "host") return plan.steps.map(({ kind, why }) => ({ kind, subject: "table inet firebreak", why }));
  return plan.steps.map((step) => {
    const { namespace, name } = step.kind === "delete" ? step : step.object.metadata;
    return { kind: step.kind, subject: `networkpolicy ${namespace}/${name}`, why: step.why };
  });
}
