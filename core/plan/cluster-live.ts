import type { Mark } from "../render/mark.ts";
import { ANNOTATION, readMark } from "../render/networkpolicy-mark.ts";
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicySpec } from "../render/networkpolicy-types.ts";
import { sha256Hex } from "../membership/hash.ts";
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
 * Of marked objects the address elements are left out, because they change without a plan. Order of objects, resourceVersion and annotations
 * besides the mark do not count; text that means the same counts as another. It costs what reading the objects costs, and nothing is worked
 * out of them: tenants size them.
 */
export function observationDigest(observation: ClusterObservation): string {
  return digestOfLines(observation, observation.policies.map(observationLine));
}

/** What one object adds to the digest. */
export function observationLine({ object }: LivePolicy): string {
  const mark = readMark(object);
  const spec = mark === undefined ? object.spec : withoutAddresses(object.spec);
  return sha256Hex(JSON.stringify([objectKey(object), mark?.instance ?? "", spec]));
}

/** The digest of what the lines of all objects say, in any order. */
export function digestOfLines({ uid, completeness }: ClusterObservation, lines: readonly string[]): string {
  return sha256Hex(JSON.stringify([uid, completeness, [...lines].sort()]));
}

/** Rules of addresses only are left out, since an empty set renders none. */
function withoutAddresses(spec: NetworkPolicySpec): unknown {
  const ingress = spec.ingress?.flatMap(({ from, ...rule }) => withPeers(rule, from));
  const egress = spec.egress?.flatMap(({ to, ...rule }) => withPeers(rule, to));
  return [{ ...spec, ingress: undefined, egress: undefined }, ingress?.sort(), egress?.sort()];
}

function withPeers(rule: object, peers: readonly NetworkPolicyPeer[] = []): readonly string[] {
  const kept = peers.filter(({ ipBlock }) => ipBlock === undefined);
  const isOfAddresses = kept.length === 0 && peers.length > 0;
  return isOfAddresses ? [] : [JSON.stringify([rule, kept])];
}
