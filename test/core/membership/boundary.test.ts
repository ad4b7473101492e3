import { describe, expect, test } from "vitest";
import { trimNamespace, trimNode, trimPod } from "../../../adapters/kubernetes/trim.ts";
import { trimService } from "../../../adapters/kubernetes/trim-service.ts";
import { formatSet } from "../../../core/address/index.ts";
import { wholeBoundary } from "../../../core/membership/boundary.ts";
import { computeMembership } from "../../../core/membership/compute.ts";
import type { Platform } from "../../../core/membership/inventory.ts";
import { addressPeers, podPeers } from "../../../core/membership/peers.ts";
import type { IngressBoundary } from "../../../core/model/kinds.ts";
import { parseDefinitions } from "../../../core/model/parse.ts";
import { boundaryMember, cluster, definitions, inventory, policy, prefix, rule, segment } from "../../support/definitions.ts";

/** What a tenant writes into the API server: a Service that claims addresses and sounds like a controller's, and pods to match. */
const tenantsService = {
  metadata: { namespace: "tenant-a", name: "x", labels: { "app.kubernetes.io/name": "ingress-nginx" } },
  spec: {
    type: "LoadBalancer",
    selector: { "app.kubernetes.io/name": "ingress-nginx" },
    clusterIPs: ["10.96.0.9"],
    externalIPs: ["203.0.113.66", "10.20.0.11"],
    loadBalancerIP: "203.0.113.67",
    ports: [{ port: 80 }],
  },
};
const tenantsPod = trimPod({
  metadata: {
    namespace: "tenant-a",
    name: "evil-1",
    uid: "1",
    labels: { "app.kubernetes.io/name": "ingress-nginx" },
    annotations: { "ingress.kubernetes.io/class": "nginx" },
  },
  spec: { nodeName: "n1", containers: [] },
  status: { phase: "Running", podIPs: [{ ip: "10.9.3.3" }] },
});
const edge = segment("edge", [boundaryMember("ingress")]);
const web = segment("web", [boundaryMember("egress")]);

function boundaryOf(ingress: Partial<IngressBoundary>, over: { readonly status?: object; readonly platform?: Platform } = {}) {
  if (tenantsPod === undefined) throw new Error("no pod");
  const eu = cluster("eu", { boundaries: { ingress: { addresses: [], controllers: [], ...ingress } } });
  const defs = definitions({ clusters: [eu], segments: [edge, web], policies: [policy("p", rule("edge", "web", "443/tcp"))] });
  const { status = {}, platform } = over;
  const labels = { "policy-group.network.openshift.io/ingress": "" };
  const seen = inventory("eu", {
    namespaces: [trimNamespace({ metadata: { name: "tenant-a", labels } })],
    pods: [tenantsPod],
    nodes: [trimNode({ metadata: { name: "n1" }, status: { addresses: [{ type: "InternalIP", address: "10.1.0.1" }] } })],
    services: [trimService({ ...tenantsService, status })],
    ...(platform === undefined ? {} : { platform }),
  });
  const { membership, notes } = computeMembership(defs, eu, seen, 0);
  const local = { cluster: eu, services: seen.services, platform };
  const { addresses } = addressPeers(defs, edge, new Map([["cluster/eu", membership]]), local);
  expect(formatSet(wholeBoundary(eu, seen, "ingress")), "intent reads the same").toBe(formatSet(addresses));
  const pods = podPeers(defs, edge, local);
  return { addresses: formatSet(addresses), pods, notes: notes.filter(({ code }) => code === "boundary-address") };
}

describe("the ingress boundary", () => {
  // would catch (H3): spec.externalIPs and spec.loadBalancerIP, which every tenant sets, in other people's firewalls
  test("holds nothing that a tenant's Service wishes for", () => {
    expect(boundaryOf({})).toEqual({ addresses: "10.1.0.1", pods: [], notes: [] });
  });

  // would catch: an address that joins for good reason and that nobody hears of
  test("holds what a controller reports, and says that no definition lists it", () => {
    const status = { loadBalancer: { ingress: [{ ip: "203.0.113.9" }] } };
    const { addresses, notes } = boundaryOf({}, { status });
    expect(addresses).toBe("10.1.0.1, 203.0.113.9");
    expect(notes.map(({ summary }) => summary)).toEqual([
      "the ingress boundary of cluster eu holds 203.0.113.9, which its definition does not list (services tenant-a/x)",
    ]);
    const listed = boundaryOf({ addresses: [prefix("203.0.113.0/28")] }, { status });
    expect([listed.addresses, listed.notes]).toEqual(["10.1.0.1, 203.0.113.0/28", []]);
  });

  // would catch: controllers known by what a Service and its pods say of themselves, in any namespace
  test("has the pods of controllers that the definition names, in the namespace that it names", () => {
    const pods = { matchLabels: { "app.kubernetes.io/name": "ingress-nginx" } };
    expect(boundaryOf({ controllers: [{ namespace: "ingress-nginx", pods }] }).addresses).toBe("10.1.0.1");
    const meant = boundaryOf({ controllers: [{ namespace: "tenant-a", pods }] });
    expect(meant.addresses).toBe("10.1.0.1, 10.9.3.3");
    expect(meant.pods).toEqual([{ pods, namespaces: { matchLabels: { "kubernetes.io/metadata.name": "tenant-a" } } }]);
  });

  // would catch (H4): a label that any owner of a namespace sets, read as OpenShift's
  test("has router namespaces by their label only on an OpenShift", () => {
    expect(boundaryOf({}).pods).toEqual([]);
    expect(boundaryOf({}, { platform: "openshift" }).addresses).toBe("10.1.0.1, 10.9.3.3");
  });
});

describe("boundaries of a Cluster", () => {
  const parse = (spec: string) => {
    const text = `apiVersion: firebreak.dev/v1alpha1\nkind: Cluster\nmetadata: {name: eu}\nspec: {context: eu, ${spec}}\n`;
    return parseDefinitions([{ path: "a.yaml", bytes: new TextEncoder().encode(text) }]);
  };

  test("are closed unless they say something", () => {
    expect(parse("mode: plan").definitions?.clusters.get("eu")).toMatchObject({
      boundaries: { ingress: { addresses: [], controllers: [] } },
      dns: { service: undefined, ports: [] },
    });
  });

  // would catch: a misspelt field that is accepted and ignored
  test.each([
    ["boundaries: {ingress: {adresses: [10.0.0.0/8]}}", "addresses"],
    ["boundaries: {egress: {addresses: [10.0.0.0/8]}}", "egress"],
    ["boundaries: {ingress: {controllers: [{namespace: a}]}}", "pods"],
    ["boundaries: {ingress: {controllers: [{pods: {}}]}}", "namespace"],
    ["dns: {ports: [53/sctp]}", "sctp"],
    ["dns: {service: {name: a}}", "namespace"],
  ])("refuse %s", (spec, word) => {
    const { definitions: parsed, notes } = parse(spec);
    expect(parsed).toBeUndefined();
    expect(notes.map(({ summary, detail }) => `${summary} ${detail}`).join("\n")).toContain(word);
  });
});
