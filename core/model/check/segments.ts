import { isUnsatisfiable, matches } from "../../selector/index.ts";
import type { LabelSelector, Labels } from "../../selector/index.ts";
import type { Note } from "../note.ts";
import type { Path, YamlDocument } from "../parse/document.ts";
import { arePeersOnly, kindOfMember } from "../parse/nesting.ts";
import type { MemberKind } from "../parse/nesting.ts";
import type { MemberFields, SegmentDocument } from "../schema/segment.ts";
import type { DefinitionSet } from "./context.ts";
import { noteIn, ofKind } from "./context.ts";

/** What members say: isolation of something that can be isolated, selectors that can match, and how far they reach. */
export function checkSegments(set: DefinitionSet): readonly Note[] {
  const choices = staticChoices(set);
  return ofKind(set, "Segment").flatMap(({ body, document }) => {
    const each = (list: "members" | "not", notes: (member: MemberFields, path: Path) => readonly Note[]) =>
      body.spec[list].flatMap((member, index) => notes(member, ["spec", list, index]));
    return [
      ...(arePeersOnly(set.nesting.kindsOf(body.metadata.name)) ? peerOnlyNotes(body.spec, document) : []),
      ...each("members", (member, path) => [
        ...reachNotes(member, path, document),
        ...selectorNotes(member, path, document, choices),
      ]),
      ...each("not", (member, path) => selectorNotes(member, path, document, choices)),
      ...notNotes(set, body.spec, document),
    ];
  });
}

type SegmentSpec = SegmentDocument["spec"];

function peerOnlyNotes(spec: SegmentSpec, document: YamlDocument): readonly Note[] {
  const why = "Addresses, externals and boundaries are peers only: nothing runs there that could be";
  const refuse = (field: string, code: string, done: string) =>
    noteIn(
      document,
      ["spec", field],
      "error",
      code,
      `${field} on a segment without managed workloads`,
      `${why} ${done}; remove ${field}`,
    );
  return [
    ...(spec.isolate === undefined ? [] : [refuse("isolate", "isolate-peers", "isolated")]),
    ...(spec.needs.length === 0 ? [] : [refuse("needs", "needs-peers", "given access")]),
    ...(spec.sealed ? [refuse("sealed", "sealed-peers", "sealed")] : []),
  ];
}

/** What can be told apart by what: labels of pods, labels of hosts, addresses. */
const LIKE: Readonly<Record<Exclude<MemberKind, "segments">, "pods" | "hosts" | "addresses">> = {
  pods: "pods",
  service: "pods",
  hosts: "hosts",
  externals: "addresses",
  boundary: "addresses",
  addresses: "addresses",
};

/** `not` takes away like from like: what can take nothing away does not say what its author meant. */
function notNotes(set: DefinitionSet, spec: SegmentSpec, document: YamlDocument): readonly Note[] {
  const given = kindsOfMembers(set, spec.members);
  if (given === undefined) return [];
  const have = new Set([...given].map(likeOf));
  return spec.not.flatMap((member, index): readonly Note[] => {
    const kinds = kindsOfMembers(set, [member]);
    if (kinds === undefined) return [];
    const likes = [...new Set([...kinds].map(likeOf))].filter((like) => like !== undefined);
    const wrong = likes.filter((like) => !have.has(like));
    if (wrong.length === 0) return [];
    const what = wrong.join(" and ");
    const at = ["spec", "not", index];
    const isInDoubt = wrong.includes("addresses") || (!have.has("pods") && !have.has("hosts"));
    if (wrong.length < likes.length || !isInDoubt) {
      const detail = `No member of this segment chooses by ${what}; nothing to do if that is known`;
      return [noteIn(document, at, "info", "not-in-part", `not by ${what} takes nothing away`, detail)];
    }
    const detail = wrong.includes("addresses")
      ? "Addresses leave out addresses only: who is chosen by labels stays, whatever its address; leave it out by labels"
      : "Labels leave out pods and hosts only: an address stays, whoever has it; list the addresses without it";
    return [noteIn(document, at, "error", "not-unlike", `not by ${what} takes nothing away`, detail)];
  });
}

function likeOf(kind: MemberKind): string | undefined {
  return kind === "segments" ? undefined : LIKE[kind];
}

/** The kinds of members, of nested segments too; undefined when something is unknown. */
function kindsOfMembers(set: DefinitionSet, members: readonly MemberFields[]): ReadonlySet<MemberKind> | undefined {
  const kinds = members.map((member) =>
    member.segments === undefined ? [new Set([kindOfMember(member)])] : member.segments.map((name) => set.nesting.kindsOf(name)),
  );
  const flat = kinds.flat();
  return flat.includes(undefined) ? undefined : new Set(flat.flatMap((some) => [...(some ?? [])]));
}

function reachNotes(member: MemberFields, path: Path, document: YamlDocument): readonly Note[] {
  const clusters = member.boundary === undefined ? member.clusters : member.boundary.clusters;
  if ((member.namespaces ?? member.service ?? member.boundary) !== undefined && clusters === undefined) {
    const detail = "Add clusters to name some; nothing to do if all are meant";
    return [noteIn(document, path, "info", "every-cluster", "the member reaches every cluster, also future ones", detail)];
  }
  if (member.hosts !== undefined && member.fleets === undefined) {
    const detail = "Add fleets to name some; nothing to do if all are meant";
    return [noteIn(document, path, "info", "every-fleet", "the member reaches every fleet, also future ones", detail)];
  }
  return [];
}

/** What a selector of Git alone chooses from; undefined where some of it could not be read. */
type Choices = Readonly<Record<"clusters" | "fleets" | "hosts" | "externals", readonly Labels[] | undefined>>;

function staticChoices(set: DefinitionSet): Choices {
  const fleets = ofKind(set, "HostFleet").map(({ body }) => body);
  const whole = <T>(kind: "Cluster" | "HostFleet" | "External", labels: T): T | undefined =>
    set.wholeKinds.has(kind) ? labels : undefined;
  return {
    clusters: whole(
      "Cluster",
      ofKind(set, "Cluster").map(({ body }) => body.metadata.labels),
    ),
    fleets: whole(
      "HostFleet",
      fleets.map(({ metadata }) => metadata.labels),
    ),
    hosts: whole(
      "HostFleet",
      fleets.flatMap(({ metadata, spec }) => spec.hosts.map(({ labels }) => ({ ...metadata.labels, ...labels }))),
    ),
    externals: whole(
      "External",
      ofKind(set, "External").map(({ body }) => body.metadata.labels),
    ),
  };
}

function selectorNotes(member: MemberFields, path: Path, document: YamlDocument, choices: Choices): readonly Note[] {
  const { pods, namespaces, hosts, fleets, externals, boundary } = member;
  const clusters = boundary === undefined ? member.clusters : boundary.clusters;
  return Object.entries({ pods, namespaces, clusters, hosts, fleets, externals }).flatMap(([field, selector]): Note[] => {
    if (selector === undefined) return [];
    const at = boundary === undefined ? [...path, field] : [...path, "boundary", field];
    if (isUnsatisfiable(selector)) {
      const detail = "Its requirements contradict each other; as written the member stays empty";
      return [noteIn(document, at, "warning", "contradictory-selector", `${field} can never match`, detail)];
    }
    const labels = Object.hasOwn(choices, field) ? choices[field as keyof Choices] : undefined;
    if (labels === undefined || labels.some((one) => matches(selector, one))) return [];
    const detail = "Nothing in this repository has such labels now; look for a typo";
    return [noteIn(document, at, "warning", "matches-nothing", `${field} matches nothing`, detail)];
  });
}

/** True when membership rests on labels that everybody who may create a pod can set: no namespace is named. */
export function restsOnPodLabels(member: MemberFields): boolean {
  return (
    member.pods !== undefined && !isEverything(member.pods) && member.namespaces !== undefined && isEverything(member.namespaces)
  );
}

function isEverything({ matchLabels, matchExpressions }: LabelSelector): boolean {
  return Object.keys(matchLabels ?? {}).length === 0 && (matchExpressions ?? []).length === 0;
}
