import { BUILT_IN_SEGMENTS } from "../kinds.ts";
import type { Note } from "../note.ts";
import type { Path, YamlDocument } from "../parse/document.ts";
import { quote } from "../schema/text.ts";
import type { DefinitionSet } from "./context.ts";
import { noteIn, ofKind, placeOf } from "./context.ts";

/** Every name is used once in its kind and is not reserved; a cluster is connected to once; a host is listed once. */
export function checkNames(set: DefinitionSet): readonly Note[] {
  return [
    ...duplicates(namesOf(set), "duplicate-name", "is defined twice", "Rename or remove one"),
    ...reservedNames(set),
    ...secondWorkspaces(set),
    ...duplicates(connectionsOf(set), "duplicate-connection", "is connected to twice", "Each cluster has one definition"),
    ...duplicates(hostNamesOf(set), "duplicate-host", "is there twice", "Host names are unique over all fleets"),
    ...duplicates(
      localHostsOf(set),
      "duplicate-local",
      "is there twice",
      "Only the host that the service runs on is local; use ssh for others",
    ),
  ];
}

/** Something that may be there once. */
interface Claim {
  readonly key: string;
  readonly label: string;
  readonly document: YamlDocument;
  readonly path: Path;
}

function namesOf(set: DefinitionSet): readonly Claim[] {
  return set.headings.flatMap(({ kind, name, document }): Claim[] => {
    if (name === undefined || kind === "Workspace") return [];
    return [{ key: `${kind}/${name}`, label: `${kind} ${quote(name)}`, document, path: ["metadata", "name"] }];
  });
}

function duplicates(claims: readonly Claim[], code: string, problem: string, rule: string): readonly Note[] {
  return repeated(claims).map(([first, second]) => {
    const detail = `The first is at ${placeOf(first.document, first.path)}. ${rule}`;
    return noteIn(second.document, second.path, "error", code, `${second.label} ${problem}`, detail);
  });
}

function connectionsOf(set: DefinitionSet): readonly Claim[] {
  return ofKind(set, "Cluster").map(({ body: { spec }, document }): Claim => {
    if (spec.context === undefined)
      return { key: "inCluster", label: "the cluster of the service", document, path: ["spec", "inCluster"] };
    return { key: `context/${spec.context}`, label: `context ${quote(spec.context)}`, document, path: ["spec", "context"] };
  });
}

function hostNamesOf(set: DefinitionSet): readonly Claim[] {
  return ofKind(set, "HostFleet").flatMap(({ body, document }) =>
    body.spec.hosts.map((host, index): Claim => ({
      key: host.name,
      label: `host ${quote(host.name)}`,
      document,
      path: ["spec", "hosts", index, "name"],
    })),
  );
}

function reservedNames(set: DefinitionSet): readonly Note[] {
  return set.headings.flatMap(({ kind, name, document }) => {
    const path = ["metadata", "name"];
    if (kind === "Segment" && BUILT_IN_SEGMENTS.some((builtIn) => builtIn === name)) {
      return [noteIn(document, path, "error", "reserved-name", `the segment name ${name} is built in`, "Choose another name")];
    }
    if (kind === "Policy" && name === "builtin") {
      const detail = "Essential rules are named builtin/NAME; choose another name";
      return [noteIn(document, path, "error", "reserved-name", "the policy name builtin is built in", detail)];
    }
    return [];
  });
}

function secondWorkspaces(set: DefinitionSet): readonly Note[] {
  const [first, ...others] = set.headings.filter(({ kind }) => kind === "Workspace");
  if (first === undefined) return [];
  const detail = `The first is at ${placeOf(first.document, [])}; put everything into one`;
  return others.map(({ document }) => noteIn(document, [], "error", "duplicate-workspace", "a second Workspace", detail));
}

function localHostsOf(set: DefinitionSet): readonly Claim[] {
  return ofKind(set, "HostFleet")
    .filter(({ body }) => body.spec.transport.local !== undefined)
    .flatMap(({ body, document }) =>
      body.spec.hosts.map((_, index): Claim => ({
        key: "local",
        label: "the local host",
        document,
        path: ["spec", "hosts", index],
      })),
    );
}

/** Each claim whose key was claimed before, with the first one. */
function repeated(claims: readonly Claim[]): readonly (readonly [Claim, Claim])[] {
  const first = new Map<string, Claim>();
  const pairs: (readonly [Claim, Claim])[] = [];
  for (const claim of claims) {
    const known = first.get(claim.key);
    if (known === undefined) first.set(claim.key, claim);
    else pairs.push([known, claim]);
  }
  return pairs;
}
