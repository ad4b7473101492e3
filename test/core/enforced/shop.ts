import type { ClusterInventory } from "../../../core/membership/inventory.ts";
import type { Definitions } from "../../../core/model/kinds.ts";
import {
  addressesMember,
  app,
  cluster,
  definitions,
  external,
  externalsMember,
  fleet,
  hostsMember,
  inventory,
  namespace,
  pod,
  policy,
  prefix,
  rule,
  segment,
} from "../../support/definitions.ts";

/** A small organisation with every way of seeing a peer: labels, addresses of pods, hosts and externals, ranges, anybody. */
export const shop: Definitions = definitions({
  clusters: [cluster("eu"), cluster("us")],
  fleets: [
    fleet(
      "dir",
      [
        { name: "ldap-1", addresses: ["10.20.0.11"], labels: { role: "ldap" } },
        { name: "ldap-2", addresses: ["10.20.0.12"], labels: { role: "ldap" } },
      ],
      { lifeline: { from: [prefix("10.0.0.0/24")], ports: [{ kind: "range", protocol: "tcp", from: 22, to: 22 }] } },
    ),
  ],
  externals: [external("mainframe", { tier: "legacy" }, "10.9.0.0/24")],
  segments: [
    segment("web", [app("web")], "observe", "enforce"),
    segment("db", [app("db")], "enforce", "observe"),
    segment("lone", [app("lone")], "enforce", "enforce"),
    segment("ldap", [hostsMember({ matchLabels: { role: "ldap" } })], "enforce", "enforce"),
    segment("legacy", [externalsMember({ matchLabels: { tier: "legacy" } })]),
    segment("office", [addressesMember("172.16.0.0/16", "2001:db8::/64")]),
  ],
  policies: [
    policy("order", rule("web", "db", "5432/tcp"), rule("office", "web", "443/tcp"), rule("any", "db", "9100-9110/tcp")),
    policy(
      "login",
      rule("web, legacy", "ldap", "636/tcp, 389/udp"),
      rule("ldap", "ldap", "any"),
      rule("ldap", "office", "8080/tcp"),
    ),
  ],
});

const namespaces = [namespace("shop"), namespace("kube-system")];

/** The clusters of {@link shop}: eu with pods of every segment, us with web pods only. */
export const inventories: readonly ClusterInventory[] = [
  inventory("eu", {
    namespaces,
    nodes: [{ name: "node-1", addresses: ["192.0.2.1"] }],
    pods: [
      pod("shop/web-1", { app: "web" }, "10.1.0.1"),
      pod("shop/web-2", { app: "web" }, "10.1.0.2"),
      pod("shop/db-1", { app: "db" }, "10.1.0.9"),
      pod("shop/lone-1", { app: "lone" }, "10.1.0.10"),
      pod("shop/other-1", { app: "other" }, "10.1.0.11"),
    ],
  }),
  inventory("us", {
    namespaces,
    nodes: [{ name: "node-1", addresses: ["192.0.2.2"] }],
    pods: [pod("shop/web-1", { app: "web" }, "10.2.0.1"), pod("shop/new", { app: "web" })],
  }),
];
