import { createTwoFilesPatch } from "diff";
import { parseAllDocuments } from "yaml";
import { editYaml, type YamlEdit } from "../edit/edit.ts";
import { checkGuardrails } from "../guardrail/check.ts";
import { endReader } from "../guardrail/ends.ts";
import { intentOf } from "../intent/intent.ts";
import { parseDefinitions } from "../model/parse.ts";
import type { Definitions, Policy, Rule } from "../model/kinds.ts";
import type { SourceFile } from "../model/source.ts";
import type { Party } from "../reach/source.ts";
import { formatCause } from "../text/guardrail.ts";
import { verdictOf, type AllowingEdit, type Pair } from "./answer.ts";
import type { Named, Question } from "./ask.ts";
import type { ConnectivityWorld } from "./world.ts";

/** Why there is no edit, as a sentence; or the edit. */
export type EditAnswer = { readonly ok: AllowingEdit } | { readonly none: string };

/**
 * The smallest edit of policies that would allow a denied pair: the port added to a rule that has both segments already, else a rule added
 * to the policy of whoever opens that responder, else a new policy in a file of its own.
 *
 * Spliced, so that nothing else of a file changes; then read again and asked again: an edit that does not do it is not shown.
 *
 * @param files the definitions as they are, with the paths that the patch shall name
 */
export function smallestEdit(world: ConnectivityWorld, files: readonly SourceFile[], question: Question, pair: Pair): EditAnswer {
  const from = segmentFor(world, question.from, pair.from);
  const to = segmentFor(world, question.to, pair.to);
  if (from === undefined) return { none: `no segment holds ${question.from.text}; define one, then a rule can name it` };
  if (to === undefined) return { none: `no segment holds ${question.to.text}; define one, then a rule can name it` };
  for (const candidate of candidates(world.definitions, files, from, to, question.portText)) {
    const edit = proven(world, files, question, pair, candidate);
    if (edit !== undefined) return { ok: edit };
  }
  return { none: "no rule would allow it: it is closed for another reason, which stands above" };
}

interface Candidate {
  readonly path: string;
  readonly before: string;
  readonly after: string;
  readonly what: string;
}

/** The segment that was named, else the smallest one that holds the workload. */
function segmentFor({ definitions, estate }: ConnectivityWorld, named: Named, party: Party): string | undefined {
  if (named.kind === "segment") return named.text;
  const read = endReader(definitions, estate);
  const holding = [...definitions.segments.keys()].filter((name) => {
    const end = read(name);
    return party.kind === "workload" && end.has(party.workload);
  });
  const sized = holding.map((name) => ({ name, size: estate.workloads.filter(read(name).has).length }));
  return sized.sort((a, b) => a.size - b.size || (a.name < b.name ? -1 : 1))[0]?.name;
}

function* candidates(
  definitions: Definitions,
  files: readonly SourceFile[],
  from: string,
  to: string,
  port: string,
): Generator<Candidate> {
  const policies = [...definitions.policies.values()].filter(({ expires }) => expires === undefined);
  for (const policy of policies) {
    for (const [index, rule] of policy.rules.entries()) {
      if (!isExactly(rule, from, to)) continue;
      const edit: YamlEdit = { kind: "append", path: ["spec", "rules", index, "ports"], text: port, value: port };
      const found = edited(files, policy, edit, `adds ${port} to the rule ${rule.id}`);
      if (found !== undefined) yield found;
    }
  }
  const text = `{from: [${from}], to: [${to}], ports: [${port}]}`;
  const value = { from: [from], to: [to], ports: [port] };
  for (const policy of [...policies].sort((a, b) => fitness(b, from, to) - fitness(a, from, to) || (a.name < b.name ? -1 : 1))) {
    if (fitness(policy, from, to) === 0) break;
    const edit: YamlEdit = { kind: "append", path: ["spec", "rules"], text, value };
    const owner = policy.owner === undefined ? "" : ` of ${policy.owner}`;
    const found = edited(files, policy, edit, `adds a rule to the policy ${policy.name}${owner}`);
    if (found !== undefined) yield found;
  }
  yield newFile(definitions, files, from, to, port);
}

function isExactly({ from, to, ports, same }: Rule, wantedFrom: string, wantedTo: string): boolean {
  return (
    from.length === 1 && to.length === 1 && from[0] === wantedFrom && to[0] === wantedTo && ports !== "any" && same.length === 0
  );
}

/** Whoever opens the responder to others owns that decision; else whoever speaks for the initiator. */
function fitness({ rules }: Policy, from: string, to: string): number {
  const opens = rules.some((rule) => rule.to.includes(to));
  const asks = rules.some((rule) => rule.from.includes(from));
  return (opens ? 2 : 0) + (asks ? 1 : 0);
}

function edited(files: readonly SourceFile[], policy: Policy, edit: YamlEdit, what: string): Candidate | undefined {
  const file = files.find(({ path }) => path === policy.at.file);
  if (file === undefined) return undefined;
  const before = new TextDecoder().decode(file.bytes);
  const document = parseAllDocuments(before).findIndex((found) => {
    const value = found.toJS() as { readonly kind?: unknown; readonly metadata?: { readonly name?: unknown } } | null;
    return value?.kind === "Policy" && value.metadata?.name === policy.name;
  });
  if (document < 0) return undefined;
  const after = editYaml(before, document, edit);
  return "ok" in after ? { path: file.path, before, after: after.ok, what } : undefined;
}

function newFile(definitions: Definitions, files: readonly SourceFile[], from: string, to: string, port: string): Candidate {
  const name = unusedName(`${from}-to-${to}`.slice(0, 60).replace(/-+$/, ""), new Set(definitions.policies.keys()));
  const known = [...definitions.policies.values()][0]?.at.file ?? files[0]?.path ?? "policies/policy.yaml";
  const path = `${known.slice(0, known.lastIndexOf("/") + 1)}${name}.yaml`;
  const required = definitions.workspace.require.map((field) => `  ${field}: to be said\n`).join("");
  const after = `apiVersion: firebreak.dev/v1alpha1
kind: Policy
metadata: {name: ${name}}
spec:
${required}  rules:
    - {from: [${from}], to: [${to}], ports: [${port}]}
`;
  return { path, before: "", after, what: `adds the policy ${name} in a file of its own` };
}

function unusedName(name: string, taken: ReadonlySet<string>): string {
  let candidate = name;
  for (let number = 2; taken.has(candidate); number += 1) candidate = `${name}-${number}`;
  return candidate;
}

/** The edit, when it really allows the pair. */
function proven(
  { definitions: now, estate, approved }: ConnectivityWorld,
  files: readonly SourceFile[],
  question: Question,
  pair: Pair,
  { path, before, after, what }: Candidate,
): AllowingEdit | undefined {
  const file: SourceFile = { path, bytes: new TextEncoder().encode(after) };
  const next = [...files.filter((other) => other.path !== path), file];
  const { definitions } = parseDefinitions(next, { allow: undefined });
  if (definitions === undefined) return undefined;
  // Targets and workloads stay as they are in this world: made up as applied, or as they were seen.
  const changed: Definitions = { ...definitions, clusters: now.clusters, fleets: now.fleets };
  const source = intentOf(changed, estate, { as: "approved" });
  if (verdictOf(source, question, pair) !== "allowed") return undefined;
  const breaks = checkGuardrails(changed, source, { source: approved }).flatMap(({ guardrail, claim, violations }) =>
    violations
      .filter(({ added }) => added)
      .slice(0, 1)
      .map((violation) => `guardrail ${guardrail} (${claim}): ${formatCause(violation)}`),
  );
  const patch = createTwoFilesPatch(before === "" ? "/dev/null" : `a/${path}`, `b/${path}`, before, after, undefined, undefined, {
    context: 3,
  });
  return { patch: patch.replace(/^=+\n/, ""), file: path, what, breaks };
}
