import fc from "fast-check";
import { API_VERSION } from "../../core/model/kinds.ts";

/** One definition as a repository holds it; JSON is YAML. */
export type Document = Readonly<Record<string, unknown>>;

function document(kind: string, name: string, labels: Readonly<Record<string, string>>, spec: unknown): Document {
  return { apiVersion: API_VERSION, kind, metadata: { name, labels }, spec };
}

const mode = fc.oneof({ weight: 5, arbitrary: fc.constant("apply") }, { weight: 1, arbitrary: fc.constant("plan") });

function clusterDocument(name: string): fc.Arbitrary<Document> {
  return fc
    .record({
      mode,
      enforcer: fc.constantFrom("auto", "auto", "calico", "cilium", "antrea", "ovn-kubernetes", "kube-network-policies", "none"),
      podNetwork: fc.constantFrom("routed", "masqueraded"),
      governs: fc.constantFrom(undefined, undefined, {}, { matchLabels: { team: "x" } }),
      boundaries: fc.constantFrom(
        undefined,
        { ingress: { addresses: ["10.88.0.0/30", "2001:db8:88::/64"] } },
        { ingress: { addresses: ["10.20.0.12"], controllers: [{ namespace: "ops", pods: { matchLabels: { app: "c" } } }] } },
        { ingress: { controllers: [{ namespace: "shop", pods: {} }] } },
      ),
      dns: fc.constantFrom(
        undefined,
        undefined,
        { service: { namespace: "ops", name: "names" } },
        { ports: ["1053/tcp", "1053-1054/udp"] },
        { service: { namespace: "ops", name: "names" }, ports: ["9053/tcp"] },
      ),
    })
    .map((spec) => {
      const given = Object.entries(spec).filter(([, value]) => value !== undefined);
      return document("Cluster", name, { region: name }, { ...Object.fromEntries(given), context: name });
    });
}

const lifeline = fc.constantFrom(
  undefined,
  { from: ["10.0.0.0/24"], ports: ["22/tcp"] },
  { from: ["10.1.0.0/30", "2001:db8::/64"], ports: ["22/tcp", "161/udp"] },
);

function fleetDocument(): fc.Arbitrary<Document> {
  return fc.record({ mode, lifeline }).map(({ mode: chosen, lifeline: line }) =>
    document(
      "HostFleet",
      "dir",
      { site: "one" },
      {
        mode: chosen,
        transport: { ssh: { user: "fb" } },
        ...(line === undefined ? {} : { lifeline: line }),
        hosts: [
          { name: "ldap-1", addresses: ["10.20.0.11", "2001:db8:20::11"], labels: { role: "ldap", color: "blue" } },
          { name: "ldap-2", addresses: ["10.20.0.12", "10.21.0.12"], labels: { role: "ldap", color: "red" } },
          { name: "other", addresses: ["10.20.0.13"], labels: { role: "none" } },
        ],
      },
    ),
  );
}

function edgeDocument(): fc.Arbitrary<Document> {
  return fc.record({ mode, lifeline }).map(({ mode: chosen, lifeline: line }) =>
    document(
      "HostFleet",
      "edge",
      { site: "two", color: "blue" },
      {
        mode: chosen,
        transport: { local: {} },
        ...(line === undefined ? {} : { lifeline: line }),
        hosts: [{ name: "gate", addresses: ["2001:db8:20::1"] }],
      },
    ),
  );
}

/** They overlap each other, pods and hosts; one is public, one has no label that `same` compares. */
const EXTERNALS: readonly Document[] = [
  document("External", "mainframe", { tier: "legacy", color: "blue" }, { addresses: ["10.9.0.0/24"], except: ["10.9.0.7/32"] }),
  document("External", "printer", { tier: "legacy", color: "red" }, { addresses: ["10.9.0.0/28", "2001:db8:9::/64"] }),
  document("External", "partner", { tier: "web" }, { addresses: ["8.8.8.0/24"] }),
  document("External", "lab", { tier: "web", color: "blue" }, { addresses: ["10.1.0.0/29", "10.20.0.12/32"] }),
];

const pods = fc.constantFrom(
  {},
  { matchLabels: { app: "a" } },
  { matchLabels: { app: "b" } },
  { matchLabels: { color: "blue" } },
  { matchLabels: { app: "a", color: "red" } },
  { matchExpressions: [{ key: "app", operator: "NotIn", values: ["a"] }] },
  { matchExpressions: [{ key: "color", operator: "Exists" }] },
  {
    matchExpressions: [
      { key: "app", operator: "In", values: ["b", "c"] },
      { key: "color", operator: "DoesNotExist" },
    ],
  },
);
const namespaces = fc.constantFrom<unknown>(
  {},
  {},
  { matchLabels: { team: "x" } },
  { matchExpressions: [{ key: "team", operator: "NotIn", values: ["x"] }] },
);
const clusters = fc.constantFrom(undefined, undefined, { matchLabels: { region: "eu" } }, { matchLabels: { region: "us" } });

function withClusters<Fields extends object>(fields: fc.Arbitrary<Fields>): fc.Arbitrary<object> {
  return fc.tuple(fields, clusters).map(([some, chosen]) => (chosen === undefined ? some : { ...some, clusters: chosen }));
}

const SERVICES = [
  { namespace: "shop", name: "web" },
  { namespace: "shop", name: "raw" },
  { namespace: "shop", name: "absent" },
  { namespace: "kube-system", name: "kube-dns" },
];

const podMember = withClusters(fc.record({ pods, namespaces }));
const serviceMember = withClusters(fc.constantFrom(...SERVICES).map((service) => ({ service })));
const hostMember = fc.constantFrom<object>(
  { hosts: {} },
  { hosts: { matchLabels: { role: "ldap" } } },
  { hosts: { matchLabels: { color: "blue" } } },
  { fleets: { matchLabels: { site: "one" } } },
);
const externalMember = fc.constantFrom<object>(
  { externals: { matchLabels: { tier: "legacy" } } },
  { externals: { matchLabels: { color: "blue" } } },
  { externals: {} },
);
const addressMember = fc
  .subarray(
    [
      "10.1.0.0/30",
      "10.1.0.0/16",
      "10.2.0.2/32",
      "10.9.0.0/25",
      "10.20.0.12/32",
      "172.16.0.0/12",
      "192.168.0.0/24",
      "0.0.0.0/0",
      "2001:db8::/32",
      "2001:db8:20::/64",
      "::/0",
      "5.5.0.0/16",
    ],
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .map((addresses) => ({ addresses }));
const boundaryMember = fc
  .tuple(fc.constantFrom("ingress", "egress"), clusters)
  .map(([side, chosen]) => ({ boundary: { side, ...(chosen === undefined ? {} : { clusters: chosen }) } }));

function memberOf(nested: readonly string[]): fc.Arbitrary<object> {
  return fc.oneof(
    { weight: 6, arbitrary: podMember },
    { weight: 2, arbitrary: serviceMember },
    { weight: 2, arbitrary: hostMember },
    { weight: 2, arbitrary: externalMember },
    { weight: 2, arbitrary: addressMember },
    { weight: 1, arbitrary: boundaryMember },
    ...(nested.length === 0
      ? []
      : [{ weight: 6, arbitrary: fc.subarray([...nested], { minLength: 1, maxLength: 2 }).map((segments) => ({ segments })) }]),
  );
}

const isolation = fc.constantFrom("off", "observe", "enforce", "enforce");

function segmentDocument(name: string, nested: readonly string[]): fc.Arbitrary<Document> {
  return fc
    .record({
      members: fc.array(memberOf(nested), { minLength: 1, maxLength: 3 }),
      not: fc.oneof(
        { weight: 2, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.array(memberOf(nested), { minLength: 1, maxLength: 2 }) },
      ),
      isolate: fc.record({ ingress: isolation, egress: isolation }),
      needs: fc.constantFrom([], [], ["apiserver"]),
      sealed: fc.constantFrom(false, false, true),
    })
    .map(({ isolate, needs, sealed, ...spec }) => {
      const canBeIsolated = spec.members.some((member) =>
        ["pods", "service", "hosts", "fleets", "segments"].some((key) => key in member),
      );
      return document("Segment", name, {}, { ...spec, ...(canBeIsolated ? { isolate, needs, sealed } : {}) });
    });
}

const ports = fc.oneof(
  { weight: 2, arbitrary: fc.constant(["any"]) },
  {
    weight: 6,
    arbitrary: fc.subarray(
      [
        "443/tcp",
        "8000-8010/tcp",
        "8005-8020/tcp",
        "8080/tcp",
        "53/udp",
        "5060/sctp",
        "http/tcp",
        "http/udp",
        "dns/udp",
        "icmp",
        "icmp/8",
        "icmp/3/4",
        "icmpv6",
        "icmpv6/128",
        "udp",
        "1-65535/tcp",
      ],
      { minLength: 1, maxLength: 3 },
    ),
  },
);
const end = fc.oneof(
  { weight: 8, arbitrary: fc.subarray(["a", "b", "c", "d", "nest"], { minLength: 1, maxLength: 2 }) },
  { weight: 1, arbitrary: fc.constant(["any"]) },
  { weight: 1, arbitrary: fc.constantFrom(["internet"], ["internet", "a"]) },
);

function policyDocument(): fc.Arbitrary<Document> {
  const rule = fc
    .record({ from: end, to: end, ports, same: fc.constantFrom(undefined, undefined, ["color"], ["color", "app"]) })
    .map(({ same, ...body }) => (same === undefined ? body : { ...body, same }));
  return fc
    .record({
      rules: fc.array(rule, { minLength: 1, maxLength: 3 }),
      expires: fc.constantFrom(undefined, undefined, "2020-01-01", "2030-01-01"),
    })
    .map(({ rules, expires }) => document("Policy", "p", {}, { rules, ...(expires === undefined ? {} : { expires }) }));
}

function workspaceDocument(): fc.Arbitrary<Document> {
  const mostly = fc.constantFrom(true, true, false);
  return fc
    .record({
      internal: fc.constantFrom([], ["10.0.0.0/8"], ["10.0.0.0/8", "5.0.0.0/8"]),
      essentials: fc.record({ dns: mostly, dhcp: mostly, ntp: mostly, icmpErrors: mostly, apiserver: mostly, webhooks: mostly }),
    })
    .map((spec) => document("Workspace", "workspace", {}, spec));
}

/**
 * Documents of random organisations, as wide as the model: every kind of member, of port and of target, nesting, `not`, `same`, modes,
 * expiry, essentials switched off. Some do not go together (`same` with addresses, `not` that takes nothing away); the parser refuses
 * those, and so does organisations.ts.
 */
export const documents: fc.Arbitrary<readonly Document[]> = fc
  .tuple(
    fc.tuple(clusterDocument("eu"), clusterDocument("us")),
    fc.tuple(fleetDocument(), edgeDocument()),
    fc.tuple(...["a", "b", "c", "d"].map((name) => segmentDocument(name, [])), segmentDocument("nest", ["a", "b", "c", "d"])),
    fc.array(policyDocument(), { minLength: 1, maxLength: 3 }),
    workspaceDocument(),
  )
  .map(([clusters, fleets, segments, policies, workspace]) => [
    ...clusters,
    ...fleets,
    ...EXTERNALS,
    ...segments,
    ...policies.map((policy, index) => ({ ...policy, metadata: { name: `p${index}` } })),
    workspace,
  ]);
