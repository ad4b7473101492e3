import { NAMESPACE_NAME_LABEL } from "../membership/select.ts";
import type { LabelSelector } from "../selector/index.ts";
import type { Group } from "./group.ts";

/** Labels that say what a workload is, the most telling first (kubernetes.io/docs/concepts/overview/working-with-objects/common-labels). */
const TELLING = [
  "app.kubernetes.io/name",
  "app.kubernetes.io/instance",
  "app",
  "k8s-app",
  "name",
  "app.kubernetes.io/component",
  "component",
  "role",
  "tier",
];

/** A name that a person would choose for pods: of namespace `shop` and label `app: web` it is `shop-web`, all of a namespace has its name. */
export function groupName({ namespaces, pods }: Group): string {
  return labelName([wordsOf(namespaces, "all"), wordsOf(pods, "")].filter((part) => part !== "").join("-")) || "pods";
}

/** The text as an RFC 1123 label of at most 50 characters; empty when nothing of it can be one. */
export function labelName(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 50)
    .replaceAll(/^-+|-+$/g, "");
}

function wordsOf({ matchLabels = {}, matchExpressions = [] }: LabelSelector, all: string): string {
  const name = matchLabels[NAMESPACE_NAME_LABEL];
  const others = Object.entries(matchLabels)
    .filter(([key]) => key !== NAMESPACE_NAME_LABEL)
    .toSorted(([a], [b]) => rank(a) - rank(b))
    .map(([, value]) => value);
  const words = matchExpressions.map(({ key, operator, values = [] }) => {
    switch (operator) {
      case "In":
        return values.join("-or-");
      case "NotIn":
        return `not-${values.join("-")}`;
      case "Exists":
        return `with-${lastPart(key)}`;
      case "DoesNotExist":
        return `without-${lastPart(key)}`;
      default:
        return operator satisfies never;
    }
  });
  const parts = [...(name === undefined ? [] : [name]), ...new Set(others), ...words];
  return parts.length === 0 ? all : parts.join("-");
}

function rank(key: string): number {
  const at = TELLING.indexOf(key);
  return at === -1 ? TELLING.length : at;
}

function lastPart(key: string): string {
  return key.split("/").at(-1) ?? key;
}
