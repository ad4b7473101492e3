import type { PresentCellsByList } from "../membership/cells.ts";
import type { Namespace, Platform, Service, WebhookBackend } from "../membership/inventory.ts";
import type { Memberships } from "../membership/membership.ts";
import { compareText } from "../membership/order.ts";
import { resolveSubjects } from "../membership/resolve.ts";
import { FirebreakError } from "../ground/error.ts";
import type { Cluster, Definitions, Direction } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import { clusterTargetId } from "../model/target.ts";
import { apiServerAllows } from "./api-server.ts";
import { directRules } from "./directed.ts";
import type { DirectedRule } from "./directed.ts";
import { EndIndex } from "./end-index.ts";
import { peerResolver } from "./ends.ts";
import type { PeerResolver } from "./ends.ts";
import { dnsPeer, DNS_PORTS, findDns, NODE_LOCAL_DNS } from "./essentials.ts";
import type { DnsEndpoint } from "./essentials.ts";
import { noteApiServer, noteCluster, noteMembers, noteSpared, noteWebhooks } from "./notes.ts";
import { ruleBook } from "./rules.ts";
import { compileSegment } from "./segment-objects.ts";
import type { HeldSegment, RuleEnd } from "./segment-objects.ts";
import { noteServicePorts } from "./service-ports.ts";
import { governedNamespaces, Placer } from "./subjects.ts";
import { findWebhookPods } from "./webhooks.ts";
import type { WebhookPods } from "./webhooks.ts";
import type { ClusterAllow, ClusterObject, ClusterWant, Compiled, CutCells, Peer } from "./want.ts";

/** What a cluster's want depends on. Its pods are not among it, but for the values of labels that rules compare. */
export interface ClusterCompilation {
  /** As they hold at the moment of the plan (`definitionsAt`). */
  readonly definitions: Definitions;
  readonly cluster: Cluster;
  readonly namespaces: readonly Namespace[];
  readonly services: readonly Service[];
  readonly memberships: Memberships;
  /** What the API server calls. Absent: nothing is known of it. */
  readonly webhooks?: readonly WebhookBackend[];
  /** Which cells the pods at both ends of rules with `same` are in. Absent: none. */
  readonly cells?: PresentCellsByList;
  /** Absent: plain Kubernetes, or not known. */
  readonly platform?: Platform | undefined;
}

/** What both directions of a cluster share. */
interface ClusterView {
  readonly input: ClusterCompilation;
  readonly target: string;
  readonly resolver: PeerResolver;
  readonly placer: Placer;
  /** Segments that can have pods here, by name. */
  readonly held: ReadonlyMap<string, HeldSegment>;
  readonly dns: DnsEndpoint | undefined;
  readonly webhooks: readonly WebhookPods[];
}

interface CompiledDirection {
  readonly cut: readonly CutCells[];
  readonly objects: readonly ClusterObject[];
  readonly notes: readonly Note[];
}

/**
 * What one cluster shall enforce (docs/design/contracts.md "Isolation").
 *
 * For each segment S enforced in a direction: one object per governed namespace and member, which isolates S's pods and carries
 * the rules that name S. For each other segment R that a rule names and that is not enforced itself: one object for S ∧ R, so
 * that a pod in both gets R's rules while a pod in R alone stays as it is. Rules that compare labels (`same`) add one object for
 * each value present.
 *
 * ```
 *      S (enforce)        R (observe)
 *    ┌────────────┐    ┌────────────┐
 *    │ own object │ S∧R│   nothing  │
 *    │            │ obj│  selects it│
 *    └────────────┘    └────────────┘
 * ```
 */
export function compileCluster(input: ClusterCompilation): Compiled<ClusterWant> {
  const { definitions, cluster, services, platform } = input;
  const governed = governedNamespaces(cluster, input.namespaces);
  const { essentials } = definitions.workspace;
  const view: ClusterView = {
    input,
    target: clusterTargetId(cluster.name),
    resolver: peerResolver(definitions, input.memberships, { cluster, services, platform }),
    placer: new Placer(governed),
    held: heldSegments(input),
    dns: essentials.dns ? findDns(cluster, services, platform) : undefined,
    webhooks: findWebhookPods(input.webhooks ?? [], services),
  };
  const directions = (["ingress", "egress"] as const).map((direction) => compileDirection(view, direction));
  const {
    kept,
    spared,
    notes: sparedNotes,
  } = spareWebhooks(
    view,
    directions.flatMap(({ objects }) => objects),
  );
  const objects = kept.toSorted((a, b) => compareText(a.namespace, b.namespace) || compareText(a.name, b.name));
  checkNames(objects);
  const cut = directions.flatMap((direction) => direction.cut);
  const want: ClusterWant = {
    kind: "cluster",
    target: view.target,
    governed: governed.map(({ name }) => name),
    objects,
    ...(spared.length === 0 ? {} : { spared }),
    ...(cut.length === 0 ? {} : { cut }),
  };
  const notes = [
    ...noteCluster(definitions, cluster, [...view.held.values()], view.dns),
    ...ruleBook(definitions).segments.flatMap((segment) => noteMembers(definitions, segment, cluster, services)),
    ...directions.flatMap((direction) => direction.notes),
    ...sparedNotes,
    ...noteServicePorts(definitions, cluster, services),
  ];
  return { want, notes: dedupeNotes(notes) };
}

function heldSegments({ definitions, cluster, services }: ClusterCompilation): ReadonlyMap<string, HeldSegment> {
  const held = new Map<string, HeldSegment>();
  for (const segment of ruleBook(definitions).segments) {
    const { certain, possible, problem } = resolveSubjects(definitions, segment, cluster, services);
    if (possible.length === 0) continue;
    held.set(segment.name, { segment, possible, certain: problem === undefined ? possible : certain });
  }
  return held;
}

function compileDirection(view: ClusterView, direction: Direction): CompiledDirection {
  const { definitions } = view.input;
  const enforced = [...view.held.values()].filter(({ segment }) => segment.isolate[direction] === "enforce");
  if (enforced.length === 0) return { objects: [], notes: [], cut: [] };
  const essentials = direction === "egress" ? egressEssentials(view) : { rules: [], notes: [] };
  const rules = directRules({
    target: view.target,
    direction,
    book: ruleBook(definitions),
    resolver: view.resolver,
    held: view.held,
    essentials: essentials.rules,
    present: view.input.cells ?? {},
  });
  const ends: readonly RuleEnd[] = [
    ...[...view.held.values()]
      .filter(({ segment }) => segment.isolate[direction] !== "enforce")
      .map(({ segment: { name }, certain }): RuleEnd => ({
        role: { kind: "end", name },
        subjects: certain,
        rules: rules.naming(name),
      }))
      .filter((end) => end.rules.length > 0),
    ...(direction === "ingress" ? ingressEssentials(view) : []),
  ];
  const context = { direction, placer: view.placer, rules, ends: new EndIndex(ends, ({ subjects }) => subjects) };
  const objects = enforced.flatMap((held) => compileSegment(context, held));
  const opened =
    direction === "ingress" && definitions.workspace.essentials.webhooks ? noteWebhooks(view.webhooks, objects, view.held) : [];
  return { objects, notes: [...essentials.notes, ...rules.notes, ...opened], cut: rules.cut };
}

/** DNS for everybody who is isolated, the API server for those who need it. */
function egressEssentials({ input, dns, held, target }: ClusterView): {
  readonly rules: readonly DirectedRule[];
  readonly notes: readonly Note[];
} {
  const { essentials } = input.definitions.workspace;
  const needing = [...held.values()].map(({ segment }) => segment).filter(({ needs }) => needs.includes("apiserver"));
  const apiServer = essentials.apiserver && needing.length > 0 ? apiServerAllows(input.services) : [];
  return {
    rules: [
      ...(essentials.dns ? [essential(-2, ["any"], dnsEgress(dns))] : []),
      ...(apiServer.length === 0
        ? []
        : [
            essential(
              -1,
              needing.map(({ name }) => name),
              apiServer,
            ),
          ]),
    ],
    notes: apiServer.length > 0 ? [] : needing.map((segment) => noteApiServer(segment, target, essentials.apiserver)),
  };
}

function dnsEgress(dns: DnsEndpoint | undefined): readonly ClusterAllow[] {
  const nodeLocal: Peer = { kind: "addresses", addresses: NODE_LOCAL_DNS };
  return [
    ...(isOpen(dns) ? [{ origin: "builtin/dns", peers: [dnsPeer(dns)], ports: dns.ports }] : []),
    { origin: "builtin/dns", peers: [nodeLocal], ports: DNS_PORTS },
  ];
}

function isOpen(dns: DnsEndpoint | undefined): dns is DnsEndpoint {
  return dns !== undefined && dns.ports.length > 0;
}

/** Where the cluster's DNS pods are isolated themselves, anyone may ask them; likewise the pods that the API server calls. */
function ingressEssentials({ input, dns, webhooks }: ClusterView): readonly RuleEnd[] {
  const opened = input.definitions.workspace.essentials.webhooks ? webhooks : [];
  return [
    ...(isOpen(dns) ? [essentialEnd("dns", dnsPeer(dns), dns.ports)] : []),
    ...opened.map(({ subject, ports }) => essentialEnd("webhooks", subject, ports)),
  ];
}

function essentialEnd(name: string, subject: RuleEnd["subjects"][number], ports: ClusterAllow["ports"]): RuleEnd {
  const rule = essential(-1, [], [{ origin: `builtin/${name}`, peers: "any", ports }]);
  return { role: { kind: "essential", name }, subjects: [subject], rules: [rule] };
}

function essential(order: number, subjects: readonly string[], allows: readonly ClusterAllow[]): DirectedRule {
  return { order, subjects, cells: [{ values: {}, text: "", allows }] };
}

/**
 * Without the essential `webhooks`, a namespace with a backend whose failure fails writes to the cluster is not isolated in ingress:
 * the API server that can no longer call it could no longer be asked to repair it. What is isolated there already stays (held).
 */
function spareWebhooks(
  { input, webhooks, target, held }: ClusterView,
  objects: readonly ClusterObject[],
): { readonly kept: readonly ClusterObject[]; readonly spared: readonly string[]; readonly notes: readonly Note[] } {
  if (input.definitions.workspace.essentials.webhooks) return { kept: objects, spared: [], notes: [] };
  const failing = new Map(webhooks.filter(({ failsClosed }) => failsClosed).map((pods) => [pods.namespace, pods]));
  const isSpared = ({ namespace, direction }: ClusterObject): boolean => direction === "ingress" && failing.has(namespace);
  const left = objects.filter(isSpared);
  const spared = [...new Set(left.map(({ namespace }) => namespace))].sort(compareText);
  const notes = left.flatMap(({ namespace, segment }): readonly Note[] => {
    const [pods, at] = [failing.get(namespace), held.get(segment)?.segment.at];
    return pods === undefined || at === undefined ? [] : [noteSpared(segment, at, pods, target)];
  });
  return { kept: objects.filter((object) => !isSpared(object)), spared, notes };
}

function checkNames(objects: readonly ClusterObject[]): void {
  objects.forEach((object, index) => {
    const next = objects[index + 1];
    if (next?.name !== object.name || next.namespace !== object.namespace) return;
    throw new FirebreakError("PLAN_INVARIANT_BROKEN", `name two objects ${object.namespace}/${object.name}`);
  });
}

function dedupeNotes(notes: readonly Note[]): readonly Note[] {
  return [...new Map(notes.map((note) => [JSON.stringify(note), note])).values()];
}
