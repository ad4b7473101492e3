import { emptySet, internetSet, isEmpty } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { NO_PORTS } from "../reach/port-table.ts";
import { segmentNamed } from "../membership/resolve.ts";
import type { Definitions, Direction, NamedPort, Ports, Rule, RulePort } from "../model/kinds.ts";
import type { Position } from "../model/note.ts";
import type { Essential } from "./essentials.ts";
import type { EstateIndex } from "./estate-index.ts";
import type { MemberLists, Members } from "./members.ts";
import { reachOfPorts } from "./ports.ts";
import type { Unsayable } from "./ports.ts";

/** Somebody a rule names: those in `members`, and whoever has one of some addresses. */
export interface PeerPart {
  readonly members: Members;
  /** Number of the explicit set; undefined where there is none. */
  readonly explicit: number | undefined;
}

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

/** Where a rule is enforced decides what of it can be said. */
export type PlaceKind = "cluster" | "host";

/** The rules of some definitions, seen from either end. */
export class RuleBook {
  readonly #definitions: Definitions;
  readonly #index: EstateIndex;
  readonly #lists: MemberLists;
  readonly #as: "approved" | "enforceable";
  readonly #allows = {
    ingress: { cluster: new Map(), host: new Map() },
    egress: { cluster: new Map(), host: new Map() },
  } as Readonly<Record<Direction, Readonly<Record<PlaceKind, Map<Rule, Allow>>>>>;
  readonly #parts = new Map<string, PeerPart>();
  readonly #nobody: Members;
  /** Label keys of `same`, sorted. */
  readonly sameKeys: readonly string[];
  readonly portNames: readonly string[];
  /** Rules by the segment at which they are enforced; `any` among them. */
  readonly #bySubject: Readonly<Record<Direction, ReadonlyMap<string, readonly Rule[]>>>;
  readonly #explicit = new Map<number, AddressSet>();
  #named: ReadonlyMap<number | undefined, readonly string[]> | undefined;

  constructor(definitions: Definitions, index: EstateIndex, lists: MemberLists, as: "approved" | "enforceable") {
    this.#definitions = definitions;
    this.#index = index;
    this.#lists = lists;
    this.#as = as;
    this.#nobody = lists.ofPods("", []);
    const rules = [...definitions.policies.values()].flatMap((policy) => policy.rules);
    this.sameKeys = sorted(rules.flatMap(({ same }) => same));
    this.portNames = sorted(
      rules.flatMap(({ ports }) => (ports === "any" ? [] : ports.flatMap((port) => (port.kind === "named" ? [port.name] : [])))),
    );
    this.#bySubject = { ingress: rulesBy(rules, (rule) => rule.to), egress: rulesBy(rules, (rule) => rule.from) };
    for (const name of new Set(rules.flatMap(({ from, to }) => [...from, ...to]))) if (name !== "any") this.#part(name);
  }

  /** Rules that are enforced at members of that segment (or at `any`). */
  rulesAt(direction: Direction, segment: string): readonly Rule[] {
    return this.#bySubject[direction].get(segment) ?? [];
  }

  /** Segments that rules name (and `internet`) whose addresses have that number. */
  namesAt(explicit: number): readonly string[] {
    this.#named ??= Map.groupBy(this.#parts.keys(), (name) => this.#parts.get(name)?.explicit);
    return this.#named.get(explicit) ?? [];
  }

  /** Explicit address sets, by number. */
  get explicit(): ReadonlyMap<number, AddressSet> {
    return this.#explicit;
  }

  ofRule(rule: Rule, direction: Direction, place: PlaceKind): Allow {
    const known = this.#allows[direction][place].get(rule);
    if (known !== undefined) return known;
    const unsayable = this.#as === "approved" ? undefined : place === "cluster" ? "icmp" : "named";
    const { fixed, named } = this.#reachOf(rule.ports, unsayable);
    const names = direction === "ingress" ? rule.from : rule.to;
    const peers = names.includes("any") ? "any" : names.map((name) => this.#part(name));
    const same = sorted(rule.same).map((label) => this.sameKeys.indexOf(label));
    const allow = this.#allow({ origin: rule.id, at: rule.at, peers, same, fixed, named });
    this.#allows[direction][place].set(rule, allow);
    return allow;
  }

  ofEssential({ origin, peers, ports, named }: Essential): Allow {
    const part = peers === "any" ? peers : [this.#partOf(peers.members ?? this.#nobody, peers.addresses)];
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
    const parts =
      body.peers === "any" ? "any" : sorted(body.peers.map(({ members, explicit }) => `${members.id}/${explicit ?? ""}`)).join();
    const named = sorted(body.named.map(({ protocol, name }) => `${name}/${protocol}`)).join();
    return { ...body, key: `${parts}:${body.fixed}:${named}:${body.same.map((at) => this.sameKeys[at]).join()}` };
  }

  /** The part that a segment or `internet` is. */
  #part(name: string): PeerPart {
    const known = this.#parts.get(name);
    if (known !== undefined) return known;
    const part = this.#makePart(name);
    this.#parts.set(name, part);
    return part;
  }

  #makePart(name: string): PeerPart {
    if (name === "internet") return this.#partOf(this.#nobody, internetSet(this.#definitions.workspace.internal));
    const members = this.#lists.of(segmentNamed(this.#definitions, name));
    return this.#partOf(members, members.addresses);
  }

  #partOf(members: Members, addresses: AddressSet = emptySet): PeerPart {
    if (isEmpty(addresses)) return { members, explicit: undefined };
    const explicit = this.#index.addressNumber(addresses);
    this.#explicit.set(explicit, addresses);
    return { members, explicit };
  }
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
