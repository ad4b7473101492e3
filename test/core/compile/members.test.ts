import { describe, expect, test } from "vitest";
import { formatSet } from "../../../core/address/index.ts";
import { compileCluster } from "../../../core/compile/cluster.ts";
import { compileHost } from "../../../core/compile/host.ts";
import { compileTarget } from "../../../core/compile/inputs.ts";
import { portWords } from "../../../core/compile/ports.ts";
import type { ClusterWant } from "../../../core/compile/want.ts";
import type { Service } from "../../../core/membership/inventory.ts";
import { boundaryKey } from "../../../core/membership/membership.ts";
import type { Memberships } from "../../../core/membership/membership.ts";
import { listTargets } from "../../../core/model/target.ts";
import { formatSelector } from "../../../core/selector/index.ts";
import {
  addresses,
  addressesMember,
  app,
  boundaryMember,
  cluster,
  definitions,
  fleet,
  hostsMember,
  namespace,
  policy,
  rule,
  segment,
  segmentsMember,
  serviceMember,
} from "../../support/definitions.ts";

const eu = cluster("eu");
const web: Service = {
  namespace: "shop",
  name: "web",
  selector: { app: "web" },
  clusterIps: ["10.96.0.7"],
  ports: [{ protocol: "TCP", port: 80, targetPort: 8080 }],
};

function compile(parts: Parameters<typeof definitions>[0], over: Partial<Parameters<typeof compileCluster>[0]> = {}) {
  const defs = definitions({ clusters: [eu], ...parts });
  const namespaces = [namespace("shop"), namespace("kube")];
  return compileCluster({ definitions: defs, cluster: eu, namespaces, services: [web], memberships: new Map(), ...over });
}

/** `shop i ⟨app=web⟩: p/0 app=client 80/tcp`, essentials of DNS left out. */
function lines(want: ClusterWant): readonly string[] {
  return want.objects.map(({ namespace: name, direction, subject, allows }) => {
    const words = allows
      .filter(({ origin }) => origin !== "builtin/dns")
      .map(({ origin, peers, ports }) => {
        const who =
          peers === "any"
            ? "any"
            : peers.map((peer) => (peer.kind === "pods" ? formatSelector(peer.pods) : formatSet(peer.addresses))).join(" | ");
        return `${origin} ${who} ${ports === "any" ? "any" : ports.map(portWords).join(",")}`;
      });
    return `${name} ${direction[0]} ⟨${formatSelector(subject)}⟩: ${words.join("; ") || "nobody"}`;
  });
}

function summaries(notes: readonly { readonly summary: string }[]): string {
  return notes.map(({ summary }) => summary).join("\n");
}

describe("who is in a segment", () => {
  test("a service is its pods, in its own namespace; a nested segment is its members; `not` leaves out", () => {
    const segments = [
      segment("web", [serviceMember("shop/web")], "enforce"),
      segment("all", [segmentsMember("web"), app("other")], "enforce", "off", {
        not: [app("other", { matchLabels: { team: "x" } })],
      }),
    ];
    expect([...lines(compile({ segments }).want)].sort()).toEqual([
      "kube i ⟨app=other⟩: nobody",
      "shop i ⟨app=other⟩: nobody",
      "shop i ⟨app=web⟩: nobody",
      "shop i ⟨app=web⟩: nobody",
    ]);
  });

  // would catch: a rule that opens the Service's port on pods that do not listen there
  test("a port of the Service that is no target port is an error that names it", () => {
    const segments = [segment("web", [serviceMember("shop/web")], "enforce"), segment("c", [app("client")])];
    const { notes } = compile({ segments, policies: [policy("p", rule("c", "web", "80/tcp, 8080/tcp"))] });
    const errors = notes.filter(({ severity }) => severity === "error");
    expect(errors.map(({ summary }) => summary)).toEqual([
      "rule p/0: 80/tcp is a port of Service shop/web in cluster/eu; its pods listen on 8080/tcp",
    ]);
    expect(errors[0]?.at).toBeDefined();
  });

  // would catch: pods opened by a `not` that labels cannot say: isolation must cover who may be in, rules only who is for certain
  test("where labels cannot say who is left out, everybody possible is isolated and nobody is allowed", () => {
    const s = segment("s", [app("web")], "enforce", "off", { not: [serviceMember("shop/unknown")] });
    const { want } = compile({ segments: [s], policies: [policy("p", rule("any", "s", "80/tcp"))] });
    expect(lines(want)).toEqual(["kube i ⟨app=web⟩: nobody", "shop i ⟨app=web⟩: nobody"]);
  });

  test("a boundary is the addresses that its cluster's membership tells, in other clusters and its own", () => {
    const us = cluster("us");
    const fed = (target: string, text: string): Memberships => {
      const segments = new Map([[boundaryKey("ingress"), addresses(text)]]);
      return new Map([[target, { target, segments, complete: true, observedAt: 1, digest: "" }]]);
    };
    const segments = [segment("web", [app("web", only)], "enforce"), segment("edge", [boundaryMember("ingress")])];
    const parts = { clusters: [eu, us], segments, policies: [policy("p", rule("edge", "web", "8080/tcp"))] };
    const memberships = new Map([...fed("cluster/us", "192.0.2.1/32"), ...fed("cluster/eu", "192.0.2.9/32")]);
    expect(lines(compile(parts, { memberships }).want)).toEqual(["shop i ⟨app=web⟩: p/0 192.0.2.1, 192.0.2.9 8080/tcp"]);
    const { want, notes } = compile(parts, { memberships: fed("cluster/us", "192.0.2.1/32") });
    expect(lines(want)).toEqual(["shop i ⟨app=web⟩: p/0 192.0.2.1 8080/tcp"]);
    expect(notes.map(({ code }) => code)).toContain("not-fed");
  });
});

const only = { matchLabels: { "kubernetes.io/metadata.name": "shop" } };

describe("ports", () => {
  const client = segment("client", [app("client", only)], "off", "enforce");
  const server = segment("server", [app("server", only), addressesMember("10.9.0.0/24")], "enforce");

  // would catch: a name that is resolved once for all, or read as all ports
  test("a name is said as it is: each responding pod resolves it, and an address that is no pod has none", () => {
    const { want } = compile({
      segments: [client, server],
      policies: [policy("p", rule("client", "server", "http/tcp, 90/sctp"))],
    });
    expect(lines(want)).toEqual([
      "shop e ⟨app=client⟩: p/0 app=server | 10.9.0.0/24 90/sctp,http/tcp",
      "shop i ⟨app=server⟩: p/0 app=client 90/sctp,http/tcp",
    ]);
  });

  test("ICMP is no part of a NetworkPolicy: the rest of the rule is rendered, and that is told with its line", () => {
    const rules = [rule("client", "server", "icmp/8, 80/tcp"), rule("client", "server", "icmpv6")];
    const { want, notes } = compile({ segments: [client, server], policies: [policy("p", ...rules)] });
    expect(lines(want)[1]).toBe("shop i ⟨app=server⟩: p/0 app=client 80/tcp");
    const told = notes.filter(({ code }) => code === "unenforceable-here");
    expect(told.map(({ summary }) => summary)).toEqual([
      "rule p/0: a NetworkPolicy cannot say icmp/8, unenforceable here (cluster/eu)",
      "rule p/1: a NetworkPolicy cannot say icmpv6, unenforceable here (cluster/eu)",
    ]);
    expect(told.every(({ at }) => at !== undefined)).toBe(true);
  });
});

describe("essentials", () => {
  const kubernetes: Service = {
    namespace: "default",
    name: "kubernetes",
    selector: {},
    clusterIps: ["10.96.0.1"],
    endpoints: [{ address: "192.168.0.10", ports: [{ protocol: "TCP", port: 6443 }] }],
    ports: [{ protocol: "TCP", port: 443, targetPort: 6443 }],
  };
  const webhook = {
    kind: "validating",
    name: "check",
    service: { namespace: "shop", name: "web", port: 80 },
    failsClosed: true,
  } as const;

  test("apiserver: the Service's address and what stands behind it, for those who need it and nobody else", () => {
    const needs = segment("ops", [app("ops", only)], "off", "observe", { needs: ["apiserver"] });
    const segments = [segment("all", [app("ops", only), app("web", only)], "off", "enforce"), needs];
    const { want } = compile({ segments }, { services: [kubernetes] });
    expect([...lines(want)].sort()).toEqual([
      "shop e ⟨app=ops⟩: builtin/apiserver 10.96.0.1 443/tcp; builtin/apiserver 192.168.0.10 6443/tcp",
      "shop e ⟨app=ops⟩: nobody",
      "shop e ⟨app=web⟩: nobody",
    ]);
    expect(summaries(compile({ segments }, { services: [] }).notes)).toContain("Service default/kubernetes is not known");
  });

  // would catch: the Service's port instead of the pod's, or every pod of the namespace opened
  test("webhooks: any may come to the pods behind them, on the port they listen on, and that is told as widened", () => {
    const { want, notes } = compile({ segments: [segment("all", [app("web"), app("db")], "enforce")] }, { webhooks: [webhook] });
    expect(lines(want).filter((line) => line.includes("webhooks"))).toEqual(["shop i ⟨app=web⟩: builtin/webhooks any 8080/tcp"]);
    expect(notes.filter(({ code }) => code === "widened-here").map(({ summary }) => summary)).toEqual([
      "builtin/webhooks: segment all is open to any in namespace shop on the ports of validating check (shop/web) (widened here)",
    ]);
  });

  // would catch: a cluster that nobody can write to any more
  test("webhooks switched off: a namespace that writes depend on is not isolated, and that is told", () => {
    const off = definitions({}).workspace.essentials;
    const workspace = { essentials: { ...off, webhooks: false } };
    const segments = [segment("all", [app("web")], "enforce", "enforce")];
    const { want, notes } = compile({ segments, workspace }, { webhooks: [webhook] });
    expect(lines(want).map((line) => line.slice(0, 7))).toEqual(["kube e ", "kube i ", "shop e "]);
    expect(want.spared).toEqual(["shop"]);
    expect(notes.map(({ code }) => code)).toContain("not-isolated-here");
    expect(compile({ segments, workspace }, { webhooks: [{ ...webhook, failsClosed: false }] }).want.spared).toBeUndefined();
  });

  test("dns switched off opens nothing", () => {
    const workspace = { essentials: { ...definitions({}).workspace.essentials, dns: false } };
    const { want } = compile({ segments: [segment("web", [app("web", only)], "off", "enforce")], workspace });
    expect(want.objects.map(({ allows }) => allows)).toEqual([[]]);
  });
});

describe("on a host", () => {
  const servers = fleet("dir", [{ name: "one", addresses: ["10.20.0.1"], labels: {} }]);
  const one = segment("one", [hostsMember({})], "enforce", "enforce");
  const compileOn = (parts: Parameters<typeof definitions>[0], timeServers: readonly string[] = []) => {
    const defs = definitions({ fleets: [servers], segments: [one], ...parts });
    const [target] = listTargets(defs).filter(({ kind }) => kind === "host");
    if (target?.kind !== "host") throw new Error("no host");
    const floor = { from: [], ports: [] };
    return compileHost({ definitions: defs, target, memberships: new Map(), floor, resolvers: [], timeServers });
  };

  test("ntp: servers by address are reached; a name opens nothing and is told", () => {
    const { want, notes } = compileOn({}, ["10.0.0.123", "pool.example.org"]);
    expect(want.egress.allows.map(({ origin, peers }) => `${origin} ${peers === "any" ? peers : formatSet(peers)}`)).toEqual([
      "builtin/ntp 10.0.0.123",
    ]);
    expect(summaries(notes)).toContain("names time servers by name (pool.example.org)");
  });

  test("a named port means nothing there; ICMP does", () => {
    const { want, notes } = compileOn({
      policies: [policy("p", rule("any", "one", "http/tcp, icmp/8"), rule("any", "one", "http/tcp"))],
    });
    expect(want.ingress.allows.map(({ ports }) => (ports === "any" ? ports : ports.map(portWords)))).toEqual([["icmp/8"]]);
    expect(notes.filter(({ summary }) => summary.endsWith("a host has no named ports"))).toHaveLength(2);
  });

  test("dhcp and icmpErrors can be switched off", () => {
    const essentials = { ...definitions({}).workspace.essentials, dhcp: false, icmpErrors: false };
    expect(compileOn({ workspace: { essentials } }).want.closed).toEqual(["dhcp", "icmpErrors"]);
    expect(compileOn({}).want.closed).toBeUndefined();
  });
});

// would catch: a rule that outlives its date, also where the moment of an older store is not known; and isolation that goes with it
test("what has expired at the moment of the inputs is closed, and its isolation stays", () => {
  const at = Date.UTC(2027, 5, 30);
  const expiring = { ...policy("p", rule("any", "web", "80/tcp")), expires: at };
  const defs = definitions({ clusters: [eu], segments: [segment("web", [app("web", only)], "enforce")], policies: [expiring] });
  const [target] = listTargets(defs);
  if (target === undefined) throw new Error("no target");
  const inputs = { kind: "cluster", namespaces: [namespace("shop")], services: [], memberships: new Map(), orphans: [] } as const;
  const linesAt = (moment: { readonly now?: number }) => {
    const { want } = compileTarget(defs, target, { ...inputs, ...moment }, { floor: { from: [], ports: [] }, ownPaths: [] });
    return want.kind === "cluster" ? lines(want) : [];
  };
  expect(linesAt({ now: at - 1 })).toEqual(["shop i ⟨app=web⟩: p/0 any 80/tcp"]);
  expect(linesAt({ now: at })).toEqual(["shop i ⟨app=web⟩: nobody"]);
  expect(linesAt({})).toEqual(["shop i ⟨app=web⟩: nobody"]);
  expect(linesAt({ now: at - 1 })).toEqual(["shop i ⟨app=web⟩: p/0 any 80/tcp"]);
});
