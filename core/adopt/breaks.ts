import { checkGuardrails } from "../guardrail/check.ts";
import type { Definitions } from "../model/kinds.ts";
import type { Source } from "../reach/source.ts";
import { formatCause } from "../text/guardrail.ts";

/** Guardrails that an edit would break, or break further; each a sentence. */
export function brokenBy(edited: Definitions, after: Source, before: Source): readonly string[] {
  return checkGuardrails(edited, after, { source: before }).flatMap(({ guardrail, claim, violations }) =>
    violations
      .filter(({ added }) => added)
      .slice(0, 1)
      .map((violation) => `guardrail ${guardrail} (${claim}): ${formatCause(violation)}`),
  );
}
