import { count, formatPrefix, isSubset, toPrefixes } from "../address/index.ts";
import type { Workload } from "../estate/estate.ts";
import { endReader } from "../guardrail/ends.ts";
import { NAMESPACE_NAME_LABEL } from "../membership/select.ts";
import type { Definitions } from "../model/kinds.ts";
import type { Party } from "../reach/source.ts";
import { unusedName } from "../ground/unused-name.ts";
import type { Labels } from "../selector/index.ts";
import type { Named } from "./ask.ts";
import type { ConnectivityWorld } from "../guardrail/world.ts";

/** How a rule can name an end: by a segment that is there, or by one that is to be defined. */
export type KnownAs =
  | { readonly kind: "segment"; readonly name: string }
  | { readonly kind: "new"; readonly name: string; readonly spec: SegmentSpec };

/** A segment of one member, as it is written: one line of YAML each. */
export interface SegmentSpec {
  readonly member: string;
  /** Undefined for addresses, which cannot be isolated. */
  readonly isolate: string | undefined;
}

/** The segment that was named, else the smallest one that holds it, else a new one; or why there can be none, as a sentence. */
export function knownAs(world: ConnectivityWorld, named: Named, party: Party): KnownAs | string {
  if (named.kind === "segment") return { kind: "segment", name: named.text };
  const holding = party.kind === "workload" ? holdingWorkload(world, party.workload) : holdingAddresses(world, party);
  if (holding !== undefined) return { kind: "segment", name: holding };
  const spec = specFor(world.definitions, party);
  if (spec === undefined)
    return `no segment holds ${named.text}, and it has no label to know it by; define one, then a rule can name it`;
  return { kind: "new", name: unusedName(nameOf(named.text), new Set(world.definitions.segments.keys())), spec };
}

function holdingWorkload({ definitions, estate }: ConnectivityWorld, workload: Workload): string | undefined {
  const read = endReader(definitions, estate);
  const holding = [...definitions.segments.keys()].filter((name) => read(name).has(workload));
  const sized = holding.map((name) => ({ name, size: estate.workloads.filter(read(name).has).length }));
  return sized.sort((a, b) => a.size - b.size || (a.name < b.name ? -1 : 1))[0]?.name;
}

function holdingAddresses(
  { definitions, estate }: ConnectivityWorld,
  { addresses }: Extract<Party, { readonly kind: "addresses" }>,
): string | undefined {
  const read = endReader(definitions, estate);
  const holding = [...definitions.segments.keys()].filter((name) => isSubset(addresses, read(name).addresses));
  const sized = holding.map((name) => ({ name, size: count(read(name).addresses) }));
  return sized.sort((a, b) => (a.size === b.size ? (a.name < b.name ? -1 : 1) : a.size < b.size ? -1 : 1))[0]?.name;
}

/** Isolates nothing: defining it changes nothing but what a rule then says of it. */
const NOT_ISOLATED = "{ingress: off, egress: off}";

/** Labels that a controller gives each of its pods anew. */
const PASSING = new Set([
  "pod-template-hash",
  "controller-revision-hash",
  "pod-template-generation",
  "statefulset.kubernetes.io/pod-name",
  "apps.kubernetes.io/pod-index",
  "batch.kubernetes.io/controller-uid",
  "controller-uid",
]);

/** Hosts and externals by their addresses, which are theirs alone; pods by their labels and their namespace. */
function specFor({ clusters }: Definitions, party: Party): SegmentSpec | undefined {
  if (party.kind === "addresses" || party.workload.kind !== "pod") {
    const addresses = party.kind === "addresses" ? party.addresses : party.workload.addresses;
    const blocks = toPrefixes(addresses).map(formatPrefix);
    if (blocks.length === 0) return undefined;
    return { member: `{addresses: [${blocks.map(scalar).join(", ")}]}`, isolate: undefined };
  }
  const { labels, namespace, target } = party.workload;
  const own = Object.fromEntries(Object.entries(labels).filter(([key]) => !PASSING.has(key)));
  if (Object.keys(own).length === 0 || namespace === undefined) return undefined;
  const cluster = [...clusters.values()].find(({ name }) => `cluster/${name}` === target);
  const inCluster = Object.keys(cluster?.labels ?? {}).length === 0 ? "" : `, clusters: ${selector(cluster?.labels ?? {})}`;
  const inNamespace = selector({ [NAMESPACE_NAME_LABEL]: namespace });
  return { member: `{pods: ${selector(own)}, namespaces: ${inNamespace}${inCluster}}`, isolate: NOT_ISOLATED };
}

function selector(labels: Labels): string {
  const entries = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{matchLabels: {${entries.map(([key, value]) => `${scalar(key)}: ${scalar(value)}`).join(", ")}}}`;
}

/** Plain where YAML reads the same text back; else quoted. */
function scalar(text: string): string {
  return /^[a-z][a-z0-9./-]*$/i.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text) ? text : JSON.stringify(text);
}

/** A name made of what somebody typed: `8-8-8-8`, `shop-web`. */
function nameOf(text: string): string {
  const last = text
    .replace(/\[[A-Za-z]+\]$/, "")
    .split("/")
    .slice(-2)
    .join("-");
  const name = last
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 50)
    .replace(/-+$/, "");
  return name === "" ? "peer" : name;
}
