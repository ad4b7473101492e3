import { describe, expect, test } from "vitest";
import { formatSet } from "../../../core/address/index.ts";
import { computeMembership } from "../../../core/membership/compute.ts";
import type { ClusterInventory, Service } from "../../../core/membership/inventory.ts";
import { feedersOf, relevantMemberships } from "../../../core/membership/parts.ts";
import { addressPeers, podPeers } from "../../../core/membership/peers.ts";
import { relevantServices } from "../../../core/membership/relevant.ts";
import type { Cluster, Segment } from "../../../core/model/kinds.ts";
import { findTarget } from "../../../core/model/target.ts";
import {
  addressesMember,
  app,
  boundaryMember,
  cluster,
  definitions,
  inventory,
  namespace,
  pod,
  policy,
  rule,
  segment,
  segmentsMember,
  serviceMember,
} from "../../support/definitions.ts";

const eu = cluster("eu", {
  boundaries: {
    ingress: {
      addresses: [],
      controllers: [{ namespace: "shop", pods: { matchLabels: { "app.kubernetes.io/name": "ingress-nginx" } } }],
    },
  },
});
const us = cluster("us");
const web = segment("web", [app("web")], "enforce");

function service(name: string, over: Partial<Service> = {}): Service {
  return { namespace: "shop", name, selector: {}, clusterIps: [], ports: [], ...over };
}

const controller = service("nginx", {
  selector: { "app.kubernetes.io/name": "ingress-nginx" },
  loadBalancer: ["203.0.113.9"],
});
const published = service("web", { selector: { app: "web" }, loadBalancer: ["203.0.113.10"] });
const seen: ClusterInventory = inventory("eu", {
  namespaces: [namespace("shop")],
  nodes: [{ name: "n", addresses: ["192.168.0.1"] }],
  services: [controller, published],
  pods: [
    pod("shop/nginx", { "app.kubernetes.io/name": "ingress-nginx" }, "10.0.0.1", { node: "n" }),
    pod("shop/web", { app: "web" }, "10.0.0.2", { node: "n" }),
  ],
});

function world(segments: readonly Segment[], cluster_: Cluster = eu) {
  const others = segments.map(({ name }) => rule(name, "web", "443/tcp"));
  return definitions({ clusters: [cluster_, us], segments: [web, ...segments], policies: [policy("p", ...others)] });
}

function peers(a: Segment, over: Partial<ClusterInventory> = {}, others: readonly Segment[] = []) {
  const defs = world([a, ...others]);
  const { membership } = computeMembership(defs, eu, { ...seen, ...over }, 0);
  const { addresses, unknown } = addressPeers(defs, a, new Map([["cluster/eu", membership]]), undefined);
  return [formatSet(addresses), ...unknown];
}

const onlyEu = { matchExpressions: [{ key: "env", operator: "In" as const, values: ["prod"] }] };

describe("a boundary", () => {
  // would catch: every published application taken for an ingress controller
  test("ingress is nodes, load balancers and the pods of ingress controllers", () => {
    const a = segment("a", [boundaryMember("ingress", onlyEu)]);
    expect(peers(a)).toEqual(["10.0.0.1, 192.168.0.1, 203.0.113.9-203.0.113.10", "cluster/us"]);
    const own = podPeers(world([a]), a, { cluster: eu, services: seen.services });
    expect(own.map(({ pods }) => pods)).toEqual([{ matchLabels: { "app.kubernetes.io/name": "ingress-nginx" } }]);
  });

  // would catch: router namespaces trusted by a label where there is no OpenShift that guards it
  test("of an OpenShift has its router namespaces, by their label", () => {
    const a = segment("a", [boundaryMember("ingress")]);
    const plain = cluster("eu");
    const dns = service("dns-default", { namespace: "openshift-dns" });
    expect(podPeers(world([a]), a, { cluster: plain, services: [], platform: "openshift" })).toEqual([
      {
        pods: {},
        namespaces: { matchExpressions: [{ key: "policy-group.network.openshift.io/ingress", operator: "Exists" }] },
      },
    ]);
    expect(podPeers(world([a]), a, { cluster: plain, services: [dns] })).toEqual([]);
  });

  test("egress is what pods show outside: their own addresses, or their nodes'", () => {
    const a = segment("a", [boundaryMember("egress")]);
    expect(peers(a)).toEqual(["10.0.0.1-10.0.0.2", "cluster/us"]);
    const masked = { ...eu, podNetwork: "masqueraded" as const };
    const { membership } = computeMembership(world([a], masked), masked, seen, 0);
    expect(formatSet(addressPeers(world([a], masked), a, new Map([["cluster/eu", membership]]), undefined).addresses)).toBe(
      "192.168.0.1",
    );
  });

  // would catch: addresses that should be left out let in because it is not known which
  test("in not, of a cluster that never fed, leaves nothing", () => {
    const a = segment("a", [addressesMember("10.0.0.0/30")], "off", "off", { not: [boundaryMember("egress")] });
    expect(peers(a)).toEqual(["no address", "cluster/us"]);
  });

  // would catch: a cluster whose own boundary is a peer and that waits for ever, or that is planned anew with every pod
  test("of its own feeds a cluster itself, with nothing else of its membership", () => {
    const a = segment("a", [boundaryMember("ingress")]);
    const defs = world([a]);
    const target = findTarget(defs, "cluster/eu");
    if (target === undefined) throw new Error("no target");
    expect(feedersOf(defs, target)).toEqual(["cluster/eu", "cluster/us"]);
    const { membership } = computeMembership(defs, eu, seen, 0);
    const [own] = relevantMemberships(defs, target, new Map([["cluster/eu", membership]])).values();
    expect([...(own?.segments.keys() ?? [])]).toEqual(["boundary/ingress"]);
  });
});

describe("a service without a selector", () => {
  const old = service("old", {
    endpoints: [
      { address: "10.9.0.1", ports: [] },
      { address: "10.0.0.2", pod: "web", ports: [] },
    ],
  });
  const a = segment("a", [serviceMember("shop/old")]);

  // would catch: a pod behind it shown by an address that nobody outside sees
  test("is its pods by what they show, and its other addresses", () => {
    const over = { services: [old] };
    expect(peers(a, over)).toEqual(["10.9.0.1", "cluster/us"]);
    const { membership, notes } = computeMembership(world([a]), eu, { ...seen, ...over }, 0);
    expect(formatSet(membership.segments.get("a") ?? { v4: [], v6: [] })).toBe("10.0.0.2");
    expect(notes.some(({ code, summary }) => code === "unenforceable-here" && summary.includes("shop/old"))).toBe(true);
  });

  test("in its own cluster is a peer by address, its pods too", () => {
    const local = { cluster: eu, services: [old] };
    expect(formatSet(addressPeers(world([a]), a, new Map(), local).addresses)).toBe("10.0.0.2, 10.9.0.1");
  });
});

describe("what rendering rests on", () => {
  // would catch: a plan for each of a thousand services that come and go
  test("is services that segments name, those of webhooks and of the essentials", () => {
    const dns = service("kube-dns", { namespace: "kube-system" });
    const guard = service("guard");
    const webhooks = [
      { kind: "validating" as const, name: "w", service: { namespace: "shop", name: "guard", port: 443 }, failsClosed: true },
    ];
    const services = [controller, published, dns, guard, service("other")];
    const names = (segments: readonly Segment[]): readonly string[] =>
      relevantServices(world(segments), eu, { services, webhooks }).map(({ name }) => name);
    expect(names([])).toEqual(["kube-dns", "guard"]);
    const nested = [segment("a", [segmentsMember("b")]), segment("b", [serviceMember("shop/web"), boundaryMember("ingress")])];
    expect(names(nested)).toEqual(["kube-dns", "guard", "web"]);
  });
});
