import type { Direction } from "../model/kinds.ts";
import { BOTH_FAMILIES, rulesOf } from "../verdict/classes.ts";
import type { Classes } from "../verdict/classes.ts";
import type { CompiledPolicy } from "../verdict/compiled.ts";
import { familiesOf } from "../verdict/rows.ts";
import type { Rows } from "../verdict/rows.ts";
import { Partition } from "./partition.ts";

/**
 * Pod classes that no rule in effect tells apart, by one representative: labels that differ without any rule noticing join here.
 *
 * Two classes behave alike when the same policies select them, the same rules name them, and they give the names of ports the same
 * numbers, by every reading. Families of addresses tell them apart only among those that are asked about. Returns the representative of
 * every pod class.
 */
export function mergeByBehaviour(classes: Classes, readings: readonly Rows[], asked: number): ReadonlyMap<number, number> {
  const families = classes.peers.map((peer) => familiesOf(peer, 0) & asked);
  const first = classes.atoms.list.length; // pod classes follow the address classes
  const partition = new Partition(families.length - first);
  partition.divide(Uint8Array.from(families), first);
  const policies = new Numbers<string>();
  const numbers = new Numbers<CompiledPolicy>();
  const portNames = new Set<string>();
  for (const rows of readings) {
    const inEffect = new Set<CompiledPolicy>();
    const selecting = new Uint32Array(families.length);
    for (let peer = first; peer < families.length; peer += 1) {
      let key = families[peer] === BOTH_FAMILIES && rows.isAnyFamily(peer, peer) ? "any" : "";
      for (const direction of ["ingress", "egress"] as const) {
        for (const policy of policiesOf(rows, peer, direction)) {
          inEffect.add(policy);
          key += `,${direction}${numbers.of(policy)}`;
        }
      }
      selecting[peer] = policies.of(key);
    }
    partition.divide(selecting, first);
    const seen = new Set<Uint8Array>();
    for (const policy of inEffect) {
      for (const rule of rulesOf(policy)) {
        for (const { name } of rule.namedPorts) portNames.add(name);
        const mask = rows.peersOf(rule, policy);
        if (mask === undefined || seen.has(mask)) continue;
        seen.add(mask);
        partition.divide(mask, first);
      }
    }
  }
  const named = new Numbers<string>();
  partition.divide(
    Uint32Array.from(families, (_, peer) => (peer < first ? 0 : named.of(portsKey(classes, portNames, peer)))),
    first,
  );
  return new Map(Array.from(partition.firsts(), (found, index) => [first + index, first + found]));
}

/** Equal things by equal numbers, from 0. */
class Numbers<T> {
  readonly #known = new Map<T, number>();

  of(thing: T): number {
    const number = this.#known.get(thing) ?? this.#known.size;
    this.#known.set(thing, number);
    return number;
  }
}

function policiesOf(rows: Rows, peer: number, direction: Direction): readonly CompiledPolicy[] {
  return [
    ...rows.tiersOn(peer, direction, "admin"),
    ...rows.policiesOn(peer, direction),
    ...rows.tiersOn(peer, direction, "baseline"),
  ];
}

/** The ports of a class that rules ask for by name. */
function portsKey(classes: Classes, portNames: ReadonlySet<string>, peer: number): string {
  const known = classes.peers[peer];
  const pod = known?.kind === "pods" ? known.states[0]?.pod : undefined;
  const ports = pod?.hostNetwork === true ? [] : (pod?.ports ?? []); // names of ports mean nothing on the host network
  const named = ports.filter(({ name }) => name !== undefined && portNames.has(name));
  return named.length === 0
    ? ""
    : JSON.stringify(named.map(({ name, protocol, containerPort }) => [name, protocol, containerPort]));
}
