import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";
import { parseAllDocuments } from "yaml";
import { editYaml, type YamlEdit } from "../edit/edit.ts";
import { checkGuardrails } from "../guardrail/check.ts";
import { checkTests } from "../guardrail/tests.ts";
import { formatPosition } from "../model/note.ts";
import { parseDefinitions } from "../model/parse.ts";
import type { Definitions, Policy, Rule } from "../model/kinds.ts";
import type { SourceFile } from "../model/source.ts";
import type { Source } from "../reach/source.ts";
import { formatCause } from "../text/guardrail.ts";
import type { AllowingEdit } from "./answer.ts";
import type { Question } from "./ask.ts";
import { knownAs, unusedName, type KnownAs } from "./known-as.ts";
import { findPair, verdictOf, type Pair } from "./pair.ts";
import type { ConnectivityWorld } from "./world.ts";

/** Why there is no edit, as a sentence; or the edit. */
export type EditAnswer = { readonly ok: AllowingEdit } | { readonly none: string };

/** What an edit is made from. */
export interface EditInputs {
  /** The definitions as they are. */
  readonly files: readonly SourceFile[];
  /** The path of a file as the patch shall name it. */
  readonly patchPath: (path: string) => string;
}

/**
 * The smallest edit of definitions that would allow what is denied: the port added to a rule that has both segments already, else a rule
 * added to the policy of whoever opens that responder, else a new policy in a file of its own, with a segment for an end that none holds.
 *
 * Spliced, so that nothing else of a file changes; then read again and asked again: an edit that does not do it is not shown. One that
 * allows every pair that was asked about comes before one that allows only the pair that is told.
 */
export function smallestEdit(world: ConnectivityWorld, inputs: EditInputs, question: Question, pair: Pair): EditAnswer {
  const from = knownAs(world, question.from, pair.from);
  const to = knownAs(world, question.to, pair.to);
  if (typeof from === "string") return { none: from };
  if (typeof to === "string") return { none: to };
  let partial: AllowingEdit | undefined;
  for (const candidate of candidates(world.definitions, inputs.files, from, to, question.portText)) {
    const edit = proven(world, inputs, question, pair, candidate);
    if (edit?.isWhole === true) return { ok: edit.edit };
    partial ??= edit?.edit;
  }
  if (partial !== undefined) return { ok: partial };
  return { none: "no rule would allow it: it is closed for another reason, which stands above" };
}

interface Candidate {
  readonly path: string;
  readonly before: string;
  readonly after: string;
  readonly what: string;
}

function* candidates(
  definitions: Definitions,
  files: readonly SourceFile[],
  from: KnownAs,
  to: KnownAs,
  port: string,
): Generator<Candidate> {
  if (from.kind === "segment" && to.kind === "segment") yield* inPolicies(definitions, files, from.name, to.name, port);
  yield newFile(definitions, files, from, to, port);
}

/** Edits of policies that are there. One that expires is nobody's place for something new. */
function* inPolicies(
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

/** A policy in a file of its own, beside the first one, with the segments that are missing. */
function newFile(definitions: Definitions, files: readonly SourceFile[], from: KnownAs, to: KnownAs, port: string): Candidate {
  const known = [...definitions.policies.values()][0]?.at.file ?? files[0]?.path ?? "policies/policy.yaml";
  const folder = known.slice(0, known.lastIndexOf("/") + 1);
  const wanted = `${from.name}-to-${to.name}`.slice(0, 60).replace(/-+$/, "");
  const takenFiles = files
    .filter(({ path }) => path.startsWith(folder))
    .map(({ path }) => path.slice(folder.length).replace(/\.ya?ml$/i, ""));
  const name = unusedName(wanted, new Set([...definitions.policies.keys(), ...takenFiles]));
  const segments = [from, ...(to.name === from.name ? [] : [to])].flatMap((end) => (end.kind === "new" ? [segmentText(end)] : []));
  const required = definitions.workspace.require.map((field) => `  ${field}: to be said\n`).join("");
  const policy = `${HEAD}
kind: Policy
metadata: {name: ${name}}
spec:
${required}  rules:
    - {from: [${from.name}], to: [${to.name}], ports: [${port}]}
`;
  const adds = [...segments.map((_, index) => [from, to].filter(({ kind }) => kind === "new")[index]?.name ?? ""), name];
  const what =
    segments.length === 0
      ? `adds the policy ${name}`
      : `adds ${adds
          .slice(0, -1)
          .map((one) => `the segment ${one}`)
          .join(", ")} and the policy ${name}`;
  return {
    path: `${folder}${name}.yaml`,
    before: "",
    after: [...segments, policy].join("---\n"),
    what: `${what} in a file of its own`,
  };
}

const HEAD = "apiVersion: firebreak.dev/v1alpha1";

function segmentText({ name, spec: { member, isolate } }: Extract<KnownAs, { readonly kind: "new" }>): string {
  const isolated = isolate === undefined ? "" : `  isolate: ${isolate}\n`;
  return `${HEAD}\nkind: Segment\nmetadata: {name: ${name}}\nspec:\n  members:\n    - ${member}\n${isolated}`;
}

/** The edit, when it really allows the pair, and whether it allows all that was asked about. */
function proven(
  world: ConnectivityWorld,
  { files, patchPath }: EditInputs,
  question: Question,
  pair: Pair,
  { path, before, after, what }: Candidate,
): { readonly edit: AllowingEdit; readonly isWhole: boolean } | undefined {
  const file: SourceFile = { path, bytes: new TextEncoder().encode(after) };
  const { definitions } = parseDefinitions([...files.filter((other) => other.path !== path), file], { allow: undefined });
  if (definitions === undefined) return undefined;
  // Targets and workloads stay as they are in this world: made up as applied, or as they were seen.
  const changed: Definitions = { ...definitions, clusters: world.definitions.clusters, fleets: world.definitions.fleets };
  const source = world.intentOf(changed);
  if (verdictOf(source, question, pair) !== "allowed") return undefined;
  const edit = { patch: patchOf(patchPath(path), before, after), file: path, what, breaks: broken(world, changed, source) };
  return { edit, isWhole: findPair(source, question).verdict === "allowed" };
}

/** As `git apply` takes it. An empty header puts a tab behind a name, which is how one with blanks ends. */
function patchOf(path: string, before: string, after: string): string {
  const [old, young] = [before === "" ? "/dev/null" : `a/${path}`, `b/${path}`];
  const header = path.includes(" ") ? "" : undefined;
  return createTwoFilesPatch(old, young, before, after, header, header, { context: 3, headerOptions: FILE_HEADERS_ONLY });
}

/** Guardrails that would be broken, or broken wider, and tests of policies that would fail. */
function broken({ definitions: now, approved }: ConnectivityWorld, changed: Definitions, source: Source): readonly string[] {
  const guardrails = checkGuardrails(changed, source, { source: approved }).flatMap(({ guardrail, claim, violations }) =>
    violations
      .filter(({ added }) => added)
      .slice(0, 1)
      .map((violation) => `guardrail ${guardrail} (${claim}): ${formatCause(violation)}`),
  );
  const failedBefore = new Set(checkTests(now, approved).flatMap(({ id, outcome }) => (outcome === "violated" ? [id] : [])));
  const tests = checkTests(changed, source).flatMap(({ id, claim, outcome, at }) =>
    outcome === "violated" && !failedBefore.has(id) ? [`test ${id} (${formatPosition(at)}): ${claim}`] : [],
  );
  return [...guardrails, ...tests];
}
