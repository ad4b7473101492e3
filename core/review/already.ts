import { isEmpty } from "../address/index.ts";
import type { Estate } from "../estate/estate.ts";
import { checkGuardrails, formatClaim, formatRulePorts } from "../guardrail/check.ts";
import { endReader } from "../guardrail/ends.ts";
import { formatCause } from "../guardrail/say.ts";
import type { Basis } from "../guardrail/report.ts";
import type { Definitions, Guardrail, PolicyTest, Segment } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import type { Source } from "../reach/source.ts";

/**
 * Guardrails that a change adds or changes and that do not hold already: the change breaks nothing, so it is not refused, and the
 * guardrail is a finding from the first moment on.
 *
 * @param sources of what would come out of the merge
 * @param basis on made-up workloads nothing is concluded about `always`
 */
export function violatedAlready(
  before: Definitions | undefined,
  after: Definitions,
  sources: readonly Source[],
  basis: Basis,
): readonly Note[] {
  const guardrails = new Map([...after.guardrails].filter(([name, one]) => isOther(before?.guardrails.get(name), one)));
  if (guardrails.size === 0) return [];
  const notes = new Map<string, Note>();
  for (const source of sources) {
    for (const result of checkGuardrails({ ...after, guardrails }, source)) {
      const [first, ...others] = result.violations;
      if (first === undefined || result.outcome !== "violated" || (basis === "definitions" && result.kind === "always")) continue;
      notes.set(result.id, {
        severity: "warning",
        code: "guardrail-violated",
        at: result.at,
        summary: `guardrail ${result.guardrail} is new or changed here, and does not hold: ${result.claim}: ${formatCause(first)}${others.length > 0 ? `, and ${others.length} more` : ""}`,
        detail: "It does not refuse this change. It is a finding from the merge on, until the rules are mended",
      });
    }
  }
  return [...notes.values()];
}

function isOther(was: Guardrail | undefined, now: Guardrail): boolean {
  const said = new Set(was?.rules.map(formatClaim));
  return now.rules.some((rule) => !said.has(formatClaim(rule)));
}

/** Tests of policies that a change takes away, or lets expect something else; one that another policy has now is not gone. */
export function lostTests(before: Definitions | undefined, after: Definitions): readonly Note[] {
  const left = new Set([...after.policies.values()].flatMap((policy) => policy.tests.map(formatTest)));
  return [...(before?.policies.values() ?? [])].flatMap((was) => {
    const now = after.policies.get(was.name);
    return was.tests
      .filter((test) => !left.has(formatTest(test)))
      .map((test): Note => {
        const other = now?.tests.find((one) => formatAsked(one) === formatAsked(test));
        return {
          severity: "warning",
          code: other === undefined ? "test-removed" : "test-changed",
          ...(now === undefined ? {} : { at: other?.at ?? now.at }),
          summary:
            other === undefined
              ? `policy ${was.name}: the test ${formatTest(test)} is taken away`
              : `policy ${was.name}: the test ${formatTest(test)} expects ${other.expect} now`,
          detail: "What it held is checked no more. Say in the change why that is right",
        };
      });
  });
}

function formatAsked({ from, to, port }: PolicyTest): string {
  return `${from} → ${to}: ${formatRulePorts([port])}`;
}

function formatTest(test: PolicyTest): string {
  return `${formatAsked(test)} is ${test.expect}`;
}

/** Segments that a change adds, or gives other members, and that hold nobody: most often a label that is misspelt. */
export function emptySegments(before: Definitions | undefined, after: Definitions, estate: Estate): readonly Note[] {
  const read = endReader(after, estate);
  return [...after.segments.values()]
    .filter((segment) => membersOf(before?.segments.get(segment.name)) !== membersOf(segment))
    .filter(({ name }) => isEmpty(read(name).addresses) && !estate.workloads.some(read(name).has))
    .map(({ name, at }) => ({
      severity: "warning",
      code: "segment-empty",
      at,
      summary: `segment ${name} is new or changed here, and holds nobody now`,
      detail: "What isolates it and the rules that name it wait for its first member. Look at its labels if that is not meant",
    }));
}

function membersOf(segment: Segment | undefined): string {
  return JSON.stringify([segment?.members, segment?.not], (key, value: unknown) => {
    if (key === "at") return undefined;
    return typeof value === "bigint" ? String(value) : value;
  });
}
