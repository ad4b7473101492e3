import { policyEdits } from "../adopt/allow.ts";
import type { FileEdit } from "../adopt/file.ts";
import type { Definitions } from "../model/kinds.ts";
import type { SourceFile } from "../model/source.ts";
import { unusedName } from "../ground/unused-name.ts";
import type { KnownAs } from "./known-as.ts";

/** Edits from the smallest on, each only a proposal. */
export function* candidates(
  definitions: Definitions,
  files: readonly SourceFile[],
  from: KnownAs,
  to: KnownAs,
  port: string,
): Generator<FileEdit> {
  if (from.kind === "segment" && to.kind === "segment") {
    yield* policyEdits(definitions, files, { from: [from.name], to: [to.name], ports: [port] });
  }
  yield newFile(definitions, files, from, to, port);
}

/** A policy in a file of its own, beside the first one, with the segments that are missing. */
function newFile(definitions: Definitions, files: readonly SourceFile[], from: KnownAs, to: KnownAs, port: string): FileEdit {
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
