import type { Direction } from "../model/kinds.ts";
import { BOTH_FAMILIES, rulesOf } from "../verdict/classes.ts";
import type { Classes } from "../verdict/classes.ts";
import type { CompiledPolicy } from "../verdict/compiled.ts";
import { familiesOf } from "../verdict/rows.ts";
import type { Rows } from "../verdict/rows.ts";

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
  const parts: (number | string)[][] = families.map((bits) => [bits]);
  const numbers = new Map<unknown, number>();
  const numberOf = (thing: unknown): number => {
    const number = numbers.get(thing) ?? numbers.size;
    numbers.set(thing, number);
    return number;
  };
  const portNames = new Set<string>();
  for (const rows of readings) {
    const inEffect = new Set<CompiledPolicy>();
    for (let peer = first; peer < families.length; peer += 1) {
      if (families[peer] === BOTH_FAMILIES && rows.isAnyFamily(peer, peer)) parts[peer]?.push("any");
      for (const direction of ["ingress", "egress"] as const) {
        for (const policy of policiesOf(rows, peer, direction)) {
          inEffect.add(policy);
          parts[peer]?.push(numberOf(policy) * 2 + (direction === "ingress" ? 0 : 1));
        }
      }
      parts[peer]?.push("|");
    }
    const seen = new Set<Uint8Array>();
    for (const policy of inEffect) {
      for (const rule of rulesOf(policy)) {
        for (const { name } of rule.namedPorts) portNames.add(name);
        const mask = rows.peersOf(rule, policy);
        if (mask === undefined || seen.has(mask)) continue;
        seen.add(mask);
        const number = numberOf(mask) * 4;
        for (let peer = first; peer < families.length; peer += 1) {
          const named = mask[peer] as number;
          if (named !== 0) (parts[peer] as (number | string)[]).push(number + named);
        }
      }
    }
  }
  return representatives(classes, parts, portNames, first);
}

function policiesOf(rows: Rows, peer: number, direction: Direction): readonly CompiledPolicy[] {
  return [
    ...rows.tiersOn(peer, direction, "admin"),
    ...rows.policiesOn(peer, direction),
    ...rows.tiersOn(peer, direction, "baseline"),
  ];
}

function representatives(
  classes: Classes,
  parts: readonly (readonly (number | string)[])[],
  portNames: ReadonlySet<string>,
  start: number,
): ReadonlyMap<number, number> {
  const first = new Map<string, number>();
  const representative = new Map<number, number>();
  for (const [peer, part] of parts.entries()) {
    if (peer < start) continue;
    const known = classes.peers[peer];
    const pod = known?.kind === "pods" ? known.states[0]?.pod : undefined;
    const ports = pod?.hostNetwork === true ? [] : (pod?.ports ?? []); // names of ports mean nothing on the host network
    const named = ports.filter(({ name }) => name !== undefined && portNames.has(name));
    const key = `${part.join()} ${JSON.stringify(named.map(({ name, protocol, containerPort }) => [name, protocol, containerPort]))}`;
    const found = first.get(key) ?? peer;
    first.set(key, found);
    representative.set(peer, found);
  }
  return representative;
}
