import type { Pod } from "../../core/membership/inventory.ts";
import type { Direction } from "../../core/model/kinds.ts";
import type { ClusterObservation, LivePolicy } from "../../core/observed/observation.ts";
import { EARLIER_STEP } from "../../core/plan/plan.ts";
import type { ClusterStep } from "../../core/plan/plan.ts";
import type { NetworkPolicy, NetworkPolicyPeer } from "../../core/render/networkpolicy-types.ts";
import { matches } from "../../core/selector/index.ts";

/** A fake API server of NetworkPolicies: fences writes by resourceVersion, as the real one does. */
export class PolicyStore {
  readonly objects = new Map<string, NetworkPolicy>();
  #version = 0;
  readonly #versions = new Map<string, string>();

  constructor(objects: Iterable<NetworkPolicy> = []) {
    for (const object of objects) this.#put(object);
  }

  /** Carries out one step of a plan; throws where the API server would refuse it. */
  apply(step: ClusterStep): void {
    if (step.kind === "delete") {
      this.#fence(`${step.namespace}/${step.name}`, step.resourceVersion);
      this.objects.delete(`${step.namespace}/${step.name}`);
      return;
    }
    const key = keyOf(step.object);
    if (step.kind === "create" && this.objects.has(key)) throw new Error(`409 ${key} exists`);
    if (step.kind === "replace") this.#fence(key, step.resourceVersion);
    this.#put(step.object);
    this.#versions.set(key, this.objects.get(key)?.metadata.resourceVersion ?? "");
  }

  /** A write by somebody else. */
  tamper(object: NetworkPolicy): void {
    this.#put(object);
  }

  observe(target: string, completeness: ClusterObservation["completeness"] = "complete"): ClusterObservation {
    this.#versions.clear(); // versions that plans may refer to as an earlier step end with the plan
    const policies = [...this.objects.values()].map((object): LivePolicy => ({ object, manager: undefined, managedAt: undefined }));
    return { kind: "cluster", target, completeness, uid: "uid", policies, at: 0 };
  }

  #put(object: NetworkPolicy): void {
    this.#version += 1;
    const { name, namespace, labels = {}, annotations = {}, uid = `uid-${this.#version}` } = object.metadata;
    const metadata = { name, namespace, labels, annotations, uid, resourceVersion: String(this.#version) };
    this.objects.set(keyOf(object), { ...object, metadata });
  }

  #fence(key: string, version: string): void {
    const expected = version === EARLIER_STEP ? this.#versions.get(key) : version;
    const live = this.objects.get(key);
    if (live === undefined) throw new Error(`404 ${key}`);
    if (live.metadata.resourceVersion !== expected) throw new Error(`409 ${key} has moved on from ${expected}`);
  }
}

/** One thing a pod may be allowed: an address, or a pod with labels in a namespace, on one tcp port. */
export interface Atom {
  readonly address?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly namespaceLabels?: Readonly<Record<string, string>>;
  readonly port: number;
}

/** Indexes of the atoms that a pod may exchange with in a direction; written apart from the product's own engine. */
export function allowed(
  policies: Iterable<NetworkPolicy>,
  pod: Pod,
  direction: Direction,
  atoms: readonly Atom[],
): ReadonlySet<number> {
  const type = direction === "ingress" ? "Ingress" : "Egress";
  const selecting = [...policies].filter(
    ({ metadata, spec }) =>
      metadata.namespace === pod.namespace &&
      (spec.policyTypes ?? []).includes(type) &&
      matches(spec.podSelector ?? {}, pod.labels),
  );
  if (selecting.length === 0) return new Set(atoms.keys());
  const indexes = new Set<number>();
  for (const { spec } of selecting) {
    const rules =
      direction === "ingress"
        ? (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }))
        : (spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
    for (const { peers, ports } of rules) {
      atoms.forEach((atom, index) => {
        const isPort =
          ports === undefined ||
          ports.some(({ port, endPort }) => typeof port === "number" && atom.port >= port && atom.port <= (endPort ?? port));
        if (isPort && (peers === undefined || peers.some((peer) => isPeer(peer, atom)))) indexes.add(index);
      });
    }
  }
  return indexes;
}

function isPeer(peer: NetworkPolicyPeer, atom: Atom): boolean {
  if (peer.ipBlock !== undefined) {
    if (atom.address === undefined) return false;
    return (
      inBlock(atom.address, peer.ipBlock.cidr) && !(peer.ipBlock.except ?? []).some((hole) => inBlock(atom.address ?? "", hole))
    );
  }
  if (atom.labels === undefined || atom.namespaceLabels === undefined) return false;
  return matches(peer.podSelector ?? {}, atom.labels) && matches(peer.namespaceSelector ?? {}, atom.namespaceLabels);
}

/** IPv4 only, which is all these worlds have. */
function inBlock(address: string, cidr: string): boolean {
  const [network = "", length = "32"] = cidr.split("/");
  const number = (text: string): number => text.split(".").reduce((value, octet) => value * 256 + Number(octet), 0);
  const size = 2 ** (32 - Number(length));
  return Math.floor(number(address) / size) === Math.floor(number(network) / size);
}

function keyOf(object: NetworkPolicy): string {
  return `${object.metadata.namespace}/${object.metadata.name}`;
}
