import { emptySet, internetSet, intersect, isEmpty, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { ingressControllers } from "../membership/boundary.ts";
import { boundariesIn, segmentNamed, subjectsIn } from "../membership/resolve.ts";
import type { Definitions, Direction, TargetId } from "../model/kinds.ts";
import type { Labels, LabelSelector } from "../selector/index.ts";
import type { Profile } from "../verdict/profile.ts";
import { AddressLists } from "./address-lists.ts";
import type { EstateIndex } from "./estate-index.ts";
import type { MemberLists, Members } from "./members.ts";

/** Where a rule is enforced: at pods of a cluster, or at a host. */
export type Place = { readonly kind: "cluster"; readonly target: TargetId } | { readonly kind: "host" };

/** Somebody a rule names at one place: those in `members`, and whoever has one of some addresses. */
export interface PeerPart {
  readonly members: Members;
  /** Pods of the place's own cluster that are named there by label, too: ingress controllers of its boundary, and what its enforcer adds. */
  readonly local: Members | undefined;
  /** Number of the explicit set; undefined where there is none. */
  readonly explicit: number | undefined;
  /** Those among them who are known by address and have labels that rules compare. */
  readonly labelled: readonly Labelled[];
}

/** Externals, or pods of one cluster that a service without a selector names, with the same values of the labels that rules compare. */
export interface Labelled {
  /** Undefined for externals. In its own cluster such a service is addresses. */
  readonly cluster: TargetId | undefined;
  readonly explicit: number;
  readonly values: readonly (string | undefined)[];
}

/** What parts rest on. */
export interface PartContext {
  readonly definitions: Definitions;
  readonly index: EstateIndex;
  readonly lists: MemberLists;
  readonly as: "approved" | "enforceable";
  /** Label keys of `same`, sorted. */
  readonly sameKeys: readonly string[];
  /** How a cluster's enforcer reads policies; undefined where identity counts. */
  readonly profileOf: (cluster: TargetId) => Profile | undefined;
}

/** The parts that segments (and `internet`) are, each once per place where that matters. */
export class PeerParts {
  readonly #context: PartContext;
  readonly #addresses: AddressLists;
  readonly #parts = new Map<string, { readonly name: string; readonly part: PeerPart }>();
  readonly #places = new Map<string, ReadonlySet<TargetId>>();
  readonly #locals = new Map<string, Members | undefined>();
  readonly #explicit = new Map<number, AddressSet>();
  readonly #nobody: Members;
  #named: ReadonlyMap<number | undefined, readonly string[]> | undefined;

  constructor(context: PartContext, names: Iterable<string>) {
    this.#context = context;
    this.#addresses = new AddressLists(context.definitions, context.index.estate);
    this.#nobody = context.lists.ofUnits([]);
    for (const name of names) {
      for (const direction of ["ingress", "egress"] as const) {
        this.of(name, direction, { kind: "host" });
        for (const target of this.#placesOf(name)) this.of(name, direction, { kind: "cluster", target });
      }
    }
  }

  /** Every explicit address set, by number. */
  get explicit(): ReadonlyMap<number, AddressSet> {
    return this.#explicit;
  }

  /** Lists of pods that are named by label besides the members of segments. */
  get locals(): readonly Members[] {
    return [...this.#locals.values()].filter((members) => members !== undefined);
  }

  /** Names whose addresses have that number. */
  namesAt(explicit: number): readonly string[] {
    this.#named ??= this.#index();
    return this.#named.get(explicit) ?? [];
  }

  /** The same for places where nothing of the segment depends on the place: equal texts, the same parts. */
  placeKey(names: readonly string[], place: Place): string {
    if (place.kind === "host") return "host";
    return names.some((name) => this.#placesOf(name).has(place.target)) ? place.target : "cluster";
  }

  of(name: string, direction: Direction, place: Place): PeerPart {
    const isPlaced = place.kind === "cluster" && this.#placesOf(name).has(place.target);
    const key = `${direction} ${isPlaced ? place.target : ""} ${name}`;
    const known = this.#parts.get(key);
    if (known !== undefined) return known.part;
    const part = this.#make(name, direction, isPlaced ? place.target : undefined);
    this.#parts.set(key, { name, part });
    return part;
  }

  /** A part that no segment is. */
  plain(members: Members | undefined, addresses: AddressSet): PeerPart {
    return { members: members ?? this.#nobody, local: undefined, explicit: this.#number(addresses), labelled: [] };
  }

  #index(): ReadonlyMap<number | undefined, readonly string[]> {
    const groups = Map.groupBy(this.#parts.values(), ({ part }) => part.explicit);
    return new Map([...groups].map(([explicit, list]) => [explicit, [...new Set(list.map(({ name }) => name))]]));
  }

  #make(name: string, direction: Direction, local: TargetId | undefined): PeerPart {
    const { definitions, lists } = this.#context;
    if (name === "internet") return this.plain(undefined, internetSet(definitions.workspace.internal));
    const members = lists.of(segmentNamed(definitions, name));
    const addresses = this.#addresses.at(name, local);
    return {
      members,
      local: local === undefined ? undefined : this.#localOf(name, local),
      explicit: this.#number(addresses),
      labelled: [...this.#externals(name, addresses), ...this.#behind(name, direction)],
    };
  }

  #number(addresses: AddressSet): number | undefined {
    if (isEmpty(addresses)) return undefined;
    const number = this.#context.index.addressNumber(addresses);
    this.#explicit.set(number, addresses);
    return number;
  }

  /** Clusters in which the segment is something else than elsewhere. */
  #placesOf(name: string): ReadonlySet<TargetId> {
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const { as, index } = this.#context;
    const isIdentity = as === "approved" || name === "internet";
    const places = isIdentity
      ? []
      : [
          ...this.#addresses.placesOf(name),
          ...[...index.estate.clusters.keys()].filter((id) => this.#localOf(name, id) !== undefined),
        ];
    const found = new Set(places);
    this.#places.set(name, found);
    return found;
  }

  #localOf(name: string, target: TargetId): Members | undefined {
    const key = `${target} ${name}`;
    if (this.#locals.has(key)) return this.#locals.get(key);
    const units = this.#localUnits(name, target);
    const members = units.length === 0 ? undefined : this.#context.lists.ofUnits(units);
    this.#locals.set(key, members);
    return members;
  }

  #localUnits(name: string, target: TargetId): readonly number[] {
    const { definitions, index, profileOf } = this.#context;
    const { inventory } = index.estate.clusters.get(target) ?? {};
    const cluster = [...definitions.clusters.values()].find((one) => target === `cluster/${one.name}`);
    if (inventory === undefined || cluster === undefined) return [];
    const segment = segmentNamed(definitions, name);
    const isBoundary = boundariesIn(definitions, segment, cluster).includes("ingress");
    const controllers = isBoundary ? ingressControllers(cluster, inventory.platform) : [];
    const here = new Set([target]);
    const pods = controllers.flatMap((subject) => index.selectPods(subject.pods, subject.namespaces, here));
    if (profileOf(target)?.hostNetworkPeers !== "namespace") return pods;
    const everyPod = [...subjectsIn(definitions, segment, cluster, inventory.services), ...controllers].filter((subject) =>
      isEverything(subject.pods),
    );
    return [...pods, ...everyPod.flatMap(({ namespaces }) => index.selectHostNetwork(namespaces, here))];
  }

  /** Without `same` an external is addresses like any other. */
  #externals(name: string, left: AddressSet): readonly Labelled[] {
    if (this.#context.sameKeys.length === 0) return [];
    return this.#groups(this.#addresses.externalsOf(name)).flatMap(({ values, group }): readonly Labelled[] => {
      const explicit = this.#number(intersect(unionAll(group.map(({ addresses }) => addresses)), left));
      return explicit === undefined ? [] : [{ cluster: undefined, explicit, values }];
    });
  }

  #behind(name: string, direction: Direction): readonly Labelled[] {
    const { as, index } = this.#context;
    return this.#addresses.podsBehind(name).flatMap(({ cluster, pods }): readonly Labelled[] => {
      const isRouted = index.estate.clusters.get(cluster)?.cluster.podNetwork === "routed";
      return this.#groups(pods).flatMap(({ values, group }): readonly Labelled[] => {
        const sets = group.map(({ addresses, shown }) => {
          if (as === "approved") return addresses;
          if (direction === "ingress") return shown;
          return isRouted ? addresses : emptySet;
        });
        const explicit = this.#number(unionAll(sets));
        return explicit === undefined ? [] : [{ cluster, explicit, values }];
      });
    });
  }

  /** Grouped by the values of the labels that rules compare. */
  #groups<Kind extends { readonly labels: Labels }>(list: readonly Kind[]) {
    const valuesOf = ({ labels }: Kind) => this.#context.sameKeys.map((key) => valueOf(labels, key));
    const groups = Map.groupBy(list, (one) => JSON.stringify(valuesOf(one).map((value) => value ?? null)));
    return [...groups.values()].flatMap((group) => group.slice(0, 1).map((first) => ({ values: valuesOf(first), group })));
  }
}

function valueOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

function isEverything({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}
