import {
  formatPrefix,
  fromPrefixes,
  isSubset,
  networkOf,
  subtract,
  toPrefixes,
  type Address,
  type AddressSet,
  type Prefix,
} from "../address/index.ts";
import { unusedName } from "../ground/unused-name.ts";
import type { Draft, DraftEnd, DraftPolicy } from "./draft.ts";
import { groupKey, type Group } from "./group.ts";
import { groupName, labelName } from "./names.ts";

/** A definition as it is written. */
export interface Document {
  readonly kind: "Cluster" | "External" | "Segment" | "Policy" | "Workspace";
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec: Readonly<Record<string, unknown>>;
}

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
  const names = new Names(options);
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
  const externals = names.blocks.flatMap(({ name, block }): readonly Document[] => [
    { kind: "External", metadata: { name, labels: { "imported-as": name } }, spec: { ...block } },
    {
      kind: "Segment",
      metadata: { name },
      spec: { members: [{ externals: { matchLabels: { "imported-as": name } } }] },
    },
  ]);
  return [clusterDocument(draft, options), ...externals, ...segments, ...policies];
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

interface Rule {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly ports: readonly string[];
}

/** Fewer rules that say the same: those that differ in one end only become one. */
function merged(rules: readonly Rule[]): readonly Rule[] {
  const join = (list: readonly Rule[], end: "from" | "to"): readonly Rule[] => {
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

/** Names of what is written: each once, and the same whenever the same is imported. */
class Names {
  readonly #taken: Set<string>;
  readonly #policies: Set<string>;
  readonly #ends = new Map<string, string>();
  readonly groups: { readonly name: string; readonly group: Group; readonly not: readonly Group[] }[] = [];
  readonly blocks: { readonly name: string; readonly block: Block }[] = [];

  constructor({ cluster, taken = new Set() }: WriteOptions) {
    this.#taken = new Set([cluster, "any", "internet", "workloads", ...taken]);
    this.#policies = new Set(taken);
  }

  ofGroup(group: Group, not: readonly Group[] = []): string {
    const key = [group, ...not].map(groupKey).join("\n");
    return this.#once(key, () => {
      const base = not.length === 0 ? groupName(group) : `${groupName(group)}-others`;
      const name = this.#take(base);
      this.groups.push({ name, group, not });
      return name;
    });
  }

  ofEnd(end: DraftEnd): string {
    switch (end.kind) {
      case "any":
        return "any";
      case "everything":
        return this.#ofBlock({ addresses: ["0.0.0.0/0", "::/0"] }, "every-address");
      case "pods":
        return this.ofGroup(end.group, end.not);
      case "addresses": {
        const block = blockOf(end.set);
        const [first = ""] = block.addresses;
        return this.#ofBlock(block, block.addresses.length === 1 ? `net-${first}` : `nets-${first}-and-more`);
      }
      default:
        return end satisfies never;
    }
  }

  ofPolicy(text: string): string {
    const name = unusedName(labelName(text) || "policy", this.#policies);
    this.#policies.add(name);
    return name;
  }

  #ofBlock(block: Block, base: string): string {
    return this.#once(JSON.stringify(block), () => {
      const name = this.#take(base);
      this.blocks.push({ name, block });
      return name;
    });
  }

  #once(key: string, make: () => string): string {
    const name = this.#ends.get(key) ?? make();
    this.#ends.set(key, name);
    return name;
  }

  #take(base: string): string {
    const name = unusedName(labelName(base) || "pods", this.#taken);
    this.#taken.add(name);
    return name;
  }
}

/** Addresses as an External says them. */
interface Block {
  readonly addresses: readonly string[];
  readonly except?: readonly string[];
}

/** The shorter of two ways to say it: block by block, or the network around all of them without what is missing. */
function blockOf(set: AddressSet): Block {
  const plain = toPrefixes(set);
  const families = ([4, 6] as const).flatMap((family) => {
    const own = plain.filter((prefix) => prefix.family === family);
    const around = networkAround(own);
    return around === undefined ? [] : [around];
  });
  const holes = toPrefixes(subtract(fromPrefixes(families), set));
  const isShorter = families.length + holes.length < plain.length;
  return isShorter
    ? { addresses: families.map(formatPrefix), except: holes.map(formatPrefix) }
    : { addresses: plain.map(formatPrefix) };
}

/** The smallest network that holds all of them; they are sorted. */
function networkAround(prefixes: readonly Prefix[]): Prefix | undefined {
  const [first, last] = [prefixes[0], prefixes.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  for (let length = first.length; length > 0; length -= 1) {
    const network = networkOf({ family: first.family, value: first.first } as Address, length); // both stem from one union member
    if (isSubset(fromPrefixes([last]), fromPrefixes([network]))) return network;
  }
  return networkOf({ family: first.family, value: first.first } as Address, 0);
}
