import { checkGuardrails } from "../guardrail/check.ts";
import { checkTests } from "../guardrail/tests.ts";
import type { Definitions } from "../model/kinds.ts";
import { formatPosition } from "../model/note.ts";
import type { Source } from "../reach/source.ts";
import { formatCause } from "../guardrail/say.ts";

/**
 * Guardrails that an edit would break, or break wider, and tests of policies that would fail; each a sentence.
 *
 * @param now what is compared with: definitions and what they approve
 */
export function brokenBy(
  now: { readonly definitions: Definitions; readonly approved: Source },
  changed: { readonly definitions: Definitions; readonly source: Source },
): readonly string[] {
  const { definitions, source } = changed;
  const guardrails = checkGuardrails(definitions, source, { source: now.approved }).flatMap(({ guardrail, claim, violations }) =>
    violations
      .filter(({ added }) => added)
      .slice(0, 1)
      .map((violation) => `guardrail ${guardrail} (${claim}): ${formatCause(violation)}`),
  );
  const before = checkTests(now.definitions, now.approved);
  const failedBefore = new Set(before.flatMap(({ id, outcome }) => (outcome === "violated" ? [id] : [])));
  const tests = checkTests(definitions, source).flatMap(({ id, claim, outcome, at }) =>
    outcome === "violated" && !failedBefore.has(id) ? [`test ${id} (${formatPosition(at)}): ${claim}`] : [],
  );
  return [...guardrails, ...tests];
}
