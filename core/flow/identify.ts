import { formatAddress, parseAddress, toRanges } from "../address/index.ts";
import type { Estate, Workload } from "../estate/estate.ts";
import type { FlowEnd } from "./flow.ts";
import type { SightedEnd } from "./sighting.ts";

/** Who was there at one moment. */
export interface Picture {
  /** ms since the epoch */
  readonly at: number;
  readonly estate: Estate;
}

/** Says who an end was, from `first` to `last`. */
export type Identify = (end: SightedEnd, first: number, last: number) => FlowEnd;

interface Known {
  readonly at: number;
  /** Names by single address. */
  readonly byAddress: ReadonlyMap<string, ReadonlySet<string>>;
  readonly byPod: ReadonlyMap<string, string>;
  readonly byText: ReadonlyMap<string, string>;
}

/**
 * Who had an address, or was called so, while a connection was seen. An address counts as somebody's when every picture that bears on the
 * time says the same: the last one before it began, those while it lasted, the first one after it ended. Otherwise it is ambiguous, and
 * never guessed.
 *
 * @param pictures at least one
 * @param cluster whose pods a source names by namespace and name, where several clusters are known
 */
export function identifier(pictures: readonly Picture[], cluster?: string): Identify {
  const known = [...pictures].sort((a, b) => a.at - b.at).map((picture) => knownOf(picture, cluster));
  return (end, first, last) => {
    const bearing = bearingOn(known, first, last);
    if (end.name !== undefined) return named(bearing, end.name);
    const address = end.address === undefined ? undefined : canonical(end.address);
    if (end.pod !== undefined) {
      const name = `${end.pod.namespace}/${end.pod.name}`;
      const owners = new Set(bearing.flatMap(({ byPod }) => byPod.get(name) ?? []));
      const [only] = owners;
      if (only !== undefined && owners.size === 1) return { kind: "workload", name: only };
      return { kind: owners.size > 1 ? "ambiguous" : "unknown", name };
    }
    if (address === undefined) return { kind: "unknown", name: end.address ?? "nobody" };
    const answers = bearing.map(({ byAddress }) => [...(byAddress.get(address) ?? [])].sort().join("\n"));
    const [answer] = answers;
    if (answers.some((other) => other !== answer) || answer?.includes("\n") === true) return { kind: "ambiguous", name: address };
    return answer === undefined || answer === "" ? { kind: "address", name: address } : { kind: "workload", name: answer };
  };
}

function bearingOn(known: readonly Known[], first: number, last: number): readonly Known[] {
  const before = known.findLastIndex(({ at }) => at <= first);
  const after = known.findIndex(({ at }) => at >= last);
  return known.slice(Math.max(before, 0), after === -1 ? known.length : after + 1);
}

function named(known: readonly Known[], text: string): FlowEnd {
  const found = known.map(({ byText }) => byText.get(text)).find((name) => name !== undefined);
  return found === undefined ? { kind: "unknown", name: text } : { kind: "workload", name: found };
}

function knownOf({ at, estate }: Picture, cluster: string | undefined): Known {
  const byAddress = new Map<string, Set<string>>();
  const byPod = new Map<string, string>();
  const byText = new Map<string, string>();
  for (const workload of estate.workloads) {
    for (const address of singles(workload)) {
      const names = byAddress.get(address) ?? new Set();
      byAddress.set(address, names.add(workload.name));
    }
    byText.set(workload.id, workload.name);
    byText.set(workload.name, workload.name);
    byText.set(shortName(workload), workload.name);
    if (workload.kind !== "pod") continue;
    if (cluster !== undefined && workload.target !== `cluster/${cluster}`) continue;
    const pod = workload.id.split("/").slice(-2).join("/");
    // Two clusters may have a pod of one name: then it is nobody's, unless the cluster is said.
    byPod.set(pod, byPod.has(pod) && byPod.get(pod) !== workload.name ? "" : workload.name);
  }
  for (const [pod, name] of byPod) if (name === "") byPod.delete(pod);
  return { at, byAddress, byPod, byText };
}

/** `shop-eu shop/web[Deployment]` as people type it. */
function shortName({ name }: Workload): string {
  return name.replace(" ", "/").replace(/\[[A-Za-z]+\]$/, "");
}

/** A workload's own addresses one by one; a range of more is a network and nobody's own. */
export function singles({ addresses }: Workload): readonly string[] {
  return toRanges(addresses).flatMap((range): readonly string[] => {
    if (BigInt(range.last) - BigInt(range.first) >= MOST_OWN) return [];
    const all: string[] = [];
    if (range.family === 4)
      for (let value = range.first; value <= range.last; value += 1) all.push(formatAddress({ family: 4, value }));
    else for (let value = range.first; value <= range.last; value += 1n) all.push(formatAddress({ family: 6, value }));
    return all;
  });
}

/** Addresses in a row that one workload may have. */
const MOST_OWN = 16n;

/** One way to write an address; undefined for what is none. */
function canonical(text: string): string | undefined {
  const parsed = parseAddress(text);
  return "ok" in parsed ? formatAddress(parsed.ok) : undefined;
}
