import { isEmpty } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { Estate, Workload } from "../estate/estate.ts";
import { FirebreakError } from "../ground/error.ts";
import type { TargetId } from "../model/kinds.ts";
import { PortTable } from "../reach/port-table.ts";
import { matches, selectorKey } from "../selector/index.ts";
import type { LabelSelector } from "../selector/index.ts";
import { indexLabels } from "../verdict/label-index.ts";
import type { LabelIndex } from "../verdict/label-index.ts";

/** Workloads of one place with the same labels and ports: only their addresses, nodes and names differ. */
export interface Unit {
  /** Stands for all of them. */
  readonly sample: Workload;
  /** Number of its namespace in its cluster; -1 for hosts and externals. */
  readonly place: number;
}

/** A namespace of a cluster. */
export interface Place {
  readonly target: TargetId;
  readonly namespace: string;
  readonly units: readonly number[];
}

/**
 * An estate, looked up by label. Made once per estate: definitions come and go while it stays, so what was worked out for one revision
 * serves the next.
 */
export class EstateIndex {
  readonly estate: Estate;
  readonly units: readonly Unit[];
  /** Unit of each workload, by its position in the estate. */
  readonly unitOf: Int32Array;
  readonly places: readonly Place[];
  /** Units of hosts by target. */
  readonly hosts: ReadonlyMap<TargetId, number>;
  /** Port sets by number, the same for all sources over this estate. */
  readonly ports = new PortTable();
  /** What others remember of this estate, by the one who remembers. */
  readonly memory = new Map<symbol, unknown>();
  readonly #positions: ReadonlyMap<Workload, number>;
  #byId: ReadonlyMap<string, number> | undefined;
  #unitLabels: LabelIndex | undefined;
  #placeLabels: LabelIndex | undefined;
  readonly #placesOf = new Map<string, readonly number[]>();
  readonly #addressSets = new Map<string, number>();

  constructor(estate: Estate) {
    this.estate = estate;
    const units: Unit[] = [];
    const places: { target: TargetId; namespace: string; units: number[] }[] = [];
    const byKey = new Map<string, number>();
    const placeOf = new Map<string, number>();
    const hosts = new Map<TargetId, number>();
    this.unitOf = new Int32Array(estate.workloads.length);
    for (const [position, workload] of estate.workloads.entries()) {
      const place = workload.kind === "pod" ? placeNumber(places, placeOf, workload) : -1;
      const key = workload.kind === "pod" ? podKey(place, workload) : workload.id;
      let unit = byKey.get(key);
      if (unit === undefined) {
        unit = units.push({ sample: workload, place }) - 1;
        byKey.set(key, unit);
        places[place]?.units.push(unit);
        if (workload.kind === "host" && workload.target !== undefined) hosts.set(workload.target, unit);
      }
      this.unitOf[position] = unit;
    }
    this.units = units;
    this.places = places;
    this.hosts = hosts;
    this.#positions = new Map(estate.workloads.map((workload, position) => [workload, position]));
  }

  /** Position of a workload in the estate. @throws FirebreakError PLAN_INVARIANT_BROKEN for one that is not in it */
  positionOf(workload: Workload): number {
    const position = this.#positions.get(workload);
    if (position !== undefined) return position;
    this.#byId ??= new Map(this.estate.workloads.map(({ id }, index) => [id, index]));
    const named = this.#byId.get(workload.id);
    if (named === undefined)
      throw new FirebreakError("PLAN_INVARIANT_BROKEN", `look up ${workload.id}, which is not in the estate`);
    return named;
  }

  /** True for the very workloads of the estate, not for others with their ids. */
  isOwn(workload: Workload): boolean {
    return this.#positions.has(workload);
  }

  /** Units of pods of these clusters that both selectors match; hostNetwork pods are their node, so never among them. */
  selectPods(pods: LabelSelector, namespaces: LabelSelector, clusters: ReadonlySet<TargetId>): readonly number[] {
    const chosen = this.#placesMatching(namespaces).filter((place) => clusters.has((this.places[place] as Place).target));
    const inPlaces = chosen.reduce((sum, place) => sum + (this.places[place] as Place).units.length, 0);
    this.#unitLabels ??= indexLabels(this.units.map(({ sample }) => (isLabelled(sample) ? sample.labels : undefined)));
    const candidates = this.#unitLabels.candidates(pods);
    const isHere = new Set(chosen);
    const units = candidates.length < inPlaces ? candidates : chosen.flatMap((place) => (this.places[place] as Place).units);
    return units.filter((number) => {
      const { sample, place } = this.units[number] as Unit;
      return isHere.has(place) && isLabelled(sample) && matches(pods, sample.labels);
    });
  }

  /** Units of pods on the host network, in namespaces of these clusters that the selector matches. */
  selectHostNetwork(namespaces: LabelSelector, clusters: ReadonlySet<TargetId>): readonly number[] {
    const chosen = this.#placesMatching(namespaces).filter((place) => clusters.has((this.places[place] as Place).target));
    const units = chosen.flatMap((place) => (this.places[place] as Place).units);
    return units.filter((number) => (this.units[number] as Unit).sample.hostNetwork);
  }

  /** One number per distinct address set. */
  addressNumber(set: AddressSet): number {
    const text = isEmpty(set) ? "" : `${set.v4.join()};${set.v6.join()}`;
    const number = this.#addressSets.get(text) ?? this.#addressSets.size;
    this.#addressSets.set(text, number);
    return number;
  }

  #placesMatching(namespaces: LabelSelector): readonly number[] {
    const key = selectorKey(namespaces);
    const known = this.#placesOf.get(key);
    if (known !== undefined) return known;
    const labelsOf = ({ units }: Place) => (this.units[units[0] as number] as Unit).sample.namespaceLabels; // a place has a unit
    this.#placeLabels ??= indexLabels(this.places.map(labelsOf));
    const found = this.#placeLabels
      .candidates(namespaces)
      .filter((place) => matches(namespaces, labelsOf(this.places[place] as Place)));
    this.#placesOf.set(key, found);
    return found;
  }
}

const indexes = new WeakMap<Estate, EstateIndex>();

/** The index of an estate; made when first asked for. */
export function indexOf(estate: Estate): EstateIndex {
  const known = indexes.get(estate);
  if (known !== undefined) return known;
  const index = new EstateIndex(estate);
  indexes.set(estate, index);
  return index;
}

function isLabelled({ kind, hostNetwork }: Workload): boolean {
  return kind === "pod" && !hostNetwork;
}

function placeNumber(
  places: { target: TargetId; namespace: string; units: number[] }[],
  placeOf: Map<string, number>,
  { target = "", namespace = "" }: Workload,
): number {
  const key = `${target} ${namespace}`;
  const place = placeOf.get(key) ?? places.push({ target, namespace, units: [] }) - 1;
  placeOf.set(key, place);
  return place;
}

function podKey(place: number, { labels, ports, hostNetwork }: Workload): string {
  const keys = Object.keys(labels);
  if (keys.length > 1) keys.sort();
  let key = `${place}${hostNetwork ? "h" : ""}`;
  for (const name of keys) key += `\n${name}=${labels[name]}`;
  for (const { name, protocol, port } of ports) key += `\t${name}/${protocol}/${port}`;
  return key;
}
