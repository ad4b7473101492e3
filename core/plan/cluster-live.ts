import type { Mark } from "../render/mark.ts";
import { readMark } from "../render/networkpolicy-mark.ts";
import type { NetworkPolicy } from "../render/networkpolicy-types.ts";
import { sha256Hex } from "../membership/hash.ts";
import { compareText } from "../membership/order.ts";
import { specKey, specKeyWithoutAddresses } from "./defaulting.ts";
import type { ClusterObservation, LivePolicy } from "./observation.ts";

/** `NAMESPACE/NAME`: one per object and cluster. */
export function objectKey(object: { readonly metadata: { readonly namespace: string; readonly name: string } }): string {
  return `${object.metadata.namespace}/${object.metadata.name}`;
}

/** `networkpolicy NAMESPACE/NAME`, as conflicts and findings name it. */
export function objectSubject(object: NetworkPolicy): string {
  return `networkpolicy ${objectKey(object)}`;
}

/** The mark of a live object if this installation wrote it. */
export function ownMark(live: LivePolicy, instance: string): Mark | undefined {
  const mark = readMark(live.object);
  return mark?.instance === instance ? mark : undefined;
}

/**
 * Digest of the enforcement objects of a cluster, 64 hex characters: what a plan is refused for when it has moved on.
 *
 * Of marked objects the address elements are left out, because they change without a plan. Order, resourceVersion and text that
 * means the same do not count.
 */
export function observationDigest(observation: ClusterObservation): string {
  const lines = observation.policies.map(({ object }) => {
    const mark = readMark(object);
    const spec = mark === undefined ? specKey(object.spec) : specKeyWithoutAddresses(object.spec);
    return JSON.stringify([objectKey(object), mark?.instance ?? "", spec]);
  });
  return sha256Hex(JSON.stringify([observation.uid, observation.completeness, lines.sort(compareText)]));
}
