import { fromAddresses, firstAddress, intersect, isEmpty, subtract, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { Estate, Workload, WorkloadId } from "../estate/estate.ts";
import { externalCutter } from "../reach/externals.ts";
import type { Party, Source } from "../reach/source.ts";
import { cutIntoAtoms } from "../verdict/atoms.ts";

/** Workloads, or addresses of nobody, for which every question gets the same answer. */
export interface PartyClass {
  readonly index: number;
  /** Sorted by id; empty for addresses. */
  readonly workloads: readonly Workload[];
  /** The first of them, or the addresses. */
  readonly party: Party;
  /** A second one, where there is one: what goes on inside the class. */
  readonly other: Party | undefined;
  /** False for externals and addresses, where nothing of ours enforces. */
  readonly isManaged: boolean;
}

/** What questions tell apart beside the sources: who is in which end, labels of `same`, names of ports. */
export interface Facets {
  readonly ofWorkload: (workload: Workload) => string;
  /** Address sets that the questions name. */
  readonly addresses: readonly AddressSet[];
}

/**
 * The parties of the first source's estate in classes that none of the sources and no question tells apart; workloads first, by id. A wide
 * external is cut where somebody tells its addresses apart: a workload for each part.
 */
export function classesOf(sources: readonly [Source, ...Source[]], facets: Facets): readonly PartyClass[] {
  const [{ estate }, ...others] = sources;
  const known = others.map((source) => ({ source, find: workloadFinder(source.estate) }));
  const groups = new Map<string, Workload[]>();
  const cut = externalCutter(estate, () => [...facets.addresses, ...sources.flatMap(({ borders }) => borders)]);
  const parts = estate.workloads.flatMap((whole) => cut(whole).map((workload) => ({ workload, isPart: workload !== whole })));
  for (const { workload, isPart } of parts) {
    const isExternal = String(workload.target === undefined);
    const keys = [sources[0].keyOf(workload), facets.ofWorkload(workload), isExternal, isPart ? addressKey(workload) : ""];
    for (const { source, find } of known) {
      const there = find(workload.id);
      keys.push(there === undefined ? `new ${addressKey(workload)}` : source.keyOf(there));
    }
    const key = JSON.stringify(keys);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [workload]);
    else group.push(workload);
  }
  const parties = [...groups.values()].map((workloads): Omit<PartyClass, "index"> => {
    const [first, second] = workloads;
    return {
      workloads,
      party: partyOf(first as Workload), // a group begins with one
      other: second === undefined ? undefined : partyOf(second),
      isManaged: first?.target !== undefined,
    };
  });
  return [...parties, ...addressParties(sources, facets)].map((party, index) => ({ ...party, index }));
}

/** A workload as one end of a connection. */
export function partyOf(workload: Workload): Party {
  return { kind: "workload", workload };
}

/** Finds a workload by id. */
export function workloadFinder(estate: Estate): (id: WorkloadId) => Workload | undefined {
  const byId = new Map(estate.workloads.map((workload) => [workload.id, workload]));
  return (id) => byId.get(id);
}

/** Single addresses are told apart by the other source's borders, which cost too much to ask one by one. */
function addressKey({ addresses }: Workload): string {
  return `${addresses.v4.join()} ${addresses.v6.join()}`;
}

/** The addresses that the questions name and nobody owns, cut where a source tells them apart. */
function addressParties(sources: readonly [Source, ...Source[]], facets: Facets): readonly Omit<PartyClass, "index">[] {
  const asked = facets.addresses.filter((set) => !isEmpty(set));
  if (asked.length === 0) return [];
  const owned = unionAll(sources[0].estate.workloads.map(({ addresses }) => addresses));
  const borders = sources.flatMap((source) => source.borders);
  const cut = cutIntoAtoms([owned, ...asked, ...borders]);
  return cut.list
    .filter(({ within }) => within[0] !== 0 && within.some((index) => index <= asked.length))
    .map(({ addresses }) => ({ workloads: [], party: { kind: "addresses", addresses }, other: undefined, isManaged: false }));
}

/** True when the class is part of an end. */
export function isClassIn(
  { party }: PartyClass,
  end: { readonly has: (workload: Workload) => boolean; readonly addresses: AddressSet },
): boolean {
  return party.kind === "workload" ? end.has(party.workload) : !isEmpty(intersect(party.addresses, end.addresses));
}

/** The single addresses of a set of a workload's own, each as a set. */
export function singles(set: AddressSet): readonly AddressSet[] {
  const found: AddressSet[] = [];
  for (let left = set; ;) {
    const first = firstAddress(left);
    if (first === undefined) return found;
    const single = fromAddresses([first]);
    found.push(single);
    left = subtract(left, single);
  }
}
