import { isEmptyPorts, isSubsetPorts, noPorts, unionPorts } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import { portsAt } from "../guardrail/ports.ts";
import type { Definitions, Policy, Rule } from "../model/kinds.ts";
import { parseRulePort } from "../model/schema/ports.ts";
import type { SourceFile } from "../model/source.ts";
import type { Said } from "../finding/adoption.ts";
import { sameNames } from "./allow.ts";
import { editPolicy, removePolicy, textOf, withEdit, writtenRule, type FileEdit } from "./file.ts";

/**
 * Edits that may close it, the likeliest first: the ports taken from a rule with just these segments, or the rule with its last port; a
 * name taken from a rule's list; any rule that has a part in it. Whether one closes that and nothing else is for the caller to see.
 */
export function* revokingEdits({ policies }: Definitions, files: readonly SourceFile[], said: Said): Generator<FileEdit> {
  const rules = [...policies.values()].flatMap((policy) => policy.rules.map((rule, index): Place => ({ policy, rule, index })));
  const wanted = said.ports.includes("any") ? undefined : portsOf(said.ports);
  const exact = rules.filter(({ rule }) => sameNames(rule.from, said.from) && sameNames(rule.to, said.to));
  for (const place of exact) yield* withoutPorts(files, place, wanted);
  for (const place of rules) {
    if (sameNames(place.rule.to, said.to)) yield* withoutName(files, place, "from", said.from);
    if (sameNames(place.rule.from, said.from)) yield* withoutName(files, place, "to", said.to);
  }
  for (const place of rules) {
    if (exact.includes(place)) continue;
    yield* withoutPorts(files, place, wanted);
  }
}

interface Place {
  readonly policy: Policy;
  readonly rule: Rule;
  readonly index: number;
}

function* withoutPorts(
  files: readonly SourceFile[],
  { policy, rule, index }: Place,
  wanted: PortSet | undefined,
): Generator<FileEdit> {
  const written = writtenRule(files, policy, index)?.ports ?? [];
  const taken = wanted === undefined ? [] : written.flatMap((text, at) => (isTaken(portsOf([text]), wanted) ? [at] : []));
  if (wanted === undefined || (taken.length > 0 && taken.length === written.length)) {
    const edit = withoutRule(files, policy, index, rule.id);
    if (edit !== undefined) yield edit;
    return;
  }
  const what = `removes ${taken.map((at) => written[at]).join(", ")} from the rule ${rule.id}`;
  let edit: FileEdit | undefined;
  let now = files;
  for (const at of taken.toReversed()) {
    const next = editPolicy(now, policy, { kind: "remove", path: ["spec", "rules", index, "ports", at] }, what);
    if (next === undefined) return;
    edit = { ...next, before: textOf(files, next.path) ?? "" };
    now = withEdit(now, next);
  }
  if (edit !== undefined) yield edit;
}

function isTaken(ports: PortSet, wanted: PortSet): boolean {
  return !isEmptyPorts(ports) && isSubsetPorts(ports, wanted);
}

function* withoutName(
  files: readonly SourceFile[],
  { policy, rule, index }: Place,
  side: "from" | "to",
  names: readonly string[],
): Generator<FileEdit> {
  const [name, ...more] = names;
  const written = writtenRule(files, policy, index)?.[side] ?? [];
  const at = name === undefined ? -1 : written.indexOf(name);
  if (at < 0 || more.length > 0 || written.length < 2) return;
  const what = `takes ${name ?? ""} from \`${side}\` of the rule ${rule.id}`;
  const edit = editPolicy(files, policy, { kind: "remove", path: ["spec", "rules", index, side, at] }, what);
  if (edit !== undefined) yield edit;
}

function withoutRule(files: readonly SourceFile[], policy: Policy, index: number, id: string): FileEdit | undefined {
  if (policy.rules.length === 1) return removePolicy(files, policy);
  return editPolicy(files, policy, { kind: "remove", path: ["spec", "rules", index] }, `removes the rule ${id}`);
}

/** Ports of a rule by number; a name is no number. */
export function portsOf(texts: readonly string[]): PortSet {
  return texts.reduce((sum, text) => {
    const parsed = parseRulePort(text);
    return "ok" in parsed ? unionPorts(sum, portsAt([parsed.ok], undefined)) : sum;
  }, noPorts);
}
