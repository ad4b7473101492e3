import { fromPrefixes, intersect, isEmpty, isSubset, parsePrefix } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { matches } from "../selector/index.ts";
import type { LabelSelector } from "../selector/index.ts";
import { podId } from "./world.ts";
import type { WorldPod } from "./world.ts";

/**
 * What of an answer rests on facts that nobody knows: the least that is open whatever they are, or the most that may be. Where the two
 * are one, the answer is certain.
 */
export type Bound = "least" | "most";

/** An answer about a pod some of whose labels, or whose address, nobody knows. */
export type Match = "yes" | "maybe" | "no";

/** Does a selector match the pod? A label with an unknown value exists, and has some value. */
export function matchPod(selector: LabelSelector, pod: WorldPod): Match {
  const unknown = pod.unknown?.labels ?? [];
  if (!asksFor(selector, unknown)) return matches(selector, pod.labels) ? "yes" : "no";
  let isSure = true;
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (unknown.includes(key)) isSure = false;
    else if (!matches({ matchLabels: { [key]: value } }, pod.labels)) return "no";
  }
  for (const requirement of selector.matchExpressions ?? []) {
    if (!unknown.includes(requirement.key)) {
      if (!matches({ matchExpressions: [requirement] }, pod.labels)) return "no";
    } else if (requirement.operator === "DoesNotExist") return "no";
    else if (requirement.operator !== "Exists") isSure = false;
  }
  return isSure ? "yes" : "maybe";
}

/** Does a selector ask for one of the keys? Asked for every selector and pod: nothing is allocated. */
function asksFor({ matchLabels, matchExpressions }: LabelSelector, keys: readonly string[]): boolean {
  for (const key of keys) {
    if (matchLabels !== undefined && Object.hasOwn(matchLabels, key)) return true;
    if (matchExpressions?.some((requirement) => requirement.key === key) === true) return true;
  }
  return false;
}

/** Is an address of one family, somewhere in `possible`, in a set? */
export function matchAddresses(set: AddressSet, possible: AddressSet, family: 4 | 6): Match {
  const part: AddressSet = family === 4 ? { v4: possible.v4, v6: [] } : { v4: [], v6: possible.v6 };
  if (isEmpty(part) || isEmpty(intersect(set, part))) return "no";
  return isSubset(part, set) ? "yes" : "maybe";
}

/**
 * Where pods get their addresses when nobody says it: private and shared space, what clouds use besides (198.18.0.0/15, 240.0.0.0/4),
 * and unique local and global IPv6. A block of public addresses is taken to hold no pod; `podCIDR` of the nodes says better.
 */
export const POD_SPACE: AddressSet = fromPrefixes(
  [
    "10.0.0.0/8",
    "100.64.0.0/10",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "240.0.0.0/4",
    "2000::/3",
    "fc00::/7",
  ].flatMap((text) => {
    const parsed = parsePrefix(text);
    return "ok" in parsed ? [parsed.ok] : [];
  }),
);

/** What nobody knows of a pod, in words, as far as policies ask for it. */
export function unknownWords(pod: WorldPod | undefined, asked: readonly string[]): readonly string[] {
  if (pod?.unknown === undefined) return [];
  const labels = pod.unknown.labels.filter((key) => asked.includes(key));
  const name = podId(pod);
  return [
    ...labels.map((key) => `${name} will have the label ${key} with a value that nobody knows yet`),
    ...(pod.unknown.addresses === undefined ? [] : [`${name} has no known address`]),
  ];
}
