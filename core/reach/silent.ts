import { isEmpty } from "../address/index.ts";
import { isEmptyPorts } from "../address/ports.ts";
import type { Direction } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import { firstOf } from "./notes.ts";
import type { Classes } from "../verdict/classes.ts";
import { resolveNamedPorts } from "../verdict/compile-ports.ts";
import type { NamedPort } from "../verdict/compile-ports.ts";
import { policyId } from "../verdict/compile.ts";
import type { CompiledPolicy, CompiledRule } from "../verdict/compiled.ts";
import type { Rows } from "../verdict/rows.ts";

const DIRECTIONS = ["ingress", "egress"] as const satisfies readonly Direction[];

/**
 * What is valid and has no effect on these manifests: policies that select nobody, rules whose selectors name nobody, names of ports
 * that no pod in question declares. A cluster says nothing of them, and mistakes in labels look exactly so.
 */
export function silentNotes(classes: Classes, rows: Rows, most: number): readonly Note[] {
  const subjects = subjectsOf(classes, rows);
  const [idle, nobody, nameless]: [string[], string[], string[]] = [[], [], []];
  const empty = new Map<Uint8Array, boolean>(); // rules that name the same share a mask
  for (const policy of classes.policies[0] ?? []) {
    const selected = subjects.get(policy);
    if (selected === undefined) {
      idle.push(`${policyId(policy)} selects 0 pods now`);
      continue;
    }
    for (const direction of DIRECTIONS) {
      for (const rule of policy[direction] ?? []) {
        const name = `${policyId(policy)} ${direction}[${rule.index}]`;
        const mask = rows.peersOf(rule, policy);
        if (isNobody(rule, mask, empty)) {
          nobody.push(`${name} names 0 pods now`);
          continue;
        }
        const destinations = direction === "ingress" ? selected : named(mask, classes);
        for (const port of undeclared(rule, policy, destinations, classes)) {
          nameless.push(`${name}: no pod it applies to declares the port ${port}`);
        }
      }
    }
  }
  return [
    ...summed("info", "selects-nothing", idle, most),
    ...summed("info", "names-nobody", nobody, most),
    ...summed("warning", "no-such-port", nameless, most),
  ];
}

/** The pod classes that each policy selects; policies that select none are not in it. */
function subjectsOf(classes: Classes, rows: Rows): ReadonlyMap<CompiledPolicy, ReadonlySet<number>> {
  const subjects = new Map<CompiledPolicy, Set<number>>();
  for (let peer = classes.atoms.list.length; peer < classes.peers.length; peer += 1) {
    for (const direction of DIRECTIONS) {
      for (const policy of rows.concerning(peer, direction)) {
        const known = subjects.get(policy);
        if (known === undefined) subjects.set(policy, new Set([peer]));
        else known.add(peer);
      }
    }
  }
  return subjects;
}

/** Neither a pod nor an address. */
function isNobody(rule: CompiledRule, mask: Uint8Array | undefined, known: Map<Uint8Array, boolean>): boolean {
  if (rule.peers === "any" || mask === undefined || !isEmpty(rule.peers.addresses)) return false;
  const before = known.get(mask);
  if (before !== undefined) return before;
  const found = mask.every((families) => families === 0);
  known.set(mask, found);
  return found;
}

/** The pod classes of a mask, one after another. */
function* named(mask: Uint8Array | undefined, { atoms, peers }: Classes): Generator<number> {
  for (let peer = atoms.list.length; peer < peers.length; peer += 1) if (mask?.[peer] !== 0) yield peer;
}

/** Names of ports that none of the pods declares; a cluster-wide policy's name is of any protocol. */
function undeclared(
  { namedPorts }: CompiledRule,
  { tier }: CompiledPolicy,
  pods: Iterable<number>,
  { peers }: Classes,
): readonly string[] {
  if (namedPorts.length === 0) return [];
  const wordsOf = ({ name, protocol }: NamedPort): string => (tier === undefined ? `${name} (${protocol.toUpperCase()})` : name);
  const open = Map.groupBy(namedPorts, wordsOf);
  for (const peer of pods) {
    const known = peers[peer];
    const declared = known?.kind === "pods" ? known.states[0]?.pod.ports : undefined;
    for (const [text, ports] of open) if (!isEmptyPorts(resolveNamedPorts(ports, declared))) open.delete(text);
    if (open.size === 0) break;
  }
  return [...open.keys()];
}

/** One note for all of one kind, the first few by name. */
function summed(severity: Note["severity"], code: string, found: readonly string[], most: number): readonly Note[] {
  return found.length === 0 ? [] : [{ severity, code, summary: firstOf(found, most, "; ") }];
}
