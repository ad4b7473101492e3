import { formatSet } from "../address/index.ts";
import type { Workload } from "../estate/estate.ts";
import type { Party } from "../reach/source.ts";
import type { PartyClass } from "./space.ts";

const MAX_ADDRESSES = 60;

/** `prod-eu shop/web[Deployment]`, `directory/ldap-blue-1`, `mainframe`, `1.0.0.0-9.255.255.255, …`. */
export function partyName(party: Party): string {
  if (party.kind === "workload") return party.workload.name;
  const text = formatSet(party.addresses);
  return text.length <= MAX_ADDRESSES ? text : `${text.slice(0, text.lastIndexOf(",", MAX_ADDRESSES) + 1)} …`;
}

/** The first of a class, and how many more there are. */
export function className({ party, workloads }: PartyClass): string {
  const names = new Set(workloads.map(({ name }) => name));
  return names.size <= 1 ? partyName(party) : `${partyName(party)} and ${names.size - 1} more`;
}

/** All workloads of some classes. */
export function workloadsOf(classes: readonly PartyClass[]): readonly Workload[] {
  return classes.flatMap(({ workloads }) => workloads);
}
