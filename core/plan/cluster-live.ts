import type { Mark } from "../render/mark.ts";
import { ANNOTATION, readMark } from "../render/networkpolicy-mark.ts";
import type { NetworkPolicy } from "../render/networkpolicy-types.ts";
import { sha256Hex } from "../membership/hash.ts";
import { compareText } from "../membership/order.ts";
import { specKey, specKeyWithoutAddresses } from "./defaulting.ts";
import type { ClusterObservation, LivePolicy } from "../observed/observation.ts";

/** `NAMESPACE/NAME`: one per object and cluster. */
export function objectKey(object: { readonly metadata: { readonly namespace: string; readonly name: string } }): string {
  return `${object.metadata.namespace}/${object.metadata.name}`;
}

/** `networkpolicy NAMESPACE/NAME`, as conflicts and findings name it. */
export function objectSubject(object: NetworkPolicy): string {
  return `networkpolicy ${objectKey(object)}`;
}

/**
 * The mark of a live object if this installation wrote it. The installation's id alone says so: who damages the rest of a mark must
 * not turn an object of ours into one that is never repaired. Such a mark is of sequence 0.
 */
export function ownMark({ object }: LivePolicy, instance: string): Mark | undefined {
  if (object.metadata.annotations?.[ANNOTATION.instance] !== instance) return undefined;
  return readMark(object) ?? { instance, sequence: 0, digest: "" };
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
