import { choosesCluster, resolveSubjects, segmentNamed } from "../membership/resolve.ts";
import { NAMESPACE_NAME_LABEL } from "../membership/select.ts";
import { findService, hasSelector } from "../membership/services.ts";
import type { Cluster, Definitions, Member, Segment, TargetId } from "../model/kinds.ts";
import { clusterTargetId, hostTargetId } from "../model/target.ts";
import { matches } from "../selector/index.ts";
import type { EstateIndex } from "./estate-index.ts";

/**
 * Who a segment is in one estate. `certain` are the pods and hosts in it as peers and ends of rules, `possible` those whom it
 * isolates: they differ only where `not` cannot be told (closed on doubt is few in the one, many in the other). Who is in it by
 * address is said by `AddressLists`.
 */
export interface Members {
  /** Equal numbers in one estate: the same members. */
  readonly id: number;
  /** Unit numbers, ascending. */
  readonly certain: Int32Array;
  readonly possible: Int32Array;
}

/** Members of every segment of some definitions, as one estate has them. */
export class MemberLists {
  readonly #definitions: Definitions;
  readonly #index: EstateIndex;
  readonly #as: "approved" | "enforceable";
  readonly #context: string;
  readonly #memory: Memory;
  readonly #parts = new Map<string, Parts>();
  readonly #texts = new Map<string, string>();
  readonly #clusters: readonly { readonly id: TargetId; readonly cluster: Cluster }[];

  /** @param context what the members of a segment rest on besides its own text, as text */
  constructor(definitions: Definitions, index: EstateIndex, as: "approved" | "enforceable", context: string) {
    this.#definitions = definitions;
    this.#index = index;
    this.#as = as;
    this.#context = context;
    this.#memory = memoryOf(index);
    this.#clusters = [...definitions.clusters.values()].map((cluster) => ({ id: clusterTargetId(cluster.name), cluster }));
  }

  of(segment: Segment): Members {
    const key = `${this.#as}\n${this.#context}\n${this.#textOf(segment)}`;
    const known = this.#memory.byText.get(key);
    if (known !== undefined) return known;
    const members = this.#intern(this.#partsOf(segment));
    this.#memory.byText.set(key, members);
    return members;
  }

  /** Pods that some selectors name in one cluster. */
  ofPods(cluster: TargetId, selectors: readonly Subject[]): Members {
    const units = new Set(
      selectors.flatMap(({ pods, namespaces }) => this.#index.selectPods(pods, namespaces, new Set([cluster]))),
    );
    return this.ofUnits(units);
  }

  /** Some units, as peers and ends of rules. */
  ofUnits(units: Iterable<number>): Members {
    const set = new Set(units);
    return this.#intern({ ...NOBODY, certain: set, possible: set });
  }

  #intern({ certain, possible }: Parts): Members {
    const [inIt, isolated] = [ascending(certain), ascending(possible)];
    const same = isolated.length === inIt.length && isolated.every((unit, at) => unit === inIt[at]);
    const key = `${inIt.join()};${same ? "" : isolated.join()}`;
    const known = this.#memory.byContent.get(key);
    if (known !== undefined) return known;
    const id = this.#memory.byContent.size;
    const members: Members = { id, certain: inIt, possible: same ? inIt : isolated };
    this.#memory.byContent.set(key, members);
    return members;
  }

  /** What decides who is in it, nested segments included, without names and places. */
  #textOf(segment: Segment): string {
    const known = this.#texts.get(segment.name);
    if (known !== undefined) return known;
    const textOfMember = (member: Member): string => {
      if (member.kind === "segments")
        return member.segments.map((name) => this.#textOf(segmentNamed(this.#definitions, name))).join();
      if (member.kind === "addresses") return `@${member.addresses.v4.join()};${member.addresses.v6.join()}`;
      return JSON.stringify({ ...member, at: undefined });
    };
    const text = `[${segment.members.map(textOfMember).join()}!${segment.not.map(textOfMember).join()}]`;
    this.#texts.set(segment.name, text);
    return text;
  }

  #partsOf(segment: Segment): Parts {
    const known = this.#parts.get(segment.name);
    if (known !== undefined) return known;
    const chosen = joinParts(segment.members.map((member) => this.#chosenBy(member)));
    const out = joinParts(segment.not.map((member) => this.#chosenBy(member)));
    const parts = segment.not.length === 0 ? chosen : this.#without(segment, chosen, out);
    this.#parts.set(segment.name, parts);
    return parts;
  }

  #without(segment: Segment, chosen: Parts, out: Parts): Parts {
    const isDoubtful = (unit: number): boolean => out.unknownIn.has(this.#index.units[unit]?.sample.target ?? "");
    const isHost = (unit: number): boolean => this.#index.units[unit]?.sample.kind === "host";
    const certain = [...chosen.certain].filter((unit) => !out.possible.has(unit) && (isHost(unit) || !isDoubtful(unit)));
    const possible = [...chosen.possible].filter((unit) => !out.certain.has(unit));
    return this.#asLabelsCanSay(segment, {
      certain: new Set(certain),
      possible: new Set(possible),
      unknownIn: chosen.unknownIn,
    });
  }

  /** What no enforcer can be told in labels (`not` with too many alternatives) is what `resolve.ts` makes of it. */
  #asLabelsCanSay(segment: Segment, parts: Parts): Parts {
    if (this.#as === "approved") return parts;
    let { certain, possible } = parts;
    for (const { id, cluster } of this.#clusters) {
      const services = this.#index.estate.clusters.get(id)?.inventory?.services ?? [];
      const resolved = resolveSubjects(this.#definitions, segment, cluster, services);
      if (resolved.problem?.kind !== "too-many") continue;
      const elsewhere = (units: ReadonlySet<number>) => [...units].filter((unit) => this.#index.units[unit]?.sample.target !== id);
      certain = new Set([...elsewhere(certain), ...this.ofPods(id, resolved.certain).certain]);
      possible = new Set([...elsewhere(possible), ...this.ofPods(id, resolved.possible).certain]);
    }
    return { ...parts, certain, possible };
  }

  #chosenBy(member: Member): Parts {
    switch (member.kind) {
      case "pods":
        return podParts(this.#index.selectPods(member.pods, member.namespaces, this.#clustersOf(member.clusters)));
      case "service":
        return joinParts(this.#choosing(member.clusters).map(({ id }) => this.#behindService(id, member.service)));
      case "hosts":
        return podParts(this.#hosts(member));
      case "externals":
      case "boundary":
      case "addresses":
        return NOBODY;
      case "segments":
        return joinParts(member.segments.map((name) => this.#partsOf(segmentNamed(this.#definitions, name))));
      default:
        return member satisfies never;
    }
  }

  #choosing(clusters: Extract<Member, { kind: "pods" }>["clusters"]) {
    return this.#clusters.filter(({ cluster }) => choosesCluster(clusters, cluster));
  }

  #clustersOf(clusters: Extract<Member, { kind: "pods" }>["clusters"]): ReadonlySet<TargetId> {
    return new Set(this.#choosing(clusters).map(({ id }) => id));
  }

  #behindService(id: TargetId, { namespace, name }: { readonly namespace: string; readonly name: string }): Parts {
    const service = findService(this.#index.estate.clusters.get(id)?.inventory?.services ?? [], namespace, name);
    if (service === undefined || !hasSelector(service)) return { ...NOBODY, unknownIn: new Set([id]) };
    const inNamespace = { matchLabels: { [NAMESPACE_NAME_LABEL]: namespace } };
    return podParts(this.#index.selectPods({ matchLabels: service.selector }, inNamespace, new Set([id])));
  }

  /** By the labels of the definitions: an estate may have been made of another revision. */
  #hosts(member: Extract<Member, { kind: "hosts" }>): readonly number[] {
    return [...this.#definitions.fleets.values()]
      .filter((fleet) => member.fleets === undefined || matches(member.fleets, fleet.labels))
      .flatMap((fleet) =>
        fleet.hosts
          .filter((host) => matches(member.hosts, host.labels))
          .flatMap((host) => this.#index.hosts.get(hostTargetId(fleet.name, host.name)) ?? []),
      );
  }
}

type Subject = ReturnType<typeof resolveSubjects>["certain"][number];

interface Parts {
  readonly certain: ReadonlySet<number>;
  readonly possible: ReadonlySet<number>;
  /** Clusters where a service that is named is not there, or has no selector. */
  readonly unknownIn: ReadonlySet<TargetId>;
}

const NOBODY: Parts = {
  certain: new Set(),
  possible: new Set(),
  unknownIn: new Set(),
};

function podParts(units: readonly number[]): Parts {
  const set = new Set(units);
  return { ...NOBODY, certain: set, possible: set };
}

function joinParts(parts: readonly Parts[]): Parts {
  const [only = NOBODY] = parts;
  if (parts.length <= 1) return only;
  return {
    certain: new Set(parts.flatMap(({ certain }) => [...certain])),
    possible: new Set(parts.flatMap(({ possible }) => [...possible])),
    unknownIn: new Set(parts.flatMap(({ unknownIn }) => [...unknownIn])),
  };
}

function ascending(units: ReadonlySet<number>): Int32Array {
  return Int32Array.from(units).sort();
}

interface Memory {
  readonly byText: Map<string, Members>;
  readonly byContent: Map<string, Members>;
}

const MEMORY = Symbol("members");

function memoryOf(index: EstateIndex): Memory {
  const known = index.memory.get(MEMORY) as Memory | undefined; // only this file writes it
  if (known !== undefined) return known;
  const memory: Memory = { byText: new Map(), byContent: new Map() };
  index.memory.set(MEMORY, memory);
  return memory;
}
