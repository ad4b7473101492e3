import { describe, expect, it } from "vitest";
import { estateOf } from "../../../core/estate/build.ts";
import { madeUpWorld } from "../../../core/guardrail/world.ts";
import { checkGuardrails } from "../../../core/guardrail/check.ts";
import { makeReport } from "../../../core/guardrail/report.ts";
import { checkTests } from "../../../core/guardrail/tests.ts";
import { intentOf } from "../../../core/intent/intent.ts";
import type { Definitions } from "../../../core/model/kinds.ts";
import { formatCause } from "../../../core/guardrail/say.ts";
import { inventory, namespace, pod } from "../../support/definitions.ts";
import { written } from "../../support/hand-source.ts";

const CLUSTER = `
kind: Cluster
metadata: {name: eu}
spec: {mode: apply, context: eu, podNetwork: routed, podRanges: [10.244.0.0/16]}
`;

const PODS = inventory("eu", {
  namespaces: [namespace("shop", { team: "shop" })],
  pods: [pod("shop/portal-1", { app: "portal" }, "10.244.0.1"), pod("shop/db-1", { app: "db" }, "10.244.0.2")],
});

function intent(definitions: Definitions) {
  return intentOf(definitions, estateOf(definitions, new Map([["cluster/eu", PODS]])), { as: "approved" });
}

const PORTAL = `${CLUSTER}---
kind: Segment
metadata: {name: portal}
spec: {members: [{pods: {matchLabels: {app: portal}}, namespaces: {}}], isolate: {ingress: enforce}}
---
kind: Segment
metadata: {name: shop}
spec: {members: [{namespaces: {matchExpressions: [{key: team, operator: Exists}]}}]}
---
kind: Segment
metadata: {name: guests}
spec: {members: [{externals: {matchLabels: {zone: guest}}}]}
---
kind: External
metadata: {name: guest-wifi, labels: {zone: guest}}
spec: {addresses: [10.8.0.0/24]}
---
kind: External
metadata: {name: vendor, labels: {zone: guest}}
spec: {addresses: [10.7.0.0/24]}
---
kind: Policy
metadata: {name: p}
spec:
  owner: team
  reason: it is for everybody
  rules: [{from: [internet], to: [portal], ports: [8443/tcp]}]
  tests: [{from: internet, to: portal, port: 8443/tcp, expect: allowed}]
`;

describe("who has IPv4 only", () => {
  // Bug: 2000::/3 does not reach an IPv4 pod, so "internet → portal is allowed" can never be true and stays a critical finding.
  it("is reached by the internet when IPv4 is allowed", () => {
    const definitions = written(`${PORTAL}---
kind: Guardrail
metadata: {name: g}
spec: {always: [{from: [internet], to: [portal], ports: [8443/tcp]}]}
`);
    const source = intent(definitions);
    expect(checkTests(definitions, source).map(({ outcome }) => outcome)).toEqual(["passed"]);
    expect(checkGuardrails(definitions, source).map(({ outcome }) => outcome)).toEqual(["passed"]);
  });
});

describe("a closed `always`", () => {
  // Bug: "by egress not isolated (shop)" where it is the other end that closes it.
  it("names the end that closes it, and not what is open", () => {
    const definitions = written(`${PORTAL}---
kind: Guardrail
metadata: {name: g}
spec: {always: [{from: [shop], to: [portal], ports: [9100/tcp]}]}
`);
    const [result] = checkGuardrails(definitions, intent(definitions));
    const [violation] = result?.violations ?? [];
    expect(violation === undefined ? undefined : formatCause(violation)).toBe(
      "eu shop/db-1[Pod] → eu shop/portal-1[Pod]: 9100/tcp, by ingress isolated (portal)",
    );
  });

  // Bug: the check of a pull request is red because nobody made up a pod of the broad segment that is in a narrow one, too.
  it("is undecided on made-up workloads, and says how to decide it", () => {
    const definitions = written(`${PORTAL}---
kind: Segment
metadata: {name: prometheus}
spec: {members: [{pods: {matchLabels: {app: prometheus}}, namespaces: {}}], isolate: {egress: enforce}}
---
kind: Guardrail
metadata: {name: g}
spec: {always: [{from: [prometheus], to: [shop], ports: [9100/tcp]}]}
`);
    const world = madeUpWorld(definitions, 0);
    const { guardrails } = makeReport(world.definitions, [world.approved], "definitions");
    expect(guardrails).toMatchObject([{ outcome: "uncertain", why: [expect.stringContaining("--inventory")] }]);
    expect(makeReport(world.definitions, [world.approved], "live").guardrails).toMatchObject([{ outcome: "violated" }]);
  });
});

describe("who is not managed", () => {
  // Bug: one sentence is kept for all that nobody manages, and names the first of them.
  it("is named, and not another that is not managed either", () => {
    const definitions = written(PORTAL);
    const source = intent(definitions);
    const subject = source.estate.workloads.filter(({ kind }) => kind === "external");
    const peer = source.estate.workloads.find(({ kind }) => kind === "pod");
    if (peer === undefined) throw new Error("no pod");
    const texts = subject.map((workload) => {
      const [from, to] = [workload, peer].map((one) => ({ kind: "workload" as const, workload: one }));
      if (from === undefined || to === undefined) throw new Error("no party");
      return source.explain("egress", from, to, "tcp", 8443).text;
    });
    expect(texts).toEqual([
      "guest-wifi is not managed: nothing is enforced there",
      "vendor is not managed: nothing is enforced there",
    ]);
  });
});
