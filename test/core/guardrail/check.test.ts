import { describe, expect, it } from "vitest";
import { checkGuardrails } from "../../../core/guardrail/check.ts";
import type { GuardrailResult } from "../../../core/guardrail/results.ts";
import { inventory, namespace, pod } from "../../support/definitions.ts";
import { estate, handSource, written, type HandMade } from "../../support/hand-source.ts";

const WORLD = `
kind: Cluster
metadata: {name: eu}
spec: {context: eu, podNetwork: routed, podRanges: [10.244.0.0/16]}
---
kind: External
metadata: {name: mainframe, labels: {tier: legacy}}
spec: {addresses: [10.9.0.0/24]}
---
kind: Workspace
spec: {internal: [10.0.0.0/8]}
---
kind: Segment
metadata: {name: web}
spec: {members: [{pods: {matchLabels: {app: web}}, namespaces: {}}]}
---
kind: Segment
metadata: {name: mid}
spec: {members: [{pods: {matchLabels: {app: mid}}, namespaces: {}}]}
---
kind: Segment
metadata: {name: db}
spec: {members: [{pods: {matchLabels: {app: db}}, namespaces: {}}]}
---
kind: Segment
metadata: {name: legacy}
spec: {members: [{externals: {matchLabels: {tier: legacy}}}]}
---
kind: Segment
metadata: {name: nobody}
spec: {members: [{pods: {matchLabels: {app: nobody}}, namespaces: {}}]}
`;

const PODS = inventory("eu", {
  namespaces: [namespace("shop")],
  pods: [
    pod("shop/web-1", { app: "web", color: "blue" }, "10.244.0.1"),
    pod("shop/web-2", { app: "web", color: "blue" }, "10.244.0.2"),
    pod("shop/mid-1", { app: "mid" }, "10.244.0.3"),
    pod("shop/db-1", { app: "db", color: "red" }, "10.244.0.4"),
  ],
});

function check(
  spec: string,
  made: HandMade,
  before?: HandMade | "nothing",
  over: { readonly complete?: boolean } = {},
): GuardrailResult {
  const definitions = written(`${WORLD}---\nkind: Guardrail\nmetadata: {name: g}\nspec: ${spec}\n`);
  const on = estate(definitions, { ...PODS, ...over });
  const earlier = before === undefined ? undefined : { source: before === "nothing" ? undefined : handSource(on, before) };
  const [result] = checkGuardrails(definitions, handSource(on, made), earlier);
  if (result === undefined) throw new Error("no result");
  return result;
}

const CLOSED: HandMade = { allows: [], enforced: ["web", "mid", "db"] };

describe("never", () => {
  const spec = "{never: [{from: [web], to: [db], ports: [5432/tcp]}]}";

  it("passes only when every reading closes it", () => {
    expect(check(spec, CLOSED).outcome).toBe("passed");
    expect(check(spec, { ...CLOSED, allows: ["web>db:5433"] }).outcome).toBe("passed");
    expect(check(spec, { ...CLOSED, uncertain: ["db"] }).outcome).toBe("passed"); // the other end closes it for certain
    const both = check(spec, { ...CLOSED, uncertain: ["db", "web"] });
    expect([both.outcome, both.why]).toEqual(["uncertain", ["its enforcer is unknown"]]);
  });

  it("takes an allow at both ends to break it, and tells ports, counts and the way", () => {
    const result = check(spec, { ...CLOSED, allows: ["web>db"] });
    expect(result).toMatchObject({ outcome: "violated", claim: "never web → db: 5432/tcp", at: { file: "policies/test.yaml" } });
    expect(result.violations).toMatchObject([
      { target: "cluster/eu", ports: "5432/tcp", counts: { from: 2, to: 1 }, notYetEnforced: false, added: false },
    ]);
    expect(result.violations[0]?.witness.map(({ from, to }) => `${from} > ${to}`)).toEqual([
      "eu shop/web-1[Pod] and 1 more > eu shop/db-1[Pod]",
    ]);
  });

  it("counts what nobody isolates, and what is only observed: the latter is not yet enforced", () => {
    expect(check(spec, { allows: [] })).toMatchObject({ outcome: "violated", violations: [{ notYetEnforced: false }] });
    expect(check(spec, { allows: [], observed: ["db"] })).toMatchObject({
      outcome: "violated",
      violations: [{ notYetEnforced: true }],
    });
    expect(check(spec, { allows: ["web>db"], observed: ["db"] })).toMatchObject({ violations: [{ notYetEnforced: false }] });
  });

  it("reads internet, any and workloads; ICMP errors and DHCP are no connections", () => {
    const open: HandMade = { allows: ["out>db:443"], enforced: ["db"] };
    expect(check("{never: [{from: [internet], to: [db], ports: [any]}]}", open).outcome).toBe("violated");
    expect(check("{never: [{from: [internet], to: [db], ports: [any]}]}", { allows: ["web>db"], enforced: ["db"] }).outcome).toBe(
      "passed",
    );
    expect(
      check("{never: [{from: [any], to: [db], ports: [any]}]}", { allows: ["mainframe>db:1"], enforced: ["db"] }).outcome,
    ).toBe("violated");
    expect(check("{never: [{from: [workloads], to: [db], ports: [any]}]}", open).outcome).toBe("passed");
  });

  it("asks nothing of two ends that nobody manages, and says so", () => {
    expect(check("{never: [{from: [internet], to: [legacy], ports: [any]}]}", CLOSED).outcome).toBe("uncertain");
  });

  it("looks inside a segment between two of its members, never at one and itself", () => {
    const inside = "{never: [{from: [web], to: [web], ports: [any]}]}";
    expect(check(inside, { allows: ["web>web"], enforced: ["web"] }).outcome).toBe("violated");
    expect(check("{never: [{from: [db], to: [db], ports: [any]}]}", { allows: [] }).outcome).not.toBe("violated");
  });

  it("holds over an empty segment, but not over one that is not seen whole", () => {
    const empty = "{never: [{from: [nobody], to: [db], ports: [any]}]}";
    expect(check(empty, CLOSED).outcome).toBe("passed");
    const stale = check(empty, CLOSED, undefined, { complete: false });
    expect([stale.outcome, stale.why.join()]).toEqual(["uncertain", expect.stringContaining("cluster/eu")]);
  });

  it("with `same` asks only about pairs that agree; a missing label agrees with nothing", () => {
    const same = "{never: [{from: [web], to: [web, mid, db], ports: [any], same: [color]}]}";
    const result = check(same, { allows: [] });
    expect(result.violations.map(({ to }) => to)).toEqual(["eu shop/web-1[Pod]"].map((name) => expect.stringContaining(name)));
  });
});

describe("always", () => {
  const spec = "{always: [{from: [web], to: [db], ports: [5432/tcp]}]}";

  it("is broken by one closed port, and uncertain where a reading closes it", () => {
    expect(check(spec, { ...CLOSED, allows: ["web>db:5432"] }).outcome).toBe("passed");
    expect(check(spec, CLOSED)).toMatchObject({ outcome: "violated", violations: [{ ports: "5432/tcp" }] });
    expect(check(spec, { ...CLOSED, allows: ["web>db"], uncertain: ["db"] }).outcome).toBe("uncertain");
  });

  it("over an empty segment is uncertain, never passed", () => {
    const result = check("{always: [{from: [web], to: [nobody], ports: [any]}]}", CLOSED);
    expect([result.outcome, result.why]).toEqual(["uncertain", ["nobody selects nothing now"]]);
    expect(check("{always: [{from: [web, nobody], to: [db], ports: [any]}]}", { allows: [] }).outcome).toBe("uncertain");
  });

  it("tells what will be closed once observing ends enforce", () => {
    expect(check(spec, { allows: [], observed: ["db"] })).toMatchObject({
      outcome: "uncertain",
      why: [expect.stringContaining("observe")],
    });
  });
});

describe("reaches", () => {
  const spec = "{never: [{from: [web], reaches: [db], ports: [5432/tcp]}]}";

  it("finds the shortest way through other workloads; ports are asked of the last hop alone", () => {
    const made: HandMade = { ...CLOSED, allows: ["web>mid:80", "mid>db:5432"] };
    const result = check(spec, made);
    expect(result.outcome).toBe("violated");
    expect(result.violations[0]?.witness.map(({ to, ports }) => `${to} ${ports}`)).toEqual([
      "eu shop/mid-1[Pod] 80/tcp",
      "eu shop/db-1[Pod] 5432/tcp",
    ]);
    expect(check(spec, { ...made, allows: ["web>mid:80", "mid>db:5433"] }).outcome).toBe("passed");
    expect(check(spec, { ...made, allows: [...made.allows, "web>db:5432"] }).violations[0]?.witness.length).toBe(1);
    expect(check("{never: [{from: [web], to: [db], ports: [5432/tcp]}]}", made).outcome).toBe("passed");
  });

  it("goes through an external whose both hops are known, and not from one external to another", () => {
    expect(check(spec, { ...CLOSED, allows: ["web>mainframe", "mainframe>db"] }).outcome).toBe("violated");
    const fromOutside = "{never: [{from: [internet], reaches: [db], ports: [any]}]}";
    expect(check(fromOutside, { ...CLOSED, allows: ["mainframe>db"] }).outcome).toBe("passed");
    expect(check(fromOutside, { ...CLOSED, allows: ["out>web", "web>db"] }).outcome).toBe("violated");
  });

  it("always: any way will do", () => {
    const always = "{always: [{from: [web], reaches: [db], ports: [5432/tcp]}]}";
    expect(check(always, { ...CLOSED, allows: ["web>mid:80", "mid>db:5432"] }).outcome).toBe("passed");
    expect(check(always, { ...CLOSED, allows: ["mid>db:5432"] }).outcome).toBe("violated");
  });
});

describe("compared with before", () => {
  const spec = "{never: [{from: [web, mid], to: [db], ports: [any]}]}";
  const added = (made: HandMade, before: HandMade | "nothing"): readonly boolean[] =>
    check(spec, made, before).violations.map((violation) => violation.added);

  it("is added when it was closed, wider, or when it was only not yet enforced and now is allowed", () => {
    const allowed: HandMade = { ...CLOSED, allows: ["web>db:80"] };
    expect(added(allowed, CLOSED)).toEqual([true]);
    expect(added({ ...CLOSED, allows: ["web>db:80", "web>db:81"] }, allowed)).toEqual([true]);
    expect(added({ ...CLOSED, allows: ["web>db:80", "mid>db:80"] }, allowed)).toEqual([true]);
    expect(added({ allows: [], observed: ["db"] }, CLOSED)).toEqual([true]);
    expect(added({ allows: ["web>db:80"], observed: ["db"] }, { allows: [], observed: ["db"] })).toEqual([true]);
  });

  it("is not added when it was there, or when nothing was enforced before: a repair is never blocked", () => {
    const allowed: HandMade = { ...CLOSED, allows: ["web>db:80", "mid>db:80"] };
    expect(added(allowed, allowed)).toEqual([false]);
    expect(added({ ...CLOSED, allows: ["web>db:80"] }, allowed)).toEqual([false]);
    expect(added(allowed, { allows: [] })).toEqual([false]);
    expect(added(allowed, "nothing")).toEqual([false]);
    expect(added({ allows: [], observed: ["db"] }, { allows: [] })).toEqual([false]);
  });

  it("an `always` is added when a connection that was open is closed", () => {
    const always = "{always: [{from: [web], to: [db], ports: [1/tcp]}]}";
    expect(check(always, CLOSED, "nothing").violations[0]?.added).toBe(true);
    expect(check(always, CLOSED, CLOSED).violations[0]?.added).toBe(false);
  });
});
