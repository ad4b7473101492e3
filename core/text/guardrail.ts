import type { EndAnswer } from "../explain/end.ts";
import type { ClaimResult, GuardrailResult, Violation } from "../guardrail/results.ts";
import type { Hop } from "../guardrail/witness.ts";
import { formatPosition } from "../model/note.ts";
import { visible } from "./visible.ts";

/** `eu shop/web[Deployment] → eu shop/db[StatefulSet]: 5432/tcp (3 to 1 workloads), not yet enforced`. */
export function formatViolation({ from, to, ports, counts, notYetEnforced, witness }: Violation): string {
  const through = witness.slice(0, -1).map((hop) => hop.to);
  const path = [from, ...through, to].join(" → ");
  const many = counts.from > 1 || counts.to > 1 ? ` (${counts.from} to ${counts.to} workloads)` : "";
  return `${visible(path)}: ${ports}${many}${notYetEnforced ? ", not yet enforced" : ""}`;
}

/** What lets a way through, at both ends of every hop; one line each, most telling first. */
export function formatWitness(hops: readonly Hop[]): readonly string[] {
  return hops.flatMap((hop) => [
    ...(hops.length > 1 ? [`${visible(hop.from)} → ${visible(hop.to)}: ${hop.ports}`] : []),
    ...hop.ends.map((end) => `${hops.length > 1 ? "  " : ""}${formatEnd(end)}`),
  ]);
}

/** One end in a line: `ingress  order-flow/0 allows it (policies/order-flow.yaml:7:5)`. */
export function formatEnd({ direction, mode, text, allowed, rules, segments, uncertain }: EndAnswer): string {
  const doubt = uncertain.length === 0 ? "" : `; uncertain: ${uncertain.map(visible).join("; ")}`;
  const places = rules.flatMap(({ name, at }) => (at === null ? [] : [`${visible(name)} at ${visible(formatPosition(at))}`]));
  const by = places.length === 0 ? "" : ` (${places.join(", ")})`;
  const named = segments.map(({ name, at, isolate }) => {
    const place = at === null ? "" : ` at ${visible(formatPosition(at))}`;
    return `${visible(name)}${isolate === null ? "" : `: ${isolate}`}${place}`;
  });
  const what = named.length === 0 ? "" : ` (segment ${named.join(", ")})`;
  const observed = mode === "observed" && !allowed ? "; only observed, so it passes now" : "";
  return `${direction.padEnd(7)}  ${visible(text)}${by}${what}${observed}${doubt}`;
}

/** The first violation of a result in one line, for a refusal or a finding: the connection and what lets it through. */
export function formatCause(violation: Violation): string {
  const places = violation.witness.flatMap(({ ends }) =>
    ends.flatMap(({ direction, mode, rules, segments }) => {
      if (mode === "unmanaged") return [];
      if (mode === "open") return [`${direction} not isolated${segments.map(({ name }) => ` (${visible(name)})`).join("")}`];
      return rules.map(({ name, at }) => `${visible(name)}${at === null ? "" : ` at ${visible(formatPosition(at))}`}`);
    }),
  );
  const by = [...new Set(places)];
  return `${formatViolation(violation)}${by.length === 0 ? "" : `, by ${by.join(", ")}`}`;
}

/** One checked claim as it is printed: outcome, claim, place, then ways. */
export function formatResult(result: ClaimResult & Pick<GuardrailResult, "claim" | "id" | "at">, word: string): readonly string[] {
  const { violations, why } = result;
  const shown = violations.slice(0, SHOWN);
  return [
    `${word.padEnd(9)}  ${visible(result.id)}  ${visible(result.claim)}  (${visible(formatPosition(result.at))})`,
    ...why.map((reason) => `             ${visible(reason)}`),
    ...shown.flatMap((violation) => [
      `  ${formatViolation(violation)}`,
      ...formatWitness(violation.witness).map((line) => `    ${line}`),
    ]),
    ...(violations.length > SHOWN ? [`  and ${violations.length - SHOWN} more`] : []),
  ];
}

/** Ways that are printed of one claim; all are in JSON. */
const SHOWN = 5;
