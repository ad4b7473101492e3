import { describe, expect, test } from "vitest";
import { planEffect, type EffectQuestion } from "../../../core/plan/effect.ts";
import type { HostObservation } from "../../../core/observed/observation.ts";
import type { NetworkPolicy } from "../../../core/render/networkpolicy-types.ts";
import { Budget } from "../../../core/verdict/budget.ts";
import { KUBE_NETWORK_POLICIES } from "../../../core/verdict/profile.ts";
import { inventory, namespace, pod } from "../../support/definitions.ts";
import { hostWant } from "../../support/host-wants.ts";

const MARK = { instance: "i", sequence: 1, digest: "0".repeat(16) };

function list<T>(count: number, make: (at: number) => T): T[] {
  return Array.from({ length: count }, (_, at) => make(at));
}

function cluster(rules: number): EffectQuestion {
  const spec = {
    podSelector: {},
    policyTypes: ["Ingress" as const],
    ingress: list(rules, (at) => ({
      from: [{ ipBlock: { cidr: `11.0.${at}.0/24` } }],
      ports: [{ protocol: "TCP" as const, port: 1 + at }],
    })),
  };
  const theirs = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { namespace: "shop", name: "big" },
    spec,
  } as NetworkPolicy;
  const steps = [{ kind: "delete", namespace: "shop", name: "big" }];
  const world = inventory("eu", {
    namespaces: [namespace("shop")],
    pods: list(3, (at) => pod(`shop/p-${at}`, { n: `${at}` }, `10.0.0.${at + 1}`)),
    nodes: [],
  });
  // The cast: of a step, what its effect is told from.
  return { kind: "cluster", live: [theirs], steps, inventory: world, profile: KUBE_NETWORK_POLICIES } as unknown as EffectQuestion;
}

/** Our table as root of a host made it: chains that jump 50 times to the next, 16 deep, each time with other ports. */
function host(): EffectQuestion {
  const place = { family: "inet", table: "firebreak" };
  const jumps = list(16, (level) =>
    list(50, (turn) => {
      const right = { range: [turn * 20 + level, 60_000 - turn * 50 - level] };
      const ports = { match: { op: "==", left: { payload: { protocol: "tcp", field: "dport" } }, right } };
      return { rule: { ...place, chain: `c${level}`, expr: [ports, { jump: { target: `c${level + 1}` } }] } };
    }),
  );
  const chains = list(17, (at) => ({
    chain: { ...place, name: `c${at}`, ...(at === 0 ? { type: "filter", hook: "input", prio: 0, policy: "drop" } : {}) },
  }));
  const ruleset = [{ table: { family: "inet", name: "firebreak" } }, ...chains, ...jumps.flat()];
  const observation = { kind: "host", target: "host/f/x", completeness: "complete", ruleset } as unknown as HostObservation; // what an effect reads
  return { kind: "host", observation, want: hostWant(), mark: MARK, generation: 2 };
}

// Bug: whoever writes what a plan is carried out on decides for how long the syncer does nothing else.
describe("what a plan opens and closes", () => {
  test("is told within its budget", () => {
    expect(planEffect(cluster(20), new Budget(10_000_000))?.finding.verdict).toBe("opens");
    expect(planEffect(cluster(20))).toEqual(planEffect(cluster(20), new Budget(10_000_000)));
  });

  test.each([
    ["a cluster's", cluster(200)],
    ["a host's", host()],
  ])("%s is not told beyond it, and never called harmless", (_, asked) => {
    expect(planEffect(asked, new Budget(20_000))).toBeUndefined();
  });
});
