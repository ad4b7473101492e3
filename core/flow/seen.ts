import { fromAddresses, isEmpty, intersect, parseAddress } from "../address/index.ts";
import type { Estate, Workload } from "../estate/estate.ts";
import { isWide } from "../reach/externals.ts";
import type { Party } from "../reach/source.ts";
import type { RulePort } from "../model/kinds.ts";
import { compareText } from "../membership/order.ts";
import { singles } from "./identify.ts";
import { flowText, portText, type Flow, type FlowEnd } from "./flow.ts";
import type { FlowProtocol } from "./sighting.ts";

/** All that was seen from one end to one port of another, of all sources together, and who the ends are now. */
export interface Seen {
  readonly from: FlowEnd;
  readonly to: FlowEnd;
  readonly protocol: FlowProtocol;
  readonly port: number;
  readonly count: number;
  readonly unanswered: number;
  readonly first: number;
  readonly last: number;
  readonly days: readonly string[];
  readonly sources: readonly string[];
  /** Was it refused each time? */
  readonly isRefused: boolean;
  /** Parties of the estate that these ends are. */
  readonly initiator: Party;
  readonly responder: Party;
}

/** What was seen and nothing can be concluded from, and why. */
export interface Unclear {
  readonly text: string;
  readonly count: number;
  readonly why: string;
}

/** Flows of all sources by ends and port, in one order; and those of which nobody can say whose they are. */
export function seenOf(
  estate: Estate,
  flows: readonly Flow[],
): { readonly seen: readonly Seen[]; readonly unclear: readonly Unclear[] } {
  const resolve = resolver(estate);
  const seen: Seen[] = [];
  const unclear: Unclear[] = [];
  const groups = Map.groupBy(flows, flowText);
  for (const [text, group] of [...groups].sort(([a], [b]) => compareText(a, b))) {
    const [flow] = group as [Flow, ...Flow[]]; // groups are never empty
    const count = group.reduce((sum, other) => sum + other.count, 0);
    const [initiator, responder] = [resolve(flow.from), resolve(flow.to)];
    if (typeof initiator === "string") unclear.push({ text, count, why: initiator });
    else if (typeof responder === "string") unclear.push({ text, count, why: responder });
    else if (flow.port === null)
      unclear.push({ text, count, why: "on more ports than are told apart: a scan, or ports that change" });
    else
      seen.push({
        from: flow.from,
        to: flow.to,
        protocol: flow.protocol,
        port: flow.port,
        count,
        unanswered: group.reduce((sum, { unanswered }) => sum + unanswered, 0),
        first: Math.min(...group.map(({ first }) => first)),
        last: Math.max(...group.map(({ last }) => last)),
        days: [...new Set(group.flatMap(({ days }) => days))].sort(compareText),
        sources: [...new Set(group.map(({ source }) => source))].sort(compareText),
        isRefused: group.every(({ verdict }) => verdict === "denied"),
        initiator,
        responder,
      });
  }
  return { seen, unclear };
}

/** A port as a rule has it. */
export function rulePortOf({ protocol, port }: Pick<Seen, "protocol" | "port">): RulePort {
  if (protocol === "icmp" || protocol === "icmpv6") return { kind: "icmp", protocol, type: port, code: undefined };
  return { kind: "range", protocol, from: port, to: port };
}

/** The same as text: `443/tcp`. */
export function rulePortText({ protocol, port }: Pick<Seen, "protocol" | "port">): string {
  return portText(protocol, port);
}

/** Who an end is in this estate; or why nobody can say, as a sentence. */
function resolver({ workloads }: Estate): (end: FlowEnd) => Party | string {
  const byName = new Map<string, Workload>();
  const owners = new Map<string, Workload>();
  for (const workload of workloads) {
    if (!byName.has(workload.name)) byName.set(workload.name, workload);
    if (workload.kind !== "external") for (const address of singles(workload)) owners.set(address, workload);
  }
  const externals = workloads.filter(({ kind }) => kind === "external");
  return ({ kind, name }) => {
    switch (kind) {
      case "workload": {
        const workload = byName.get(name);
        return workload === undefined ? `${name} is not there any more` : { kind: "workload", workload };
      }
      case "address":
        return partyAt(owners, externals, name);
      case "ambiguous":
        return `${name} was more than one workload's at the time`;
      case "unknown":
        return `no inventory of the time has ${name}`;
      case "more":
        return "more ends than are told apart";
    }
  };
}

/**
 * An address that nobody had: the external that it is part of, cut to it, or just the address. One that is somebody's now was not his then.
 */
function partyAt(owners: ReadonlyMap<string, Workload>, externals: readonly Workload[], name: string): Party | string {
  const parsed = parseAddress(name);
  if (!("ok" in parsed)) return `${name} is no address`;
  const owner = owners.get(name);
  if (owner !== undefined) return `${name} is ${owner.name} now, and was nobody known when it was seen`;
  const addresses = fromAddresses([parsed.ok]);
  const external = externals.find((workload) => !isEmpty(intersect(workload.addresses, addresses)));
  if (external === undefined) return { kind: "addresses", addresses };
  const one = { ...external, addresses, shown: addresses, name: `${external.name} (${name})` };
  return { kind: "workload", workload: isWide(external) ? one : external };
}
