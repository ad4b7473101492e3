import { unusedName } from "../ground/unused-name.ts";
import type { Definitions, Policy, Rule } from "../model/kinds.ts";
import type { SourceFile } from "../model/source.ts";
import type { Said } from "../finding/adoption.ts";
import { editPolicy, withEdit, type FileEdit } from "./file.ts";

/** Edits that would allow it, the smallest first: those of policies that are there, else a new policy in a file of its own. */
export function* allowingEdits(definitions: Definitions, files: readonly SourceFile[], said: Said): Generator<FileEdit> {
  yield* policyEdits(definitions, files, said);
  yield newFile(definitions, files, said);
}

/**
 * Edits of policies that are there: the ports added to a rule that has these segments already, else a rule added to the policy of whoever
 * opens that responder. A policy that expires is nobody's place for something new.
 */
export function* policyEdits(definitions: Definitions, files: readonly SourceFile[], said: Said): Generator<FileEdit> {
  const policies = [...definitions.policies.values()].filter(({ expires }) => expires === undefined);
  for (const policy of policies) {
    for (const [index, rule] of policy.rules.entries()) {
      if (!isExactly(rule, said)) continue;
      const found = withPorts(files, policy, index, said.ports, rule.id);
      if (found !== undefined) yield found;
    }
  }
  const { from, to, ports } = said;
  const text = ruleText(said);
  for (const policy of [...policies].sort((a, b) => fitness(b, said) - fitness(a, said) || (a.name < b.name ? -1 : 1))) {
    if (fitness(policy, said) === 0) break;
    const owner = policy.owner === undefined ? "" : ` of ${policy.owner}`;
    const what = `adds a rule to the policy ${policy.name}${owner}`;
    const edit = { kind: "append", path: ["spec", "rules"], text, value: { from, to, ports } } as const;
    const found = editPolicy(files, policy, edit, what);
    if (found !== undefined) yield found;
  }
}

/** A rule on one line, as in a list of rules. */
export function ruleText({ from, to, ports }: Said): string {
  return `{from: [${from.join(", ")}], to: [${to.join(", ")}], ports: [${ports.join(", ")}]}`;
}

function isExactly(rule: Rule, { from, to, ports }: Said): boolean {
  if (rule.ports === "any" || rule.same.length > 0 || ports.includes("any")) return false;
  return sameNames(rule.from, from) && sameNames(rule.to, to);
}

/** The same names in any order. */
export function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return [...a].sort().join() === [...b].sort().join();
}

/** Whoever opens the responder to others owns that decision; else whoever speaks for the initiator. */
function fitness({ rules }: Policy, { from, to }: Said): number {
  const opens = rules.some((rule) => to.some((name) => rule.to.includes(name)));
  const asks = rules.some((rule) => from.some((name) => rule.from.includes(name)));
  return (opens ? 2 : 0) + (asks ? 1 : 0);
}

function withPorts(
  files: readonly SourceFile[],
  policy: Policy,
  index: number,
  ports: readonly string[],
  rule: string,
): FileEdit | undefined {
  let edits: FileEdit | undefined;
  let now = files;
  const what = `adds ${ports.join(", ")} to the rule ${rule}`;
  for (const port of ports) {
    const path = ["spec", "rules", index, "ports"];
    const next = editPolicy(now, policy, { kind: "append", path, text: port, value: port }, what);
    if (next === undefined) return undefined;
    edits = { ...next, before: edits?.before ?? next.before };
    now = withEdit(now, next);
  }
  return edits;
}

function newFile(definitions: Definitions, files: readonly SourceFile[], said: Said): FileEdit {
  const wanted = `${said.from.join("-")}-to-${said.to.join("-")}`.replaceAll(/[^a-z0-9-]/g, "-");
  const name = unusedName(wanted.slice(0, 60).replaceAll(/^-+|-+$/g, ""), new Set(definitions.policies.keys()));
  const known = [...definitions.policies.values()][0]?.at.file ?? files[0]?.path ?? "policies/policy.yaml";
  const required = definitions.workspace.require.map((field) => `  ${field}: to be said\n`).join("");
  const after = `apiVersion: firebreak.dev/v1alpha1
kind: Policy
metadata: {name: ${name}}
spec:
${required}  rules:
    - ${ruleText(said)}
`;
  return { path: newPath(files, known, name), before: "", after, what: `adds the policy ${name} in a file of its own` };
}

/** A path beside a known file that no file has. */
export function newPath(files: readonly SourceFile[], beside: string, name: string): string {
  const folder = beside.slice(0, beside.lastIndexOf("/") + 1);
  const taken = new Set(files.map(({ path }) => path));
  let path = `${folder}${name}.yaml`;
  for (let number = 2; taken.has(path); number += 1) path = `${folder}${name}-${number}.yaml`;
  return path;
}
