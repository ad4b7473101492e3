import { expect, it } from "vitest";
import { judgeNodeClaim } from "../../../core/plan/node-claim.ts";

const OURS = [{ table: { family: "inet", name: "firebreak" } }, { chain: { family: "inet", table: "firebreak", name: "input" } }];
const chain = (name: string) => ({ chain: { family: "ip", table: "filter", name } });

// Bug: the root of one node claims the address of any host, which is then not healed while the claim stands.
it("is not believed of a host that shows nothing of a node", () => {
  expect(judgeNodeClaim({ ruleset: OURS, node: [] }, true)).toEqual({ isBelieved: false, evidence: [] });
  expect(
    judgeNodeClaim({ ruleset: [chain("DOCKER"), chain("my-KUBE-like"), chain("ufw-user-input")], node: [] }, true).isBelieved,
  ).toBe(false);
});

// Bug: a ruleset on a real node cuts its cluster.
it.each([
  ["a kubelet's folder", ["/var/lib/kubelet"], OURS],
  ["its process", ["k3s"], OURS],
  ["rules of kube-proxy", [], [...OURS, chain("KUBE-FIREWALL")]],
  ["rules of Calico", [], [chain("cali-INPUT")]],
  ["a table of kube-proxy", [], [{ table: { family: "ip", name: "kube-proxy" } }]],
])("is believed of a host with %s, which is named", (_, node, ruleset) => {
  const { isBelieved, evidence } = judgeNodeClaim({ ruleset, node }, true);
  expect([isBelieved, evidence.length]).toEqual([true, 1]);
});

it("is believed on doubt: of a host whose read-back does not tell, and of one that was never applied", () => {
  expect(judgeNodeClaim({ ruleset: OURS, node: undefined }, true).isBelieved).toBe(true);
  expect(judgeNodeClaim({ ruleset: OURS, node: [] }, false).isBelieved).toBe(true);
});

it("is judged also from a listing of any shape", () => {
  expect(judgeNodeClaim({ ruleset: [null, "x", { chain: null }, { table: { name: 7 } }], node: [] }, true).isBelieved).toBe(false);
});
