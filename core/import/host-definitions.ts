import type { Document } from "./document.ts";
import { merged, type WrittenRule } from "./definitions.ts";
import type { HostDraft, HostDraftSide } from "./host.ts";
import { externalDocuments, Names } from "./naming.ts";
import { labelName } from "./names.ts";

/** A host of which the firewall was read. */
export interface ReadHost {
  readonly name: string;
  /** Its labels, laid over the fleet's. */
  readonly labels: Readonly<Record<string, string>>;
  readonly draft: HostDraft;
}

/** How they are written. */
export interface HostWriteOptions {
  readonly fleet: string;
  /** What segments that were isolated say. */
  readonly isolate: "observe" | "enforce";
  /** Every host that definitions know: what labels choose is asked of all of them. */
  readonly known: readonly { readonly fleet: string; readonly name: string; readonly labels: Readonly<Record<string, string>> }[];
  /** Names that other files give already. */
  readonly taken: ReadonlySet<string>;
  readonly owner?: string | undefined;
}

/** The documents, and the hosts for which no label chooses them alone. */
export interface HostDocuments {
  readonly documents: readonly Document[];
  /** Hosts that no label tells from others: a segment of them cannot be written. */
  readonly unnamed: readonly string[];
}

/** Segments and policies of hosts; hosts whose firewalls mean the same are one segment. The same hosts give the same text. */
export function hostDocuments(hosts: readonly ReadHost[], options: HostWriteOptions): HostDocuments {
  const { fleet, isolate, taken, owner } = options;
  const names = new Names(taken);
  const unnamed: string[] = [];
  const groups = Map.groupBy(
    hosts.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    ({ draft }) => JSON.stringify([meaningOf(draft.input), meaningOf(draft.output)]),
  );
  const written = [...groups.values()].flatMap((alike): readonly Document[] => {
    const [first] = alike;
    if (first === undefined) return [];
    const chosen = selectorOf(alike, options);
    if (chosen === undefined) {
      unnamed.push(...alike.map(({ name }) => name));
      return [];
    }
    const { input, output } = first.draft;
    const segment = names.of(chosen.name);
    const word = ({ isIsolated }: HostDraftSide): string => (isIsolated ? isolate : "off");
    const ends = (side: HostDraftSide) => side.opens.map(({ peers, ports }) => ({ peer: names.ofEnd(peers), ports: [...ports] }));
    const rules: readonly WrittenRule[] = merged([
      ...ends(input).map(({ peer, ports }) => ({ from: [peer], to: [segment], ports })),
      ...ends(output).map(({ peer, ports }) => ({ from: [segment], to: [peer], ports })),
    ]);
    const policy: Document = {
      kind: "Policy",
      metadata: { name: names.ofPolicy(`${fleet}-${segment}`) },
      spec: {
        ...(owner !== undefined && { owner }),
        reason: `Imported from the firewall of ${hostWords(fleet, alike)}.`,
        rules,
      },
    };
    return [
      {
        kind: "Segment",
        metadata: { name: segment },
        spec: { members: [{ hosts: chosen.selector }], isolate: { ingress: word(input), egress: word(output) } },
      },
      ...(rules.length > 0 ? [policy] : []),
    ];
  });
  return { documents: [...externalDocuments(names.blocks), ...written], unnamed };
}

function meaningOf({ isIsolated, opens, space }: HostDraftSide): unknown {
  return isIsolated ? [opens.map(({ ports }) => ports), space.starts, space.sets.map(({ v4, v6 }) => [v4, v6.map(String)])] : "off";
}

function hostWords(fleet: string, hosts: readonly ReadHost[]): string {
  const names = hosts.map(({ name }) => name);
  const said = names.length <= 4 ? names : [...names.slice(0, 3), `${names.length - 3} more`];
  return `${names.length === 1 ? "host" : "hosts"} ${said.join(", ")} of fleet ${fleet}`;
}

interface Chosen {
  readonly name: string;
  readonly selector: Readonly<Record<string, unknown>>;
}

/** A label that all of these hosts have and no other host; else their names, where they have them as a label `host`. */
function selectorOf(hosts: readonly ReadHost[], { fleet, known }: HostWriteOptions): Chosen | undefined {
  const [first] = hosts;
  const names = new Set(hosts.map(({ name }) => name));
  const isOne = (other: HostWriteOptions["known"][number]): boolean => other.fleet === fleet && names.has(other.name);
  const choosesThem = (key: string, values: ReadonlySet<string | undefined>): boolean =>
    known.every((other) => values.has(other.labels[key]) === isOne(other)) && hosts.every(({ labels }) => values.has(labels[key]));
  const shared = Object.entries(first?.labels ?? {}).find(
    ([key, value]) => (hosts.length > 1 || key !== HOST_LABEL) && choosesThem(key, new Set([value])),
  );
  if (shared !== undefined) {
    const [key, value] = shared;
    return { name: nameOfLabel(key, value) || [...names].join("-"), selector: { matchLabels: { [key]: value } } };
  }
  const values = hosts.map(({ labels }) => labels[HOST_LABEL]);
  if (first === undefined || !choosesThem(HOST_LABEL, new Set(values))) return undefined;
  const sorted = values.filter((value) => value !== undefined).toSorted();
  if (sorted.length === 1) return { name: first.name, selector: { matchLabels: { [HOST_LABEL]: sorted[0] } } };
  return {
    name: labelName(`${first.name}-and-${hosts.length - 1}-more`),
    selector: { matchExpressions: [{ key: HOST_LABEL, operator: "In", values: sorted }] },
  };
}

/** The label that tells a host from all others. */
export const HOST_LABEL = "host";

/** `web` of `role: web` and of `group/web: "true"`. */
function nameOfLabel(key: string, value: string): string {
  return labelName(value === "true" || value === "yes" || value === "" ? (key.split("/").at(-1) ?? key) : value);
}
