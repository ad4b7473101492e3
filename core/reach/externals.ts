import { count, equals, formatSet, intersect, isEmpty, subtract, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { Estate, Workload } from "../estate/estate.ts";
import { cutIntoAtoms } from "../verdict/atoms.ts";

/** Addresses of a part that are named before the rest is counted: the bound on a name. */
const MAX_NAMED = 60;

/**
 * Cuts externals where somebody tells their addresses apart (docs/design/contracts.md "Membership by address").
 *
 * An external of one address per family is one machine, and stays as it is. A wider one is its addresses: each part of them answers for
 * itself, `corp (10.1.0.0-10.1.255.255)`, so that a rule for a narrower range is never told of the whole. Addresses that a managed
 * workload has are that workload's, which answers for them. Whoever is no external stays as it is.
 *
 * @param borders all address sets that somebody tells apart
 */
export function externalCutter(estate: Estate, borders: () => readonly AddressSet[]): (workload: Workload) => readonly Workload[] {
  let cut: ReturnType<typeof makeCut> | undefined;
  return (workload) => (isWide(workload) ? (cut ??= makeCut(estate, borders()))(workload) : [workload]);
}

/** True for an external that is more than one machine. */
export function isWide({ kind, addresses: { v4, v6 } }: Workload): boolean {
  return kind === "external" && (count({ v4, v6: [] }) > 1n || count({ v4: [], v6 }) > 1n);
}

function makeCut(estate: Estate, borders: readonly AddressSet[]): (external: Workload) => readonly Workload[] {
  const atoms = cutIntoAtoms(borders);
  const managed = managedAddresses(estate);
  return (external) => {
    const rest = subtract(external.addresses, managed);
    const bySets = Map.groupBy(atoms.meeting(rest), (atom) => atoms.list[atom]?.within.join() ?? "");
    const parts = [...bySets.values()].map((list) =>
      intersect(rest, unionAll(list.flatMap((atom) => atoms.list[atom]?.addresses ?? []))),
    );
    const [only] = parts;
    if (only !== undefined && parts.length === 1)
      return [equals(only, external.addresses) ? external : partOf(external, only, external.name)];
    return parts.map((part) => partOf(external, part, `${external.name} (${shortSet(part)})`));
  };
}

function partOf(external: Workload, addresses: AddressSet, name: string): Workload {
  return { ...external, name, addresses, shown: addresses };
}

function shortSet(set: AddressSet): string {
  const text = formatSet(set);
  return text.length <= MAX_NAMED ? text : `${text.slice(0, text.lastIndexOf(",", MAX_NAMED) + 1)} …`;
}

const known = new WeakMap<Estate, AddressSet>();

/** Addresses of hosts and pods; those of pods on the host network are their nodes'. */
function managedAddresses(estate: Estate): AddressSet {
  const before = known.get(estate);
  if (before !== undefined) return before;
  const sets = estate.workloads.flatMap(({ kind, hostNetwork, addresses }) =>
    kind === "external" || hostNetwork || isEmpty(addresses) ? [] : [addresses],
  );
  const managed = unionAll(sets);
  known.set(estate, managed);
  return managed;
}
