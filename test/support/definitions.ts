import { fromPrefixes, parsePrefix } from "../../core/address/index.ts";
import type { AddressSet, Prefix } from "../../core/address/index.ts";
import type { ClusterInventory, Namespace, Pod } from "../../core/membership/inventory.ts";
import type {
  Cluster,
  Definitions,
  Direction,
  External,
  Guardrail,
  HostFleet,
  Member,
  Policy,
  PortRange,
  Ports,
  Rule,
  RulePort,
  Segment,
  Workspace,
} from "../../core/model/kinds.ts";
import type { LabelSelector, Labels } from "../../core/selector/index.ts";

/** Short ways to write definitions and inventories in tests; everything is as the parser would hand it over. */
const AT = { file: "test.yaml", line: 1, column: 1 };

/** One CIDR; throws on a typo in the test. */
export function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if ("ok" in parsed) return parsed.ok;
  throw new Error(parsed.error);
}

/** A set of CIDRs. */
export function addresses(...texts: string[]): AddressSet {
  return fromPrefixes(texts.map(prefix));
}

/** `8443/tcp`, `8000-8080/udp`. */
export function port(text: string): PortRange {
  const parsed = rulePort(text);
  if (parsed.kind !== "range") throw new Error(text);
  return parsed;
}

/** Ports as rules say them: `8443/tcp`, `8000-8080/sctp`, `http/tcp`, `icmp`, `icmp/8`, `icmpv6/1/4`. */
export function rulePort(text: string): RulePort {
  const [first = "", second, third] = text.split("/");
  const number = (part: string | undefined): number | undefined => (part === undefined ? undefined : Number(part));
  if (first === "icmp" || first === "icmpv6") return { kind: "icmp", protocol: first, type: number(second), code: number(third) };
  if (second !== "tcp" && second !== "udp" && second !== "sctp") throw new Error(text);
  if (/[a-z]/.test(first)) return { kind: "named", protocol: second, name: first };
  const [from, to] = first.split("-").map(Number);
  if (from === undefined) throw new Error(text);
  return { kind: "range", protocol: second, from, to: to ?? from };
}

export function cluster(name: string, over: Partial<Cluster> = {}): Cluster {
  return {
    kind: "Cluster",
    name,
    labels: { env: "prod" },
    at: AT,
    mode: "apply",
    connection: { kind: "context", context: name },
    enforcer: "auto",
    podNetwork: "routed",
    podRanges: [],
    governs: { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-system"] }] },
    foreign: "report",
    boundaries: { ingress: { addresses: [], controllers: [] } },
    dns: { service: undefined, ports: [] },
    ...over,
  };
}

export function podsMember(pods: LabelSelector, namespaces: LabelSelector = {}, clusters?: LabelSelector): Member {
  return { kind: "pods", pods, namespaces, clusters, at: AT };
}

/** Members by one label: `app=web`. */
export function app(value: string, namespaces: LabelSelector = {}): Member {
  return podsMember({ matchLabels: { app: value } }, namespaces);
}

export function hostsMember(hosts: LabelSelector, fleets?: LabelSelector): Member {
  return { kind: "hosts", hosts, fleets, at: AT };
}

export function addressesMember(...texts: string[]): Member {
  return { kind: "addresses", addresses: addresses(...texts), at: AT };
}

export function externalsMember(externals: LabelSelector): Member {
  return { kind: "externals", externals, at: AT };
}

/** `serviceMember("shop/web")`. */
export function serviceMember(path: string, clusters?: LabelSelector): Member {
  const [namespaceName = "", name = ""] = path.split("/");
  return { kind: "service", service: { namespace: namespaceName, name }, clusters, at: AT };
}

export function boundaryMember(side: Direction, clusters?: LabelSelector): Member {
  return { kind: "boundary", side, clusters, at: AT };
}

export function segmentsMember(...segments: string[]): Member {
  return { kind: "segments", segments, at: AT };
}

type Mode = "off" | "observe" | "enforce";

export function segment(
  name: string,
  members: readonly Member[],
  ingress: Mode = "observe",
  egress: Mode = "observe",
  over: Partial<Segment> = {},
): Segment {
  const isolate = { ingress, egress };
  return { kind: "Segment", name, labels: {}, at: AT, members, not: [], needs: [], sealed: false, isolate, ...over };
}

/** `rule("a, b", "c", "80/tcp, 53/udp")`; ports `any` too. */
export function rule(from: string, to: string, ports = "any", same: readonly string[] = []): Omit<Rule, "id" | "policy"> {
  const list = (text: string): string[] => text.split(", ");
  const parsed: Ports = ports === "any" ? "any" : list(ports).map(rulePort);
  return { from: list(from), to: list(to), ports: parsed, same, at: AT };
}

export function policy(name: string, ...rules: Omit<Rule, "id" | "policy">[]): Policy {
  return {
    kind: "Policy",
    name,
    labels: {},
    at: AT,
    owner: undefined,
    reason: undefined,
    ticket: undefined,
    expires: undefined,
    tests: [],
    rules: rules.map((body, index) => ({ ...body, id: `${name}/${index}`, policy: name })),
  };
}

export function external(name: string, labels: Labels, ...texts: string[]): External {
  return { kind: "External", name, labels, at: AT, addresses: addresses(...texts) };
}

export function fleet(
  name: string,
  hosts: readonly { name: string; addresses: string[]; labels: Labels }[],
  over: Partial<HostFleet> = {},
): HostFleet {
  return {
    kind: "HostFleet",
    name,
    labels: { env: "prod" },
    at: AT,
    mode: "apply",
    transport: { kind: "ssh", user: "firebreak", port: 22 },
    lifeline: { from: [], ports: [] },
    hosts: hosts.map((host) => ({ ...host, labels: { env: "prod", ...host.labels }, at: AT })),
    ...over,
  };
}

interface Parts {
  readonly clusters?: readonly Cluster[];
  readonly fleets?: readonly HostFleet[];
  readonly externals?: readonly External[];
  readonly segments?: readonly Segment[];
  readonly policies?: readonly Policy[];
  readonly guardrails?: readonly Guardrail[];
  readonly workspace?: Partial<Workspace>;
}

export function definitions(parts: Parts): Definitions {
  const byName = <T extends { readonly name: string }>(list: readonly T[] = []): ReadonlyMap<string, T> =>
    new Map([...list].sort((a, b) => (a.name < b.name ? -1 : 1)).map((item) => [item.name, item]));
  return {
    clusters: byName(parts.clusters),
    fleets: byName(parts.fleets),
    externals: byName(parts.externals),
    segments: byName(parts.segments),
    policies: byName(parts.policies),
    guardrails: byName(parts.guardrails),
    attributes: new Map(),
    workspace: {
      kind: "Workspace",
      internal: [],
      essentials: { dns: true, probes: true, dhcp: true, ntp: true, icmpErrors: true, apiserver: true, webhooks: true },
      limits: { unisolate: 0 },
      approvals: { required: 0, distinctFromAuthor: true, forRules: 0 },
      require: [],
      drift: { default: ["alert", "heal"], overrides: [] },
      routes: [],
      at: undefined,
      ...parts.workspace,
    },
  };
}

export function namespace(name: string, labels: Labels = {}): Namespace {
  return { name, labels: { "kubernetes.io/metadata.name": name, ...labels } };
}

let uid = 0;

/** `pod("shop/web-1", {app: "web"}, "10.0.0.1")`. */
export function pod(path: string, labels: Labels, address?: string, over: Partial<Pod> = {}): Pod {
  const [namespaceName = "", name = ""] = path.split("/");
  uid += 1;
  return {
    uid: `uid-${uid}`,
    namespace: namespaceName,
    name,
    labels,
    addresses: address === undefined ? [] : [address],
    node: "node-1",
    hostNetwork: false,
    owner: undefined,
    ...over,
  };
}

export function inventory(name: string, over: Partial<ClusterInventory> = {}): ClusterInventory {
  return {
    kind: "cluster",
    target: `cluster/${name}`,
    uid: `uid-of-${name}`,
    complete: true,
    namespaces: [],
    pods: [],
    nodes: [],
    services: [],
    ...over,
  };
}
