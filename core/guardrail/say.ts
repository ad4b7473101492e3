import type { EndAnswer } from "./end.ts";
import type { Violation } from "./results.ts";
import type { Hop } from "./witness.ts";
import { formatPosition } from "../model/note.ts";
import { visible } from "../ground/visible.ts";

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

/** One end in a line: `ingress  allowed by order-flow/0 (policies/order-flow.yaml:7)`. Places that the sentence names are not repeated. */
export function formatEnd({ direction, text, rules, segments, uncertain }: EndAnswer): string {
  const parts = [...rules, ...segments].flatMap(({ name, at }) => {
    if (at === null || text.includes(`${at.file}:${at.line}`)) return [];
    return [`${visible(name)} at ${visible(formatPosition(at))}`];
  });
  const places = parts.length === 0 ? "" : ` (${parts.join(", ")})`;
  const doubt = uncertain.length === 0 ? "" : `; uncertain: ${uncertain.map(visible).join("; ")}`;
  return `${direction.padEnd(7)}  ${visible(text)}${places}${doubt}`;
}

/** The first violation of a result in one line, for a refusal or a finding: the connection, and what lets it through or closes it. */
export function formatCause(violation: Violation): string {
  const closing = violation.witness.flatMap(({ ends }) => ends.filter(({ passes }) => !passes));
  const places = violation.witness.flatMap(({ ends }) =>
    ends.flatMap(({ direction, mode, passes, rules, segments }) => {
      if (mode === "unmanaged" || (closing.length > 0 && passes)) return [];
      if (!passes) return [`${direction} isolated${segments.map(({ name }) => ` (${visible(name)})`).join("")}`];
      if (mode === "open") return [`${direction} not isolated${segments.map(({ name }) => ` (${visible(name)})`).join("")}`];
      return rules.map(({ name, at }) => `${visible(name)}${at === null ? "" : ` at ${visible(formatPosition(at))}`}`);
    }),
  );
  const by = [...new Set(places)];
  return `${formatViolation(violation)}${by.length === 0 ? "" : `, by ${by.join(", ")}`}`;
}
