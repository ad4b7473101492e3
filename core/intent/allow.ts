import { NO_PORTS } from "../reach/port-table.ts";
import type { Definitions, Direction, NamedPort, Ports, Rule, RulePort } from "../model/kinds.ts";
import type { Position } from "../model/note.ts";
import type { Essential } from "./essentials.ts";
import type { EstateIndex } from "./estate-index.ts";
import { PeerParts } from "./parts.ts";
import type { PartContext, PeerPart, Place } from "./parts.ts";
import { reachOfPorts } from "./ports.ts";
import type { Unsayable } from "./ports.ts";

/** A rule, or an essential, as one end of a connection sees it. */
export interface Allow {
  readonly origin: string;
  readonly at: Position | undefined;
  readonly peers: "any" | readonly PeerPart[];
  /** Positions of the keys of `same` among those in sight. */
  readonly same: readonly number[];
  /** Number of the ports that no responder has to resolve. */
  readonly fixed: number;
  readonly named: readonly NamedPort[];
  /** Equal keys over one estate: the same answer. */
  readonly key: string;
}

/** The rules of some definitions, seen from either end. */
export class RuleBook {
  readonly #index: EstateIndex;
  readonly #as: "approved" | "enforceable";
  readonly #allows = { ingress: new Map(), egress: new Map() } as Readonly<Record<Direction, Map<Rule, Map<string, Allow>>>>;
  /** What rules name. */
  readonly parts: PeerParts;
  /** Label keys of `same`, sorted. */
  readonly sameKeys: readonly string[];
  readonly portNames: readonly string[];
  /** Rules by the segment at which they are enforced; `any` among them. */
  readonly #bySubject: Readonly<Record<Direction, ReadonlyMap<string, readonly Rule[]>>>;

  constructor(definitions: Definitions, context: Omit<PartContext, "definitions" | "sameKeys">) {
    this.#index = context.index;
    this.#as = context.as;
    const rules = [...definitions.policies.values()].flatMap((policy) => policy.rules);
    this.sameKeys = sorted(rules.flatMap(({ same }) => same));
    this.portNames = sorted(
      rules.flatMap(({ ports }) => (ports === "any" ? [] : ports.flatMap((port) => (port.kind === "named" ? [port.name] : [])))),
    );
    this.#bySubject = { ingress: rulesBy(rules, (rule) => rule.to), egress: rulesBy(rules, (rule) => rule.from) };
    const names = new Set(rules.flatMap(({ from, to }) => [...from, ...to]).filter((name) => name !== "any"));
    this.parts = new PeerParts({ ...context, definitions, sameKeys: this.sameKeys }, names);
  }

  /** Rules that are enforced at members of that segment (or at `any`). */
  rulesAt(direction: Direction, segment: string): readonly Rule[] {
    return this.#bySubject[direction].get(segment) ?? [];
  }

  ofRule(rule: Rule, direction: Direction, place: Place): Allow {
    const names = direction === "ingress" ? rule.from : rule.to;
    const byPlace = this.#allows[direction].get(rule) ?? new Map<string, Allow>();
    this.#allows[direction].set(rule, byPlace);
    const key = this.parts.placeKey(names.includes("any") ? [] : names, place);
    const known = byPlace.get(key);
    if (known !== undefined) return known;
    const unsayable = this.#as === "approved" ? undefined : place.kind === "cluster" ? "icmp" : "named";
    const { fixed, named } = this.#reachOf(rule.ports, unsayable);
    const peers = names.includes("any") ? "any" : names.map((name) => this.parts.of(name, direction, place));
    const same = sorted(rule.same).map((label) => this.sameKeys.indexOf(label));
    const allow = this.#allow({ origin: rule.id, at: rule.at, peers, same, fixed, named });
    byPlace.set(key, allow);
    return allow;
  }

  ofEssential({ origin, peers, ports, named }: Essential): Allow {
    const part = peers === "any" ? peers : [this.parts.plain(peers.members, peers.addresses)];
    return this.#allow({ origin, at: undefined, peers: part, same: [], fixed: this.#index.ports.id(ports), named });
  }

  /** Many rules name the same ports: what they are is remembered with the estate. */
  #reachOf(ports: Ports, unsayable: Unsayable): Pick<Allow, "fixed" | "named"> {
    const known = reachMemory(this.#index);
    const key = `${unsayable ?? ""} ${ports === "any" ? ports : ports.map(portText).join()}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const { fixed, named } = reachOfPorts(ports, unsayable);
    const reach = { fixed: this.#index.ports.id(fixed), named };
    known.set(key, reach);
    return reach;
  }

  #allow(body: Omit<Allow, "key">): Allow {
    const parts = body.peers === "any" ? "any" : sorted(body.peers.map(partKey)).join();
    const named = sorted(body.named.map(({ protocol, name }) => `${name}/${protocol}`)).join();
    return { ...body, key: `${parts}:${body.fixed}:${named}:${body.same.map((at) => this.sameKeys[at]).join()}` };
  }
}

function partKey({ members, local, explicit, labelled }: PeerPart): string {
  const byLabel = labelled.map((one) => `${one.cluster ?? ""}${one.explicit}${JSON.stringify(one.values)}`).join(";");
  return `${members.id}/${explicit ?? ""}/${local?.id ?? ""}/${byLabel}`;
}

const MEMORY = Symbol("ports of rules");

function reachMemory(index: EstateIndex): Map<string, Pick<Allow, "fixed" | "named">> {
  const known = index.memory.get(MEMORY) as Map<string, Pick<Allow, "fixed" | "named">> | undefined; // only this file writes it
  if (known !== undefined) return known;
  const memory = new Map<string, Pick<Allow, "fixed" | "named">>();
  index.memory.set(MEMORY, memory);
  return memory;
}

function portText(port: RulePort): string {
  switch (port.kind) {
    case "range":
      return `${port.protocol} ${port.from}-${port.to}`;
    case "named":
      return `${port.protocol} ${JSON.stringify(port.name)}`;
    case "icmp":
      return `${port.protocol} ${port.type ?? ""}/${port.code ?? ""}`;
    default:
      return port satisfies never;
  }
}

/** True when it lets nothing through, whoever asks. */
export function isIdle({ fixed, named, peers }: Allow): boolean {
  return (fixed === NO_PORTS && named.length === 0) || (peers !== "any" && peers.length === 0);
}

function rulesBy(rules: readonly Rule[], subjectsOf: (rule: Rule) => readonly string[]): ReadonlyMap<string, readonly Rule[]> {
  const found = new Map<string, Rule[]>();
  for (const rule of rules) {
    for (const name of new Set(subjectsOf(rule))) {
      const list = found.get(name);
      if (list === undefined) found.set(name, [rule]);
      else list.push(rule);
    }
  }
  return found;
}

function sorted(texts: Iterable<string>): readonly string[] {
  return [...new Set(texts)].sort();
}
