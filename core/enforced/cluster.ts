import type { AddressSet } from "../address/index.ts";
import { allPorts, noPorts, unionPorts } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import type { Estate, Workload } from "../estate/estate.ts";
import { sha256Hex } from "../membership/hash.ts";
import type { ClusterInventory } from "../membership/inventory.ts";
import type { Direction, TargetId } from "../model/kinds.ts";
import type { End, Party } from "../reach/source.ts";
import { classify, V4, V6 } from "../verdict/classes.ts";
import type { Classes } from "../verdict/classes.ts";
import { policyId } from "../verdict/compile.ts";
import type { CompiledPolicy } from "../verdict/compiled.ts";
import type { Profile } from "../verdict/profile.ts";
import { familiesOf, rowsOf } from "../verdict/rows.ts";
import type { PolicyObject, WorldPod } from "../verdict/world.ts";
import { explainEnd } from "./decide.ts";
import { namedByPolicies } from "./named.ts";
import { addressesAt, AtomFinder } from "./peers.ts";
import type { TargetEnds } from "./target.ts";
import type { ClusterView } from "./cluster-view.ts";

const OPEN: End = { mode: "open", ports: allPorts, uncertain: [] };
const UNKNOWN: End = {
  mode: "open",
  ports: allPorts,
  uncertain: ["the pod is not in the inventory that the answer is made from"],
};

/**
 * What the policies of a cluster let through at its pods, by the verdict engine and the enforcer's own reading.
 *
 * Pods of the cluster are peers by their labels, everything else by its addresses. Pods on the host network are nobody's subject.
 * That a node always reaches the pods it runs is in no answer (it would tell pods of one workload apart by where they run); the
 * explanation says it.
 */
export function clusterEnds(
  estate: Estate,
  target: TargetId,
  inventory: ClusterInventory,
  policies: readonly PolicyObject[],
  profile: Profile,
  doubts: readonly string[],
): TargetEnds {
  const view = viewOf(target, inventory, policies, profile);
  const { classes, rows } = view;
  const compiled = classes.policies[0] ?? [];
  const problems = compiled.flatMap((policy) => policy.problems.map((problem) => `${target} ${policyId(policy)}: ${problem}`));
  const keys = { ingress: new Map<number, string>(), egress: new Map<number, string>() };
  const ends = new WeakMap<PortSet, End>();
  const uncertainOf = (subject: number, direction: Direction): readonly string[] => [
    ...doubts,
    ...rows.concerning(subject, direction).flatMap((policy) => policy.problems.map((text) => `${policyId(policy)}: ${text}`)),
  ];
  return {
    borders: distinctSets(classes),
    ownKey: (workload) => String(view.classOf(workload) ?? "unknown"),
    endKey: (direction, workload) => {
      const subject = view.classOf(workload);
      if (subject === undefined) return "unknown";
      const known = keys[direction].get(subject) ?? keyOfEnd(view, profile, direction, subject);
      keys[direction].set(subject, known);
      return known;
    },
    end: (direction, workload, peer) => {
      const subject = view.classOf(workload);
      if (subject === undefined) return UNKNOWN;
      const isSubject = rows.concerning(subject, direction).length > 0;
      const isSelf = peer.kind === "workload" && peer.workload.id === workload.id;
      if (!isSubject) return doubts.length === 0 ? OPEN : { ...OPEN, uncertain: doubts };
      const ports = isSelf ? allPorts : portsAt(view, direction, subject, peer);
      const uncertain = uncertainOf(subject, direction);
      if (uncertain.length > 0) return { mode: "enforced", ports, uncertain };
      const end = ends.get(ports) ?? { mode: "enforced", ports, uncertain };
      ends.set(ports, end);
      return end;
    },
    namedAt: namedByPolicies(view),
    explain: (direction, subject, peer, protocol, port) =>
      explainEnd({ view, estate, target, inventory, direction, subject, peer, protocol, port }),
    doubts: [...doubts, ...problems],
  };
}

function viewOf(target: TargetId, inventory: ClusterInventory, policies: readonly PolicyObject[], profile: Profile): ClusterView {
  const { namespaces, nodes } = inventory;
  const world = { namespaces, nodes, pods: worldPods(inventory), policies };
  const classes = classify([world]);
  const atoms = new AtomFinder(classes.atoms);
  const start = target.length + 1; // a pod's id is `TARGET/NAMESPACE/POD`
  const classOf = (workload: Workload): number | undefined =>
    workload.target === target ? classes.ofPod.get(workload.id.slice(start)) : undefined;
  const familiesAt = (peer: number): number => {
    const found = classes.peers[peer];
    return found === undefined ? 0 : familiesOf(found, 0);
  };
  const met = (direction: Direction, peer: Party): readonly number[] => {
    const own = peer.kind === "workload" ? classOf(peer.workload) : undefined;
    return own === undefined ? atoms.of(addressesAt(direction, peer)) : [own];
  };
  return {
    classes,
    rows: rowsOf(classes, 0, profile),
    atoms,
    classOf,
    met,
    peersOf: (direction, subject, peer) =>
      met(direction, peer).map((index) => ({ peer: index, families: familiesAt(index) & familiesAt(subject) })),
  };
}

const NO_SUCH_PORTS: WorldPod["ports"] = undefined;

/** The inventory's pods as the engine reads them: the same objects where no port has a name. */
function worldPods(inventory: ClusterInventory): readonly WorldPod[] {
  return inventory.pods.map((pod): WorldPod => {
    if (pod.ports === undefined) return { ...pod, ports: NO_SUCH_PORTS };
    const ports = pod.ports.map(({ name, protocol, port }) => ({ name, protocol: protocol.toUpperCase(), containerPort: port }));
    return { ...pod, ports };
  });
}

/** What passes with any of the addresses or families that the peer may use. */
function portsAt(view: ClusterView, direction: Direction, subject: number, peer: Party): PortSet {
  let ports = noPorts;
  for (const met of view.peersOf(direction, subject, peer)) {
    for (const family of [V4, V6]) {
      if ((met.families & family) !== 0) ports = unionPorts(ports, view.rows.allowed(subject, met.peer, direction, family));
    }
  }
  return ports;
}

/** The texts of the policies that concern the end, and what they read from the pod itself. */
function keyOfEnd({ rows, classes }: ClusterView, profile: Profile, direction: Direction, subject: number): string {
  const concerning = rows.concerning(subject, direction);
  if (concerning.length === 0) return "open";
  const named = concerning.some((policy) => (policy[direction] ?? []).some((rule) => rule.namedPorts.length > 0));
  const peer = classes.peers[subject];
  const pod = peer?.kind === "pods" ? peer.states[0]?.pod : undefined;
  const families = peer === undefined ? 0 : familiesOf(peer, 0);
  const texts = concerning.map((policy) => policyText(policy, direction)).sort();
  return sha256Hex(JSON.stringify([profile.name, families, named && direction === "ingress" ? pod?.ports : null, texts]));
}

const texts = { ingress: new WeakMap<CompiledPolicy, string>(), egress: new WeakMap<CompiledPolicy, string>() };

/** One direction of a policy, without its name. */
function policyText(policy: CompiledPolicy, direction: Direction): string {
  const known = texts[direction].get(policy);
  if (known !== undefined) return known;
  const rules = (policy[direction] ?? []).map(({ action, peers, ports, namedPorts }) => [
    action,
    peers === "any" ? peers : [peers.selectors, textOf(peers.addresses)],
    ports,
    namedPorts,
  ]);
  const text = sha256Hex(JSON.stringify([policy.namespace, policy.tier ?? null, policy.problems, rules]));
  texts[direction].set(policy, text);
  return text;
}

/** Every address set that rules name, once. */
function distinctSets({ addressSets }: Classes): readonly AddressSet[] {
  const byNumber = new Map<number, AddressSet>();
  for (const [set, number] of addressSets) if (!byNumber.has(number)) byNumber.set(number, set);
  return [...byNumber.values()];
}

function textOf(set: AddressSet): string {
  return `${set.v4.join()};${set.v6.join()}`;
}
