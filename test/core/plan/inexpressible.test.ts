import { describe, expect, test } from "vitest";
import { parseDefinitions } from "../../../core/model/parse.ts";
import { formatPosition } from "../../../core/model/note.ts";
import { planOffline } from "../../../core/plan/offline.ts";
import { inventory, namespace, pod } from "../../support/definitions.ts";
import { offlineWorld } from "../enforced/render-all.ts";

/** Everything that an enforcer cannot say, each on a line of its own. */
const TEXT = `
apiVersion: firebreak.dev/v1alpha1
kind: Cluster
metadata: {name: eu}
spec: {mode: apply, context: eu, enforcer: ovn-kubernetes, podNetwork: routed}
---
apiVersion: firebreak.dev/v1alpha1
kind: Cluster
metadata: {name: us}
spec: {mode: apply, context: us}
---
apiVersion: firebreak.dev/v1alpha1
kind: HostFleet
metadata: {name: dir}
spec: {mode: apply, transport: {ssh: {user: fb}}, hosts: [{name: one, addresses: [10.20.0.11]}]}
---
apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: web}
spec:
  members: [{pods: {matchLabels: {app: web}}, namespaces: {}}]
  isolate: {ingress: enforce, egress: enforce}
---
apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: everyone}
spec:
  members: [{pods: {}, namespaces: {}}]
---
apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: behind}
spec:
  members: [{service: {namespace: shop, name: old}}]
---
apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: hosts}
spec:
  members: [{hosts: {}}]
  isolate: {ingress: enforce, egress: enforce}
---
apiVersion: firebreak.dev/v1alpha1
kind: Policy
metadata: {name: p}
spec:
  rules:
    - {from: [everyone], to: [web], ports: [443/tcp]}
    - {from: [web], to: [hosts], ports: [http/tcp]}
    - {from: [web], to: [web], ports: [icmp/8]}
    - {from: [hosts], to: [web], ports: [80/tcp]}
    - {from: [behind], to: [web], ports: [81/tcp]}
`;

const NAMESPACES = [namespace("shop")];
const nodes = (range: string) => [{ name: "node-1", addresses: [`192.168.${range}.1`] }];
const old = { namespace: "shop", name: "old", selector: {}, clusterIps: [], ports: [], endpoints: [] };
const hook = {
  namespace: "shop",
  name: "hook",
  selector: { app: "web" },
  clusterIps: [],
  ports: [{ protocol: "TCP", port: 443, targetPort: 8443 }],
};
const INVENTORIES = [
  inventory("eu", {
    namespaces: NAMESPACES,
    nodes: nodes("1"),
    pods: [
      pod("shop/web-1", { app: "web" }, "10.1.0.1"),
      pod("shop/agent", { app: "agent" }, "192.168.1.1", { hostNetwork: true }),
    ],
    services: [old, hook],
    webhooks: [{ kind: "validating", name: "rules", service: { namespace: "shop", name: "hook", port: 443 }, failsClosed: true }],
  }),
  inventory("us", { namespaces: NAMESPACES, nodes: nodes("2"), pods: [pod("shop/web-1", { app: "web" }, "10.2.0.1")] }),
];

function told(target: string): readonly string[] {
  const { definitions } = parseDefinitions([{ path: "all.yaml", bytes: new TextEncoder().encode(TEXT) }]);
  if (definitions === undefined) throw new Error("the definitions do not parse");
  const [plan] = planOffline(offlineWorld(definitions, INVENTORIES), target);
  if (plan?.error !== undefined || plan === undefined) throw new Error(plan?.error?.message ?? target);
  const codes = [
    "unenforceable-here",
    "widened-here",
    "not-inexpressible",
    "host-network-pod",
    "probes-open",
    "icmp-inexpressible",
  ];
  return plan.notes
    .filter(({ code }) => codes.includes(code))
    .map(({ code, at, summary }) => `${at === undefined ? "" : formatPosition(at)} ${code}: ${summary}`)
    .sort();
}

describe("what an enforcer cannot say is in the plan, with its place", () => {
  // Bug: an approved rule that is enforced otherwise, or nowhere, and nobody is told.
  test("a cluster", () => {
    expect(told("cluster/eu")).toMatchInlineSnapshot(`
      [
        "all.yaml:17:1 widened-here: builtin/webhooks: segment web is open to any in namespace shop on the ports of validating rules (shop/hook) (widened here)",
        "all.yaml:28:13 widened-here: segment everyone in cluster eu: where it is a peer, shop/agent on the host network are let in with it (widened here)",
        "all.yaml:2:1 icmp-inexpressible: builtin/icmpErrors: a NetworkPolicy cannot say ICMP; in cluster eu its enforcer decides",
        "all.yaml:2:1 probes-open: builtin/probes: in cluster eu every pod is open to the node it runs on",
        "all.yaml:34:13 unenforceable-here: segment behind in cluster eu: service shop/old has no selector: what stands behind it is a peer by address and cannot be isolated",
        "all.yaml:48:7 unenforceable-here: rule p/0: pods of web in cluster us have no address outside it, unenforceable here: use a boundary",
        "all.yaml:48:7 widened-here: rule p/0: pods of everyone in cluster us come from the addresses of their nodes, so everything on those nodes is let in with them (widened here)",
        "all.yaml:49:7 unenforceable-here: rule p/1: http/tcp of addresses outside means nothing to cluster/eu, unenforceable here",
        "all.yaml:50:7 unenforceable-here: rule p/2: a NetworkPolicy cannot say icmp/8, unenforceable here (cluster/eu)",
      ]
    `);
  });

  test("a cluster whose pods show their nodes", () => {
    expect(told("cluster/us")).toMatchInlineSnapshot(`
      [
        "all.yaml:49:7 unenforceable-here: rule p/1: http/tcp of addresses outside means nothing to cluster/us, unenforceable here",
        "all.yaml:50:7 unenforceable-here: rule p/2: a NetworkPolicy cannot say icmp/8, unenforceable here (cluster/us)",
        "all.yaml:7:1 icmp-inexpressible: builtin/icmpErrors: a NetworkPolicy cannot say ICMP; in cluster us its enforcer decides",
        "all.yaml:7:1 probes-open: builtin/probes: in cluster us every pod is open to the node it runs on",
      ]
    `);
  });

  test("a host", () => {
    expect(told("host/dir/one")).toMatchInlineSnapshot(`
      [
        "all.yaml:49:7 unenforceable-here: rule p/1: http/tcp means nothing at host/dir/one, unenforceable here: a host has no named ports",
        "all.yaml:49:7 widened-here: rule p/1: pods of web in cluster us come from the addresses of their nodes, so everything on those nodes is let in with them (widened here)",
        "all.yaml:51:7 unenforceable-here: rule p/3: pods of web in cluster us have no address outside it, unenforceable here: use a boundary",
      ]
    `);
  });
});
