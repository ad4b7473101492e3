import { describe, expect, test } from "vitest";
import { emptySet, fromAddressTexts, fromPrefixes, parsePrefix, unionAll } from "../../../core/address/index.ts";
import { compileCluster } from "../../../core/compile/cluster.ts";
import type { ClusterAllow, ClusterWant } from "../../../core/compile/want.ts";
import { boundaryKey } from "../../../core/membership/membership.ts";
import { membersDigest, wantDigest } from "../../../core/render/digest.ts";
import { renderNetworkPolicies } from "../../../core/render/networkpolicy.ts";
import { readMark } from "../../../core/render/networkpolicy-mark.ts";
import type { NetworkPolicy } from "../../../core/render/networkpolicy-types.ts";
import {
  addresses,
  addressesMember,
  app,
  boundaryMember,
  cluster,
  definitions,
  namespace,
  podsMember,
  policy,
  rule,
  segment,
} from "../../support/definitions.ts";

const eu = cluster("eu");
const mark = { instance: "i-1", sequence: 7, digest: "0123456789abcdef" };

type Parts = Parameters<typeof definitions>[0];

function want(parts: Parts, over: Partial<Parameters<typeof compileCluster>[0]> = {}): ClusterWant {
  const defs = definitions({ clusters: [eu], ...parts });
  const input = {
    definitions: defs,
    cluster: eu,
    namespaces: [namespace("shop", { team: "shop" })],
    services: [],
    memberships: new Map(),
  };
  return compileCluster({ ...input, ...over }).want;
}

const web = segment("web", [app("web", { matchLabels: { team: "shop" } })], "enforce");
const out = segment("web", [app("web")], "off", "enforce");
const peers = [
  segment("client", [
    app("client", { matchExpressions: [{ key: "team", operator: "In", values: ["a", "b"] }] }),
    podsMember({}, { matchLabels: { tier: "ops" } }),
  ]),
  segment("legacy", [addressesMember("10.9.0.0/24", "10.9.0.0/32", "2001:db8::/64")]),
];
const kubeDns = {
  namespace: "kube-system",
  name: "kube-dns",
  selector: { "k8s-app": "kube-dns" },
  clusterIps: [],
  ports: [
    { protocol: "UDP", port: 53, targetPort: 53 },
    { protocol: "TCP", port: 53, targetPort: 53 },
  ],
};

const web2 = segment("web2", [app("web2")], "enforce");
const kubernetes = {
  namespace: "default",
  name: "kubernetes",
  selector: {},
  clusterIps: ["10.96.0.1"],
  endpoints: [
    { address: "192.168.0.10", ports: [{ protocol: "TCP", port: 6443 }] },
    { address: "192.168.0.11", ports: [{ protocol: "TCP", port: 6443 }] },
  ],
  ports: [{ protocol: "TCP", port: 443, targetPort: 6443 }],
};
const webhookService = {
  namespace: "shop",
  name: "checks",
  selector: { app: "checks" },
  clusterIps: [],
  ports: [{ protocol: "TCP", port: 443, targetPort: "webhook" }],
};
const webhook = {
  kind: "validating",
  name: "checks",
  service: { namespace: "shop", name: "checks", port: 443 },
  failsClosed: true,
} as const;
const edged = cluster("eu", {
  boundaries: {
    ingress: {
      addresses: [],
      controllers: [{ namespace: "ingress", pods: { matchLabels: { "app.kubernetes.io/name": "ingress-nginx" } } }],
    },
  },
});
const nodes = {
  target: "cluster/eu",
  segments: new Map([[boundaryKey("ingress"), addresses("192.168.0.0/28", "192.0.2.80/32")]]),
  complete: true,
  observedAt: 1,
  digest: "",
};

/** One golden file per kind of rendered object; `-u` rewrites them, and they are reviewed as text. */
const golden: readonly (readonly [string, ClusterWant])[] = [
  ["default-deny-ingress", want({ segments: [web] })],
  ["egress-with-dns", want({ segments: [out] }, { services: [kubeDns] })],
  ["from-any", want({ segments: [web], policies: [policy("p", rule("any", "web", "443/tcp"))] })],
  ["from-pods", want({ segments: [web, ...peers], policies: [policy("p", rule("client", "web", "8443/tcp"))] })],
  ["from-addresses", want({ segments: [web, ...peers], policies: [policy("p", rule("legacy", "web", "53/udp"))] })],
  ["from-both-any-port", want({ segments: [web, ...peers], policies: [policy("p", rule("client, legacy", "web"))] })],
  [
    "from-internet",
    want({
      segments: [web],
      policies: [policy("p", rule("internet", "web", "443/tcp"))],
      workspace: { internal: fromText("8.8.8.0/24") },
    }),
  ],
  ["to-pods", want({ segments: [out, ...peers], policies: [policy("p", rule("web", "client", "1-1023/tcp, 4000/udp"))] })],
  ["whole-protocol", want({ segments: [web], policies: [policy("p", rule("web", "web", "0-65535/tcp, 1-65535/udp"))] })],
  [
    "conjunction",
    want({
      segments: [web, segment("team", [podsMember({ matchLabels: { team: "shop" } })])],
      policies: [policy("p", rule("any", "team", "80/tcp"))],
    }),
  ],
  [
    "isolated-dns-pods",
    want(
      { segments: [segment("all", [podsMember({})], "enforce")] },
      { namespaces: [namespace("kube-system")], cluster: cluster("eu", { governs: {} }), services: [kubeDns] },
    ),
  ],
  [
    "named-and-sctp-ports",
    want({ segments: [out, web2, ...peers], policies: [policy("p", rule("web", "client, legacy, web2", "http/tcp, 3868/sctp"))] }),
  ],
  [
    "same-color",
    want(
      { segments: [web], policies: [policy("p", rule("web", "web", "80/tcp", ["color"]))] },
      { cells: { "web?color": { cells: [["Blue_1"], ["red"]], isWhole: true } } },
    ),
  ],
  [
    "needs-the-api-server",
    want({ segments: [segment("ops", [app("ops")], "off", "enforce", { needs: ["apiserver"] })] }, { services: [kubernetes] }),
  ],
  [
    "webhook-pods",
    want({ segments: [segment("all", [podsMember({})], "enforce")] }, { services: [webhookService], webhooks: [webhook] }),
  ],
  [
    "ingress-boundary",
    want(
      {
        segments: [web, segment("edge", [boundaryMember("ingress")])],
        policies: [policy("p", rule("edge", "web", "8080/tcp"))],
      },
      { cluster: edged, memberships: new Map([["cluster/eu", nodes]]) },
    ),
  ],
];

test.each(golden)("golden %s", async (name, wanted) => {
  const text = `${JSON.stringify(renderNetworkPolicies(wanted, mark), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot(`../../golden/networkpolicy/${name}.json`);
});

function fromText(...texts: string[]) {
  return texts.flatMap((text) => {
    const parsed = parsePrefix(text);
    return "ok" in parsed ? [parsed.ok] : [];
  });
}

describe("closed", () => {
  // would catch: the rule that a missing or empty `from` turns into "everyone" (measured with a typed client)
  test.each(golden)("%s: one direction, rule list written out, peers unless any, never an empty list inside", (_, wanted) => {
    for (const { spec } of renderNetworkPolicies(wanted, mark)) {
      expect(spec.policyTypes).toHaveLength(1);
      const isIngress = spec.policyTypes?.[0] === "Ingress";
      expect(spec).toHaveProperty(isIngress ? "ingress" : "egress");
      expect(spec).not.toHaveProperty(isIngress ? "egress" : "ingress");
      const rules = wanted.objects.flatMap((object) => object.allows);
      const bare = [...(spec.ingress ?? []), ...(spec.egress ?? [])].filter((one) => !("from" in one) && !("to" in one));
      if (bare.length > 0) expect(rules.some((allow) => allow.peers === "any")).toBe(true);
      expect(JSON.stringify(spec)).not.toMatch(/"(from|to|ports)":\[\]/);
    }
  });

  test.each([
    ["no peers", { peers: [], ports: "any" }],
    ["an empty address set", { peers: [{ kind: "addresses", addresses: emptySet }], ports: "any" }],
    ["no ports", { peers: "any", ports: [] }],
  ] as const)("a want that breaks its promise is refused: %s", (_, allow) => {
    expect(() => render([{ origin: "p/0", ...allow }])).toThrow("without a peer or a port");
  });
});

function render(allows: readonly ClusterAllow[]): readonly NetworkPolicy[] {
  const object = {
    namespace: "shop",
    name: "fb-web-i-00000000",
    direction: "ingress",
    subject: {},
    segment: "web",
    allows,
  } as const;
  return renderNetworkPolicies({ kind: "cluster", target: "cluster/eu", governed: ["shop"], objects: [object] }, mark);
}

describe("mark", () => {
  test("is read back", () => {
    expect(readMark(render([])[0] as NetworkPolicy)).toEqual(mark);
  });

  // would catch: a foreign object that is taken for ours and overwritten
  test.each([
    [{}],
    [{ "firebreak.dev/instance": "i-1" }],
    [{ "firebreak.dev/instance": "i-1", "firebreak.dev/sequence": "7x", "firebreak.dev/digest": "" }],
  ])("%j is no mark", (annotations) => {
    expect(readMark({ metadata: { annotations } })).toBeUndefined();
  });

  test("the list of rules is bounded", () => {
    const allows = Array.from({ length: 500 }, (_, n): ClusterAllow => ({
      origin: `p/${n}`,
      peers: "any",
      ports: [{ kind: "range", protocol: "tcp", from: n + 1, to: n + 1 }],
    }));
    expect(render(allows)[0]?.metadata.annotations?.["firebreak.dev/rules"]).toMatch(/and 480 more$/);
  });
});

describe("big address lists", () => {
  const scattered = (count: number, skip = -1): ReturnType<typeof addresses> =>
    fromAddressTexts(
      Array.from({ length: count }, (_, n) => n)
        .filter((n) => n !== skip)
        .map((n) => `10.${n % 64}.${(n >> 6) % 256}.${((n * 2) % 254) + 1}`),
    ).set;
  const allow = (set: ReturnType<typeof addresses>): ClusterAllow => ({
    origin: "p/0",
    peers: [{ kind: "addresses", addresses: set }],
    ports: "any",
  });
  const blocks = (policies: readonly NetworkPolicy[]): readonly string[] =>
    policies.flatMap(({ spec }) =>
      (spec.ingress ?? []).flatMap(({ from = [] }) => from.flatMap(({ ipBlock }) => (ipBlock === undefined ? [] : [ipBlock.cidr]))),
    );

  test("are split below the limit, lose nothing, keep the subject", () => {
    const policies = render([allow(scattered(5000))]);
    expect(policies.length).toBeGreaterThan(5);
    for (const one of policies) expect(blocks([one]).length).toBeLessThanOrEqual(1000);
    expect(new Set(policies.map(({ spec }) => JSON.stringify(spec.podSelector))).size).toBe(1);
    const together = unionAll(blocks(policies).map((cidr) => fromPrefixes(fromText(cidr))));
    expect(together).toEqual(scattered(5000));
  });

  // would catch: one pod that restarts rewriting every object
  test("one address change touches one object", () => {
    const before = render([allow(scattered(5000))]);
    const after = render([allow(scattered(5000, 1234))]);
    const changed = after.filter((policy, index) => JSON.stringify(policy) !== JSON.stringify(before[index]));
    expect(after).toHaveLength(before.length);
    expect(changed).toHaveLength(1);
  });

  test("wide blocks stay in the base object, and the base stays an isolating object", () => {
    const wide = unionAll([scattered(3000), addresses("172.16.0.0/12")]);
    const [base] = render([allow(wide)]);
    expect(blocks([base as NetworkPolicy])).toEqual(["172.16.0.0/12"]);
    expect(render([allow(scattered(3000))])[0]?.spec.ingress).toEqual([]);
  });
});

describe("digests", () => {
  const parts = (...texts: string[]): Parts => ({
    segments: [web, segment("legacy", [addressesMember(...texts)])],
    policies: [policy("p", rule("legacy", "web", "80/tcp"))],
  });

  // would catch: every pod restart elsewhere looking like a new revision
  test("elements change the members digest only; rules change the want digest", () => {
    const [a, b] = [want(parts("10.9.0.0/24")), want(parts("10.9.0.0/25"))];
    expect(wantDigest(a)).toBe(wantDigest(b));
    expect(membersDigest(a)).not.toBe(membersDigest(b));
    const other = want({ ...parts("10.9.0.0/24"), policies: [policy("p", rule("legacy", "web", "81/tcp"))] });
    expect(wantDigest(other)).not.toBe(wantDigest(a));
    expect(membersDigest(other)).toBe(membersDigest(a));
    expect(wantDigest(a)).toMatch(/^[0-9a-f]{16}$/);
  });
});
