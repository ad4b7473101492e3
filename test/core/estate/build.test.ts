import { expect, test } from "vitest";
import { formatSet } from "../../../core/address/index.ts";
import { estateOf } from "../../../core/estate/build.ts";
import { listTargets } from "../../../core/model/target.ts";
import { cluster, definitions, external, fleet, inventory, namespace, pod } from "../../support/definitions.ts";

const eu = cluster("eu", { podNetwork: "masqueraded" });
const us = cluster("us");
const defs = definitions({
  clusters: [eu, us],
  fleets: [fleet("vm", [{ name: "db", addresses: ["10.1.0.1"], labels: { role: "db" } }])],
  externals: [external("mainframe", {}, "10.9.0.0/24")],
});
const seen = inventory("eu", {
  namespaces: [namespace("shop", { team: "shop" })],
  nodes: [{ name: "n1", addresses: ["192.168.0.1"] }],
  pods: [
    pod("shop/web-5d4-a", { "pod-template-hash": "5d4" }, "10.0.0.1", { node: "n1", owner: "ReplicaSet/web-5d4" }),
    pod("dev/agent", {}, "192.168.0.1", { node: "n1", hostNetwork: true }),
  ],
});

// would catch: pods of a masqueraded cluster seen from outside by addresses that nobody outside ever sees
test("every workload with its identity, what it has and what it shows", () => {
  const { workloads } = estateOf(defs, new Map([["cluster/eu", seen]]));
  expect(workloads.map(({ id, name, addresses, shown }) => [id, name, formatSet(addresses), formatSet(shown)])).toEqual([
    ["cluster/eu/dev/agent", "eu dev/agent[Pod]", "192.168.0.1", "192.168.0.1"],
    ["cluster/eu/shop/web-5d4-a", "eu shop/web[Deployment]", "10.0.0.1", "192.168.0.1"],
    ["external/mainframe", "mainframe", "10.9.0.0/24", "10.9.0.0/24"],
    ["host/vm/db", "vm/db", "10.1.0.1", "10.1.0.1"],
  ]);
  expect(workloads[1]?.namespaceLabels).toEqual({ team: "shop", "kubernetes.io/metadata.name": "shop" });
});

// would catch: a cluster that nobody saw taken for one without pods
test("what is not known is stale: no inventory, or one that is not complete", () => {
  const partly = new Map([["cluster/eu", { ...seen, complete: false }]]);
  expect(estateOf(defs, partly).stale).toEqual(["cluster/eu", "cluster/us"]);
  expect(estateOf(defs, new Map([["cluster/eu", seen]])).stale).toEqual(["cluster/us"]);
});

// would catch: a guardrail that holds because a target was dropped from Git while its pods run on
test("orphans are there as before", () => {
  const without = { ...defs, clusters: new Map([["us", us]]) };
  const orphans = listTargets(defs).filter(({ id }) => id === "cluster/eu");
  const { workloads } = estateOf(without, new Map([["cluster/eu", seen]]), orphans);
  expect(workloads.some(({ target }) => target === "cluster/eu")).toBe(true);
});
