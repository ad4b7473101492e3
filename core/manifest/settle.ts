import { anyAddress, fromAddresses, fromPrefixes, isEmpty, parsePrefix } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { POD_SPACE } from "../verdict/unknown.ts";
import { parsedAddresses, podId } from "../verdict/world.ts";
import type { PolicyObject, WorldNode, WorldPod, WorldService } from "../verdict/world.ts";
import { REPLICA_LABELS } from "./controllers.ts";
import type { TemplatePods } from "./workload.ts";

/** What is known once all files are read. */
interface Read {
  readonly pods: readonly WorldPod[];
  readonly templates: readonly TemplatePods[];
  /** `podCIDR` of nodes. */
  readonly podRanges: readonly string[];
  readonly nodes: readonly WorldNode[];
  readonly policies: readonly PolicyObject[];
  readonly services: readonly WorldService[];
}

/**
 * The pods of a world: those that are there, and for each workload one that stands for all its pods, or each of them where a policy or a
 * Service tells them apart. Pods without an address get one in the ranges of the nodes, or where pods usually are.
 */
export function settlePods(read: Read): readonly WorldPod[] {
  const isToldApart = read.templates.some(({ each }) => each !== undefined) && tellsApart(read);
  const known = new Set(read.pods.map(podId));
  const made = read.templates.flatMap(({ one, each }) =>
    each === undefined || !isToldApart ? [one] : each.filter((pod) => !known.has(podId(pod))),
  );
  const inside = rangesOf(read.podRanges);
  const nodes = fromAddresses(read.nodes.flatMap(({ addresses }) => parsedAddresses(addresses)));
  const host = isEmpty(nodes) ? anyAddress : nodes;
  return [...read.pods, ...made].map((pod) => {
    if (pod.unknown === undefined) return pod;
    return { ...pod, unknown: { ...pod.unknown, addresses: pod.hostNetwork === true ? host : inside } };
  });
}

/** Does anything ask for a label that differs from pod to pod of one workload? */
function tellsApart({ policies, services }: Read): boolean {
  const text = JSON.stringify([policies.map(({ spec }) => spec), services.map(({ selector }) => selector)]);
  return REPLICA_LABELS.some((key) => text.includes(JSON.stringify(key)));
}

function rangesOf(texts: readonly string[]): AddressSet {
  const prefixes = texts.flatMap((text) => {
    const parsed = parsePrefix(text);
    return "ok" in parsed ? [parsed.ok] : (parsed.corrected ?? []);
  });
  return prefixes.length === 0 ? POD_SPACE : fromPrefixes(prefixes);
}
