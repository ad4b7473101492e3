import { parseAllDocuments } from "yaml";
import { editYaml, type YamlEdit } from "../edit/edit.ts";
import type { Definitions, Policy, Rule } from "../model/kinds.ts";
import type { SourceFile } from "../model/source.ts";
import { unusedName, type KnownAs } from "./known-as.ts";

/** One edit that may do: a file before and after it. */
export interface Candidate {
  readonly path: string;
  readonly before: string;
  readonly after: string;
  readonly what: string;
}

/** Edits from the smallest on, each only a proposal. */
export function* candidates(
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
