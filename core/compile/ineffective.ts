import { NAMESPACE_NAME_LABEL } from "../membership/select.ts";
import { choosesCluster, segmentNamed, subjectsIn } from "../membership/resolve.ts";
import type { Subject } from "../membership/subject.ts";
import type { Cluster, Definitions, Direction, Host, Rule, Segment } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import { EndIndex } from "./end-index.ts";
import { ruleBook, subjectEnds } from "./rules.ts";
import type { RuleBook } from "./rules.ts";
import { intersectSubjects } from "./subjects.ts";

/** Answers whether a rule that names a segment at this end can be enforced there. */
type CanBeEnforced = (direction: Direction, name: string) => boolean;

/** Rules that nothing enforces yet, whatever the inventory: neither end is isolated in a target that is written. */
export function noteIneffective(definitions: Definitions): readonly Note[] {
  const book = ruleBook(definitions);
  const canBeEnforced = enforcement(definitions, book);
  return book.rules.flatMap((rule) => noteRule(book, rule, canBeEnforced));
}

function noteRule(book: RuleBook, rule: Rule, canBeEnforced: CanBeEnforced): readonly Note[] {
  // Nobody can ever enforce it: the parser has said so.
  if (areUnmanaged(book, rule.from) && areUnmanaged(book, rule.to)) return [];
  const hasEffect = (["ingress", "egress"] as const).some((direction) =>
    subjectEnds(rule, direction).some((name) => canBeEnforced(direction, name)),
  );
  if (hasEffect) return [];
  return [
    {
      severity: "info",
      code: "no-effect-yet",
      at: rule.at,
      summary: `rule ${rule.id} has no effect yet: neither end is enforced in a target with mode: apply`,
      detail:
        "Until one end is, everything is open there, also what no rule allows: set `enforce` on its segment and `mode: apply` on its target.",
    },
  ];
}

/** True when every end is addresses only: nothing of ours stands there. `any` has managed workloads in it. */
function areUnmanaged(book: RuleBook, names: readonly string[]): boolean {
  return names.every((name) => {
    if (name === "any") return false;
    if (name === "internet") return true;
    return book.flatMembers(name).every(({ kind }) => kind === "externals" || kind === "addresses" || kind === "boundary");
  });
}

/** True unless the segment provably shares no workload of an applying target with one that is enforced. */
function enforcement(definitions: Definitions, book: RuleBook): CanBeEnforced {
  const clusters = [...definitions.clusters.values()].filter(({ mode, enforcer }) => mode === "apply" && enforcer !== "none");
  const fleets = [...definitions.fleets.values()].filter(({ mode }) => mode === "apply");
  const applied = new Set(fleets.flatMap(({ hosts }) => hosts));
  const sides = { ingress: enforcedIn("ingress"), egress: enforcedIn("egress") };
  const known = new Map<string, boolean>();
  return (direction, name) => {
    if (name === "internet") return false;
    const key = `${direction} ${name}`;
    const answer = known.get(key) ?? sides[direction](name);
    known.set(key, answer);
    return answer;
  };

  function enforcedIn(direction: Direction): (name: string) => boolean {
    const enforced = book.segments.filter((segment) => segment.isolate[direction] === "enforce");
    const hosts = new Set<Host>(enforced.flatMap(({ name }) => book.hostsIn(name)).filter((host) => applied.has(host)));
    const pods = clusters.map((cluster) => {
      const subjects = enforced.flatMap((segment) => possibleSubjects(definitions, book, segment, cluster));
      return { cluster, subjects, index: new EndIndex(subjects, (subject) => [subject]) };
    });
    return (name) => {
      if (name === "any") return hosts.size > 0 || pods.some(({ subjects }) => subjects.length > 0);
      if (book.hostsIn(name).some((host) => hosts.has(host))) return true;
      const segment = segmentNamed(definitions, name);
      return pods.some(({ cluster, index }) => {
        const own = possibleSubjects(definitions, book, segment, cluster);
        return intersectSubjects(own, index.near(own)).length > 0;
      });
    };
  }
}

/** Pods that the segment can have there; what stands behind a service only its cluster knows, so that is any pod of its namespace. */
function possibleSubjects(definitions: Definitions, book: RuleBook, segment: Segment, cluster: Cluster): readonly Subject[] {
  const behind = book.flatMembers(segment.name).flatMap((member): readonly Subject[] => {
    if (member.kind !== "service" || !choosesCluster(member.clusters, cluster)) return [];
    return [{ pods: {}, namespaces: { matchLabels: { [NAMESPACE_NAME_LABEL]: member.service.namespace } } }];
  });
  return [...subjectsIn(definitions, segment, cluster, NO_SERVICES, "in"), ...behind];
}

const NO_SERVICES = [] as const;
