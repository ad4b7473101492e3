import type { Document } from "./document.ts";
import type { Draft, DraftPolicy } from "./draft.ts";
import { groupKey, type Group } from "./group.ts";
import { externalDocuments, Names } from "./naming.ts";

/** How it is written. */
export interface WriteOptions {
  /** Name of the Cluster. */
  readonly cluster: string;
  /** The context of the kubeconfig. */
  readonly context: string;
  readonly mode: "plan" | "apply";
  /** What segments that were isolated say. */
  readonly isolate: "observe" | "enforce";
  readonly podRanges: readonly string[];
  /** Names that other files give already. */
  readonly taken?: ReadonlySet<string>;
  /** Who owns the policies whose NetworkPolicy names nobody. */
  readonly owner?: string | undefined;
}

/** Namespaces that a Cluster leaves alone unless it says otherwise (docs/reference/kinds.md, `governs`). */
const UNGOVERNED = ["kube-system", "kube-public", "kube-node-lease"];

/** The documents of a draft, in a stable order: the same draft gives the same text. */
export function documentsOf(draft: Draft, options: WriteOptions): readonly Document[] {
  const names = new Names([options.cluster, ...(options.taken ?? [])]);
  const isolation = new Map(draft.subjects.map((subject) => [groupKey(subject.group), subject]));
  for (const { group } of draft.subjects) names.ofGroup(group);
  const policies = draft.policies.map((policy) => policyDocument(policy, names, options)).filter((one) => one !== undefined);
  const segments = names.groups.map(({ name, group, not }): Document => {
    const { ingress = false, egress = false } = not.length > 0 ? {} : (isolation.get(groupKey(group)) ?? {});
    const word = (is: boolean): string => (is ? options.isolate : "off");
    return {
      kind: "Segment",
      metadata: { name },
      spec: {
        members: [memberOf(group, options)],
        ...(not.length > 0 && { not: not.map((each) => memberOf(each, options)) }),
        isolate: { ingress: word(ingress), egress: word(egress) },
      },
    };
  });
  return [clusterDocument(draft, options), ...externalDocuments(names.blocks), ...segments, ...policies];
}

function clusterDocument(draft: Draft, { cluster, context, mode, podRanges }: WriteOptions): Document {
  const governsAll = draft.policies.some(({ namespace }) => UNGOVERNED.includes(namespace));
  return {
    kind: "Cluster",
    metadata: { name: cluster, labels: { cluster } },
    spec: { mode, context, ...(podRanges.length > 0 && { podRanges }), ...(governsAll && { governs: {} }) },
  };
}

function memberOf({ namespaces, pods }: Group, { cluster }: WriteOptions): Readonly<Record<string, unknown>> {
  return { pods, namespaces, clusters: { matchLabels: { cluster } } };
}

function policyDocument(policy: DraftPolicy, names: Names, options: WriteOptions): Document | undefined {
  const rules = merged(
    policy.rules.map(({ from, to, ports }) => ({ from: [names.ofEnd(from)], to: [names.ofEnd(to)], ports: [...ports] })),
  );
  if (rules.length === 0) return undefined; // what only isolates says so as a segment
  const { namespace, name, reason, owner = options.owner } = policy;
  return {
    kind: "Policy",
    metadata: { name: names.ofPolicy(`${namespace}-${name}`) },
    spec: {
      ...(owner !== undefined && { owner }),
      reason: reason ?? `Imported from NetworkPolicy ${namespace}/${name} of cluster ${options.cluster}.`,
      rules,
    },
  };
}

/** A rule as it is written. */
export interface WrittenRule {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly ports: readonly string[];
}

/** Fewer rules that say the same: those that differ in one end only become one. */
export function merged(rules: readonly WrittenRule[]): readonly WrittenRule[] {
  const join = (list: readonly WrittenRule[], end: "from" | "to"): readonly WrittenRule[] => {
    const other = end === "from" ? "to" : "from";
    const groups = Map.groupBy(list, (rule) => JSON.stringify([rule[other], rule.ports]));
    return [...groups.values()].flatMap((alike) => {
      const [first] = alike;
      const all = [...new Set(alike.flatMap((rule) => rule[end]))];
      return first === undefined ? [] : [{ ...first, [end]: all.includes("any") ? ["any"] : all }];
    });
  };
  const unique = [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()];
  return join(join(unique, "from"), "to");
}
