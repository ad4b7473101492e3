import type { ClusterInventory, Namespace, Pod } from "../membership/inventory.ts";
import { choosesCluster, isPodIn } from "../membership/resolve.ts";
import { NAMESPACE_NAME_LABEL, namespaceLabels } from "../membership/select.ts";
import type { WorkloadId } from "../estate/estate.ts";
import type { Cluster, Definitions, Member, Segment, TargetId } from "../model/kinds.ts";
import { clusterTargetId } from "../model/target.ts";
import { matches, type LabelSelector, type Labels } from "../selector/index.ts";
import type { Symbolic } from "./symbolic.ts";
import { valuesOf } from "./witness-labels.ts";

/** More pods than this are not made for one cluster. */
const MOST = 500;

type PodsMember = Extract<Member, { kind: "pods" }>;

/**
 * Made-up pods that stand in several segments at once: each pod of `symbolicInventories` as a member of each other segment that its labels
 * allow, and of as many as they can together.
 *
 * Only what a repository leaves open is made up: labels of the namespace (a team, where another segment goes by its name), and labels of the
 * pod of which some value must be there. Whether such a pod exists nobody knows from Git: what only these break is undecided, not broken.
 *
 * @param touched of which segments one must be in; then also such as ask for certain labels stand together. Undefined: any, broad ones only
 * @returns with the ids of the pods that are in several segments
 */
export function overlapInventories(
  definitions: Definitions,
  { inventories }: Symbolic,
  touched?: ReadonlySet<string>,
): Symbolic & { readonly made: ReadonlySet<WorkloadId> } {
  const gaps: string[] = [];
  const ids = new Set<WorkloadId>();
  const made = [...definitions.clusters.values()].flatMap((cluster): readonly (readonly [TargetId, ClusterInventory])[] => {
    const inventory = inventories.get(clusterTargetId(cluster.name));
    if (inventory === undefined) return [];
    const overlaps = new Overlaps(definitions, cluster, inventory, touched);
    for (const { namespace, name } of overlaps.made()) ids.add(`${inventory.target}/${namespace}/${name}`);
    if (overlaps.isCut) gaps.push(`cluster ${cluster.name}: more than ${MOST} ways to stand in two segments; not all were tried`);
    return [[inventory.target, overlaps.inventory()]];
  });
  return { inventories: new Map(made), gaps, made: ids };
}

class Overlaps {
  readonly #definitions: Definitions;
  readonly #cluster: Cluster;
  readonly #base: ClusterInventory;
  readonly #values: ReadonlyMap<string, readonly string[]>;
  readonly #namespaces: Namespace[] = [];
  readonly #pods: Pod[] = [];
  readonly #made = new Set<string>();
  readonly #touched: ReadonlySet<string> | undefined;
  isCut = false;

  constructor(definitions: Definitions, cluster: Cluster, base: ClusterInventory, touched: ReadonlySet<string> | undefined) {
    this.#touched = touched;
    this.#definitions = definitions;
    this.#cluster = cluster;
    this.#base = base;
    this.#values = valuesOf(definitions);
    const known = new Map(base.namespaces.map((namespace) => [namespace.name, namespaceLabels(namespace)]));
    const membersOf = touched === undefined ? broadMembers : podMembers;
    const all = [...definitions.segments.values()].flatMap((segment) => membersOf(segment, cluster));
    for (const pod of base.pods) {
      const own: Placed = { labels: pod.labels, namespace: known.get(pod.namespace) ?? {} };
      let most = own;
      for (const { segment, member } of all) {
        if (!this.#isAsked(segment, pod) || this.#isIn(segment, own)) continue;
        const wider = this.#extend(own, segment, member, pod);
        if (wider !== undefined) this.#add(pod, wider);
        most = this.#extend(most, segment, member, pod) ?? most;
      }
      if (most !== own) this.#add(pod, most);
    }
  }

  /** The pods that stand in several. */
  made(): readonly Pod[] {
    return this.#pods;
  }

  #isAsked({ name }: Segment, { owner }: Pod): boolean {
    return this.#touched === undefined || this.#touched.has(name) || this.#touched.has(owner?.split("/")[1] ?? "");
  }

  inventory(): ClusterInventory {
    const { namespaces, pods } = this.#base;
    return { ...this.#base, namespaces: [...namespaces, ...this.#namespaces], pods: [...pods, ...this.#pods] };
  }

  /** As a member of that segment, too; undefined when its labels do not allow it, or it would leave its own. */
  #extend(placed: Placed, segment: Segment, member: PodsMember, pod: Pod): Placed | undefined {
    const labels = this.#with(placed.labels, member.pods);
    const namespace = this.#with(placed.namespace, member.namespaces);
    if (labels === undefined || namespace === undefined) return undefined;
    const wider = { labels, namespace };
    const own = this.#definitions.segments.get(pod.owner?.split("/")[1] ?? "");
    return this.#isIn(segment, wider) && (own === undefined || this.#isIn(own, wider)) ? wider : undefined;
  }

  /** The labels with what the selector asks for and they do not say; undefined when they say otherwise. */
  #with(labels: Labels, selector: LabelSelector): Labels | undefined {
    const more: Record<string, string> = { ...selector.matchLabels };
    for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
      const known = operator === "In" ? values : operator === "Exists" ? [...(this.#values.get(key) ?? []), "one"] : [];
      if (known[0] !== undefined) more[key] ??= known[0];
    }
    const joined = { ...more, ...labels };
    return matches(selector, joined) ? joined : undefined;
  }

  #isIn(segment: Segment, { labels, namespace }: Placed): boolean {
    return isPodIn(this.#definitions, segment, this.#cluster, this.#base.services, labels, namespace, "in");
  }

  #add(pod: Pod, { labels, namespace }: Placed): void {
    const key = JSON.stringify([labels, namespace]);
    if (this.#made.has(key)) return;
    if (this.#pods.length >= MOST) {
      this.isCut = true;
      return;
    }
    this.#made.add(key);
    const { [NAMESPACE_NAME_LABEL]: shownAs = pod.namespace, ...others } = namespace;
    const name = `${shownAs}+${this.#namespaces.length + 1}`;
    this.#namespaces.push({ name, shownAs, labels: others });
    const made = `${pod.name}+${this.#pods.length + 1}`;
    this.#pods.push({ ...pod, uid: `${pod.uid}+${this.#pods.length}`, namespace: name, name: made, labels, addresses: [] });
  }
}

/** Labels of a pod and of its namespace, the namespace's name among them. */
interface Placed {
  readonly labels: Labels;
  readonly namespace: Labels;
}

interface MemberOf {
  readonly segment: Segment;
  readonly member: PodsMember;
}

function podMembers(segment: Segment, cluster: Cluster): readonly MemberOf[] {
  return segment.members.flatMap((member) =>
    member.kind === "pods" && choosesCluster(member.clusters, cluster) ? [{ segment, member }] : [],
  );
}

/** Members that ask for no certain label of the pod: what else stands in them is open. */
function broadMembers(segment: Segment, cluster: Cluster): readonly MemberOf[] {
  return podMembers(segment, cluster).flatMap(({ member }) => {
    const { matchLabels = {}, matchExpressions = [] } = member.pods;
    const isBroad = Object.keys(matchLabels).length === 0 && matchExpressions.every(({ operator }) => operator !== "In");
    return isBroad || namesNoNamespace(member) ? [{ segment, member }] : [];
  });
}

/** Its namespaces go by other labels than the name: a namespace that has one by name may have these, too. */
function namesNoNamespace({ namespaces: { matchLabels = {}, matchExpressions = [] } }: PodsMember): boolean {
  const keys = [...Object.keys(matchLabels), ...matchExpressions.map(({ key }) => key)];
  return keys.length > 0 && !keys.includes(NAMESPACE_NAME_LABEL);
}
