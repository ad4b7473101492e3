import { isUnsatisfiable, matches } from "../../selector/index.ts";
import type { LabelSelector, Labels } from "../../selector/index.ts";
import type { Note } from "../note.ts";
import { isPeerOnly } from "../parse/normalise.ts";
import type { YamlDocument } from "../parse/document.ts";
import type { MemberFields } from "../schema/segment.ts";
import type { DefinitionSet } from "./context.ts";
import { noteIn, ofKind } from "./context.ts";

/** What members say: isolation of something that can be isolated, selectors that can match, and how far they reach. */
export function checkSegments(set: DefinitionSet): readonly Note[] {
  const choices = staticChoices(set);
  return ofKind(set, "Segment").flatMap(({ body, document }) => [
    ...isolationNotes(body.spec, document),
    ...body.spec.members.flatMap((member, index) => {
      const path = ["spec", "members", index];
      return [...reachNotes(member, path, document), ...selectorNotes(member, path, document, choices)];
    }),
  ]);
}

function isolationNotes(
  spec: { readonly members: readonly MemberFields[]; readonly isolate?: unknown },
  document: YamlDocument,
): readonly Note[] {
  if (spec.isolate === undefined || !spec.members.every(isPeerOnly)) return [];
  const detail = "Addresses and externals are peers only: nothing runs there that could be isolated; remove isolate";
  return [
    noteIn(document, ["spec", "isolate"], "error", "isolate-peers", "isolate on a segment without managed workloads", detail),
  ];
}

function reachNotes(member: MemberFields, path: readonly PropertyKey[], document: YamlDocument): readonly Note[] {
  if (member.namespaces !== undefined && member.clusters === undefined) {
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

function selectorNotes(
  member: MemberFields,
  path: readonly PropertyKey[],
  document: YamlDocument,
  choices: Choices,
): readonly Note[] {
  const { addresses: _, ...selectors } = member;
  return Object.entries(selectors).flatMap(([field, selector]): Note[] => {
    if (selector === undefined) return [];
    const at = [...path, field];
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
