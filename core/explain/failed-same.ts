import { intersectPorts, isEmptyPorts } from "../address/ports.ts";
import type { ConnectivityWorld } from "../guardrail/world.ts";
import { endReader } from "../guardrail/ends.ts";
import { portsAt } from "../guardrail/ports.ts";
import type { Workload } from "../estate/estate.ts";
import type { Rule } from "../model/kinds.ts";
import type { Question } from "./ask.ts";
import type { Pair } from "./pair.ts";

/**
 * Rules that would allow the pair and do not, because they compare labels that part, or that one of them has not; each a sentence:
 * `rule directory/2 compares color: ldap-blue-1 has blue, ldap-red-1 has red`.
 */
export function failedSame({ definitions, estate }: ConnectivityWorld, question: Question, { from, to }: Pair): readonly string[] {
  if (from.kind !== "workload" || to.kind !== "workload") return [];
  const read = endReader(definitions, estate);
  const wanted = portsAt([question.port], to.workload);
  const isMeant = ({ same, from: initiators, to: responders, ports }: Rule): boolean =>
    same.length > 0 &&
    initiators.some((name) => read(name).has(from.workload)) &&
    responders.some((name) => read(name).has(to.workload)) &&
    !isEmptyPorts(intersectPorts(wanted, portsAt(ports, to.workload)));
  return [...definitions.policies.values()]
    .flatMap(({ rules }) => rules.filter(isMeant))
    .flatMap((rule) => {
      const parted = rule.same.filter(
        (key) => from.workload.labels[key] === undefined || from.workload.labels[key] !== to.workload.labels[key],
      );
      return parted.length === 0 ? [] : [sentence(rule, parted, from.workload, to.workload)];
    });
}

function sentence(rule: Rule, keys: readonly string[], from: Workload, to: Workload): string {
  const said = ({ name, labels }: Workload, key: string): string =>
    `${name} has ${labels[key] === undefined ? `no ${key}` : labels[key]}`;
  const parts = keys.map((key) => `${key}: ${said(from, key)}, ${said(to, key)}`);
  return `rule ${rule.id} would allow it, but compares ${parts.join("; ")}. Only equal labels are the same`;
}
