import { z } from "zod";
import type { LabelSelector as Selector, SelectorRequirement } from "../../selector/index.ts";
import { LabelKey, LabelMap, LabelValue } from "./names.ts";
import { refuse } from "./text.ts";

const Requirement = z
  .strictObject({
    key: LabelKey,
    operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]).meta({
      description: "`NotIn` and `DoesNotExist` also match what has no such label.",
    }),
    values: z.array(LabelValue).optional().meta({ description: "With In and NotIn only." }),
  })
  .transform((given, context): SelectorRequirement => {
    const { key, operator, values } = given;
    const wantsValues = operator === "In" || operator === "NotIn";
    if (wantsValues && (values === undefined || values.length === 0)) {
      refuse(context, given, {
        code: "bad-selector",
        summary: `${operator} without values`,
        detail: "List at least one value, or use Exists or DoesNotExist",
      });
    }
    if (!wantsValues && values !== undefined) {
      refuse(context, given, { code: "bad-selector", summary: `${operator} takes no values`, detail: "Remove values" }, ["values"]);
    }
    return values === undefined ? { key, operator } : { key, operator, values };
  });

/** A LabelSelector of Kubernetes with the given hover text; `{}` matches everything. */
export function selector(description: string) {
  return z
    .strictObject({
      matchLabels: LabelMap.optional().meta({ description: "Every label must have this value." }),
      matchExpressions: z.array(Requirement).optional().meta({ description: "Every requirement must hold." }),
    })
    .transform(({ matchLabels, matchExpressions }): Selector => {
      return { ...(matchLabels && { matchLabels }), ...(matchExpressions && { matchExpressions }) };
    })
    .meta({ description });
}
