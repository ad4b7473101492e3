import { describe, expect, test } from "vitest";
import { formatSet } from "../../../core/address/index.ts";
import { compileCluster } from "../../../core/compile/cluster.ts";
import { ESSENTIALS } from "../../../core/compile/essentials.ts";
import { noteIneffective } from "../../../core/compile/ineffective.ts";
import type { ClusterAllow, ClusterObject, ClusterWant } from "../../../core/compile/want.ts";
import { membershipDigest } from "../../../core/membership/digest.ts";
import type { Service } from "../../../core/membership/inventory.ts";
import type { Membership } from "../../../core/membership/membership.ts";
import type { Definitions } from "../../../core/model/kinds.ts";
import { formatSelector } from "../../../core/selector/index.ts";
import {
  addresses,
  addressesMember,
  app,
  cluster,
  definitions,
  external,
  fleet,
  hostsMember,
  namespace,
  podsMember,
  policy,
  rule,
  segment,
} from "../../support/definitions.ts";

const eu = cluster("eu");
const shop = namespace("shop", { team: "shop" });
const kubeDns: Service = {
  namespace: "kube-system",
  name: "kube-dns",
  selector: { "k8s-app": "kube-dns" },
  clusterIps: ["10.96.0.10"],
  ports: [
    { protocol: "UDP", port: 53, targetPort: 53 },
    { protocol: "TCP", port: 53, targetPort: 53 },
    { protocol: "TCP", port: 9153, targetPort: 9153 },
  ],
};

function compile(parts: Partial<Parameters<typeof definitions>[0]>, over: Partial<Parameters<typeof compileCluster>[0]> = {}) {
  const defs = definitions({ clusters: [eu], ...parts });
  return compileCluster({ definitions: defs, cluster: eu, namespaces: [shop], services: [], memberships: new Map(), ...over });
}

/** `shop i web ⟨app=web⟩: order/0 any` per object, essentials left out. */
function lines(want: ClusterWant): readonly string[] {
  return want.objects
    .map(
      (object) =>
        `${object.namespace} ${object.direction[0]} ${object.segment} ⟨${formatSelector(object.subject)}⟩: ${allowWords(object)}`,
    )
    .sort();
}

function allowWords(object: ClusterObject): string {
  const allows = object.allows.filter((allow) => !allow.origin.startsWith("builtin/"));
  return allows.map((allow) => `${allow.origin} ${peerWords(allow)}`).join("; ") || "nobody";
}

function peerWords({ peers }: ClusterAllow): string {
  if (peers === "any") return "any";
  return peers
    .map((peer) =>
      peer.kind === "addresses" ? formatSet(peer.addresses) : `${formatSelector(peer.pods)}@${formatSelector(peer.namespaces)}`,
    )
    .join(" | ");
}

function membership(target: string, sets: Record<string, string[]>): [string, Membership] {
  const segments = new Map(Object.entries(sets).map(([name, texts]) => [name, addresses(...texts)]));
  return [target, { target, segments, complete: true, observedAt: 1, digest: membershipDigest(segments) }];
}

function codes(notes: readonly { readonly code: string }[]): readonly string[] {
  return [...new Set(notes.map((note) => note.code))].sort();
}

describe("isolation", () => {
  // would catch: a default deny that needs a rule to exist
  test("an enforced segment without rules is denied", () => {
    expect(lines(compile({ segments: [segment("web", [app("web")], "enforce")] }).want)).toEqual(["shop i web ⟨app=web⟩: nobody"]);
  });

  // would catch: rendering something that selects a pod which is only observed, and so isolating it
  test("an observed segment with rules renders nothing", () => {
    const parts = { segments: [segment("web", [app("web")])], policies: [policy("p", rule("any", "web", "80/tcp"))] };
    expect(lines(compile(parts).want)).toEqual([]);
  });

  // would catch: the allow of the observed segment lost for a pod that is in both, or isolating the pod that is in the observed only
  test("a pod in an enforced and an observed segment gets the rules of both, by conjunction", () => {
    const parts = {
      segments: [segment("web", [app("web")], "enforce"), segment("team", [podsMember({ matchLabels: { team: "shop" } })])],
      policies: [policy("p", rule("any", "team", "80/tcp"))],
    };
    expect(lines(compile(parts).want)).toEqual(["shop i web ⟨app=web, team=shop⟩: p/0 any", "shop i web ⟨app=web⟩: nobody"]);
  });

  test("a conjunction that can select nothing is left out", () => {
    const parts = {
      segments: [segment("web", [app("web")], "enforce"), segment("db", [app("db")])],
      policies: [policy("p", rule("any", "db", "80/tcp"))],
    };
    expect(lines(compile(parts).want)).toEqual(["shop i web ⟨app=web⟩: nobody"]);
  });

  // would catch: the same allow twice, and objects by the square of the segments
  test("two enforced segments need no conjunction: each covers its own pods", () => {
    const parts = {
      segments: [segment("all", [podsMember({})], "enforce"), segment("web", [app("web")], "enforce")],
      policies: [policy("p", rule("any", "web", "80/tcp"))],
    };
    expect(lines(compile(parts).want)).toEqual(["shop i all ⟨all⟩: nobody", "shop i web ⟨app=web⟩: p/0 any"]);
  });

  // would catch: a rule to any that opens nothing, or selects pods that are not isolated
  test("a rule to any counts for every enforced segment", () => {
    const parts = {
      segments: [segment("web", [app("web")], "enforce"), segment("db", [app("db")])],
      policies: [policy("p", rule("db", "any", "80/tcp"))],
    };
    expect(lines(compile(parts).want)).toEqual(["shop i web ⟨app=web⟩: p/0 app=db@all"]);
  });

  test("directions are apart: egress carries the rules that name the segment as initiator", () => {
    const parts = {
      segments: [segment("web", [app("web")], "observe", "enforce"), segment("db", [app("db")], "enforce")],
      policies: [policy("p", rule("web", "db", "5432/tcp"))],
    };
    expect(lines(compile(parts).want)).toEqual(["shop e web ⟨app=web⟩: p/0 app=db@all", "shop i db ⟨app=db⟩: p/0 app=web@all"]);
  });

  test("members with one selector are one object; each governed namespace that matches has its own", () => {
    const member = app("web", { matchLabels: { team: "shop" } });
    const namespaces = [shop, namespace("more", { team: "shop" }), namespace("other"), namespace("kube-system", { team: "shop" })];
    const { want } = compile({ segments: [segment("web", [member, app("web", shopOnly)], "enforce")] }, { namespaces });
    expect(lines(want)).toEqual(["more i web ⟨app=web⟩: nobody", "shop i web ⟨app=web⟩: nobody"]);
    expect(want.governed).toEqual(["more", "other", "shop"]);
  });
});

const shopOnly = { matchLabels: { "kubernetes.io/metadata.name": "shop" } };

describe("peers", () => {
  const web = segment("web", [app("web")], "enforce", "enforce");

  // would catch: an empty address set that becomes a rule without `from`, which is everyone
  test("an empty address set drops the peer, and the rule with its last peer", () => {
    const us = cluster("us");
    const parts = {
      clusters: [eu, us],
      segments: [web, segment("far", [podsMember({}, {}, { matchLabels: { region: "us" } })]), segment("hosts", [hostsMember({})])],
      policies: [policy("p", rule("hosts", "web", "80/tcp"), rule("hosts, web", "web", "81/tcp"))],
    };
    const { want, notes } = compile(parts);
    expect(lines(want)).toEqual(["shop e web ⟨app=web⟩: p/1 app=web@all", "shop i web ⟨app=web⟩: p/1 app=web@all"]);
    expect(notes.filter((note) => note.code === "matches-nothing").map((note) => note.summary)).toEqual([
      "rule p/0: hosts matches no address that cluster/eu can see now",
    ]);
  });

  // would catch: a selector peer dropped because no pod is there yet
  test("a selector peer is rendered whatever it matches", () => {
    const parts = {
      segments: [segment("web", [app("web")], "enforce"), segment("ghost", [app("ghost")])],
      policies: [policy("p", rule("ghost", "web"))],
    };
    expect(lines(compile(parts).want)).toEqual(["shop i web ⟨app=web⟩: p/0 app=ghost@all"]);
  });

  test("other clusters, hosts, externals, addresses and internet are addresses; the own cluster is labels", () => {
    const us = cluster("us", { mode: "plan" });
    const parts = {
      clusters: [eu, us],
      fleets: [fleet("dir", [{ name: "one", addresses: ["10.20.0.1"], labels: {} }])],
      externals: [external("mainframe", { tier: "legacy" }, "10.9.0.0/24")],
      segments: [
        segment("web", [app("web")], "enforce"),
        segment("mixed", [
          app("client"),
          hostsMember({}),
          { kind: "externals" as const, externals: { matchLabels: { tier: "legacy" } }, at: eu.at },
          addressesMember("10.8.0.0/24"),
        ]),
      ],
      policies: [policy("p", rule("mixed", "web", "80/tcp"), rule("internet", "web", "443/tcp"))],
    };
    const memberships = new Map([
      membership("cluster/us", { mixed: ["10.2.0.7/32"] }),
      membership("cluster/eu", { mixed: ["10.1.0.7/32"] }),
    ]);
    const [line] = lines(compile(parts, { memberships }).want);
    expect(line).toContain("p/0 app=client@all | 10.2.0.7, 10.8.0.0/24, 10.9.0.0/24, 10.20.0.1; p/1 1.0.0.0-9.255.255.255");
  });

  test("a cluster that never fed is closed and told", () => {
    const parts = { clusters: [eu, cluster("us")], segments: [web], policies: [policy("p", rule("web", "web"))] };
    const { want, notes } = compile(parts);
    expect(lines(want)).toEqual(["shop e web ⟨app=web⟩: p/0 app=web@all", "shop i web ⟨app=web⟩: p/0 app=web@all"]);
    expect(codes(notes)).toContain("not-fed");
  });

  // would catch: egress opened to node addresses, behind which anything may listen
  test("pods of a masqueraded cluster: in by their nodes' addresses, never out to them", () => {
    const parts = {
      clusters: [eu, cluster("us", { podNetwork: "masqueraded" })],
      segments: [web],
      policies: [policy("p", rule("web", "web"))],
    };
    const { want, notes } = compile(parts, { memberships: new Map([membership("cluster/us", { web: ["192.168.0.1/32"] })]) });
    expect(lines(want)).toEqual(["shop e web ⟨app=web⟩: p/0 app=web@all", "shop i web ⟨app=web⟩: p/0 app=web@all | 192.168.0.1"]);
    expect(notes.find((note) => note.code === "unenforceable-here")?.summary).toContain("use a boundary");
  });

  test("an unknown segment is an error", () => {
    expect(() => compile({ segments: [web], policies: [policy("p", rule("nobody", "web"))] })).toThrow("unknown segment nobody");
  });
});

describe("essentials", () => {
  const out = segment("web", [app("web")], "off", "enforce");

  // would catch: the Service's port or address instead of the pod's, and DNS that dies with the first egress isolation
  test("dns: the pods behind kube-dns at their target port, and NodeLocal DNS", () => {
    const service = {
      ...kubeDns,
      ports: kubeDns.ports.map((port) => ({ ...port, targetPort: port.port === 53 ? 5353 : port.targetPort })),
    };
    const { want, notes } = compile({ segments: [out] }, { services: [service] });
    const allows = want.objects[0]?.allows.map((allow) => [allow.origin, peerWords(allow), allow.ports]);
    expect(allows).toEqual([
      [
        "builtin/dns",
        "k8s-app=kube-dns@kubernetes.io/metadata.name=kube-system",
        [
          { kind: "range", protocol: "tcp", from: 5353, to: 5353 },
          { kind: "range", protocol: "udp", from: 5353, to: 5353 },
        ],
      ],
      [
        "builtin/dns",
        "169.254.20.10",
        [
          { kind: "range", protocol: "tcp", from: 53, to: 53 },
          { kind: "range", protocol: "udp", from: 53, to: 53 },
        ],
      ],
    ]);
    expect(codes(notes)).toEqual(["icmp-inexpressible", "probes-open"]);
  });

  test("OpenShift's DNS pods listen on 5353, whose Service names the port", () => {
    const service: Service = {
      namespace: "openshift-dns",
      name: "dns-default",
      selector: { dns: "default" },
      clusterIps: [],
      ports: [{ protocol: "UDP", port: 53, targetPort: "dns" }],
    };
    const { want } = compile({ segments: [out] }, { services: [service], platform: "openshift" });
    expect(want.objects[0]?.allows[0]?.ports).toEqual([{ kind: "range", protocol: "udp", from: 5353, to: 5353 }]);
  });

  // would catch: something open that no table, and so no page, tells of
  test("every essential that is compiled is in the table", () => {
    const origins = compile({ segments: [out] }, { services: [kubeDns] }).want.objects.flatMap(({ allows }) =>
      allows.map(({ origin }) => origin),
    );
    const known = ESSENTIALS.map(({ name }): string => name);
    expect(new Set(known).size).toBe(known.length);
    for (const origin of origins) expect(known).toContain(origin);
  });

  test("a cluster without DNS pods is told", () => {
    expect(codes(compile({ segments: [out] }).notes)).toContain("dns-unknown");
  });

  // would catch: DNS pods that are isolated themselves and answer nobody
  test("isolated DNS pods may be asked by anyone", () => {
    const all = cluster("eu", { governs: {} });
    const parts = { clusters: [all], segments: [segment("all", [podsMember({})], "enforce")] };
    const { want } = compile(parts, { cluster: all, namespaces: [shop, namespace("kube-system")], services: [kubeDns] });
    expect(
      want.objects.map((object) => `${object.namespace} ${formatSelector(object.subject)} ${object.allows.map(peerWords).join()}`),
    ).toEqual(["kube-system all ", "kube-system k8s-app=kube-dns any", "shop all "]);
  });
});

describe("notes", () => {
  const noteCodes = (defs: Definitions): readonly string[] =>
    noteIneffective(defs).map((note) => `${note.code} ${note.summary.split(":")[0]}`);
  const bounded = (name: string, value: string, ...modes: ("observe" | "enforce")[]) =>
    segment(name, [podsMember({ matchLabels: { app: value } }, {}, { matchLabels: { env: "prod" } })], ...modes);

  test("a rule that nothing enforces", () => {
    const segments = [bounded("web", "web"), bounded("db", "db")];
    const defs = definitions({ clusters: [eu], segments, policies: [policy("p", rule("web", "db"))] });
    expect(noteCodes(defs)).toEqual(["no-effect-yet rule p/0 has no effect yet"]);
  });

  // would catch: a plan target counted as enforcing
  test("a target with mode plan enforces no end", () => {
    const segments = [bounded("web", "web", "enforce"), bounded("db", "db")];
    const policies = [policy("p", rule("db", "web"))];
    expect(noteCodes(definitions({ clusters: [eu], segments, policies }))).toEqual([]);
    expect(noteCodes(definitions({ clusters: [cluster("eu", { mode: "plan" })], segments, policies }))).toEqual([
      "no-effect-yet rule p/0 has no effect yet",
    ]);
  });

  test("a rule on an observed segment has an effect where an enforced one may share its pods", () => {
    const segments = [segment("all", [podsMember({}, {}, {})], "enforce"), bounded("web", "web")];
    expect(noteCodes(definitions({ clusters: [eu], segments, policies: [policy("p", rule("any", "web"))] }))).toEqual([]);
  });

  test("unmanaged to unmanaged is the parser's to tell, once", () => {
    const segments = [segment("legacy", [addressesMember("10.9.0.0/24")])];
    expect(noteCodes(definitions({ clusters: [eu], segments, policies: [policy("p", rule("internet", "legacy"))] }))).toEqual([]);
  });

  test("a cluster whose enforcer does nothing", () => {
    const none = cluster("eu", { enforcer: "none" });
    const { notes } = compile({ clusters: [none], segments: [segment("web", [app("web")], "enforce")] }, { cluster: none });
    expect(codes(notes)).toContain("unenforceable-here");
  });
});

describe("names", () => {
  const long = "a".repeat(63);

  test("fit in 63 characters and stay distinct when cut", () => {
    const other = `${"a".repeat(62)}b`;
    const parts = {
      segments: [
        segment(long, [app("web")], "enforce"),
        segment(other, [app("web")]),
        segment(`${"a".repeat(61)}cc`, [app("web")]),
      ],
      policies: [policy("p", rule("any", other), rule("any", `${"a".repeat(61)}cc`))],
    };
    const names = compile(parts).want.objects.map((object) => object.name);
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(name).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
  });

  // would catch: a replace that moves isolation from some pods to others
  test("another selector is another name; other rules are not", () => {
    const name = (value: string, ports: string) =>
      compile({ segments: [segment("web", [app(value)], "enforce")], policies: [policy("p", rule("any", "web", ports))] }).want
        .objects[0]?.name;
    expect(name("web", "80/tcp")).not.toBe(name("web2", "80/tcp"));
    expect(name("web", "80/tcp")).toBe(name("web", "81/tcp"));
  });
});

// would catch: a plan on every start, because a map was filled in another order
test("the order of definitions, namespaces and services changes nothing", () => {
  const segments = [
    segment("web", [app("web")], "enforce", "enforce"),
    segment("db", [app("db")], "enforce"),
    segment("x", [podsMember({})]),
  ];
  const policies = [policy("a", rule("web, x", "db", "1/tcp, 2/udp")), policy("b", rule("x", "web"))];
  const namespaces = [shop, namespace("b"), namespace("a")];
  const forwards = compile({ segments, policies }, { namespaces, services: [kubeDns] });
  const defs = definitions({ clusters: [eu], segments, policies });
  const reversed: Definitions = {
    ...defs,
    segments: new Map([...defs.segments].reverse()),
    policies: new Map([...defs.policies].reverse()),
  };
  const backwards = compileCluster({
    definitions: reversed,
    cluster: eu,
    namespaces: namespaces.toReversed(),
    services: [kubeDns],
    memberships: new Map(),
  });
  expect(backwards.want).toEqual(forwards.want);
});
