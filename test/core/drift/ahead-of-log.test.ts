/** Somebody writes our objects and raises the number in their mark, so that it looks like what a restored backup leaves. */
import { describe, expect, it } from "vitest";
import { compileTarget } from "../../../core/compile/inputs.ts";
import { clusterStructure } from "../../../core/compile/structure.ts";
import { findTarget, clusterTargetId, hostTargetId } from "../../../core/model/target.ts";
import type { HostObservation } from "../../../core/observed/observation.ts";
import { planCluster } from "../../../core/plan/cluster.ts";
import { wantDigest } from "../../../core/render/digest.ts";
import { renderNetworkPolicies } from "../../../core/render/networkpolicy.ts";
import { markAnnotations } from "../../../core/render/networkpolicy-mark.ts";
import type { NetworkPolicy } from "../../../core/render/networkpolicy-types.ts";
import { renderRuleset } from "../../../core/render/nft.ts";
import { compareLook, type States } from "../../../services/compare.ts";
import type { Expectation } from "../../../services/expected.ts";
import { app, cluster, definitions, hostsMember, fleet, inventory, namespace, pod, segment } from "../../support/definitions.ts";

const DEFINITIONS = definitions({
  clusters: [cluster("eu")],
  fleets: [fleet("db", [{ name: "one", addresses: ["10.20.0.11"], labels: {} }])],
  segments: [segment("web", [app("web")], "enforce"), segment("hosts", [hostsMember({})], "enforce")],
});
const OPERATOR = { floor: { from: [], ports: [] }, ownPaths: [] };
const SEEN = inventory("eu", { namespaces: [namespace("shop")], pods: [pod("shop/web-1", { app: "web" }, "10.2.0.9")] });

function expectation(id: string): Expectation {
  const target = findTarget(DEFINITIONS, id);
  if (target === undefined) throw new Error(id);
  const shared = { memberships: new Map(), orphans: [], now: 0 };
  const inputs =
    target.kind === "cluster"
      ? { kind: "cluster" as const, ...clusterStructure(DEFINITIONS, target.cluster, SEEN), ...shared }
      : { kind: "host" as const, resolvers: [], timeServers: [], ...shared };
  const { want } = compileTarget(DEFINITIONS, target, inputs, OPERATOR);
  const mark = { instance: "us", sequence: 3, digest: wantDigest(want) };
  return { target, definitions: DEFINITIONS, commit: "c", want, mark };
}

/** The objects of the expectation with another number in their mark. */
function objects({ want, mark }: Expectation, sequence: number): readonly NetworkPolicy[] {
  if (want.kind !== "cluster") throw new Error(want.kind);
  return renderNetworkPolicies(want, mark).map((object, index) => ({
    ...object,
    metadata: {
      ...object.metadata,
      uid: `u${index}`,
      resourceVersion: "1",
      annotations: { ...object.metadata.annotations, ...markAnnotations({ ...mark, sequence }) },
    },
  }));
}

function observed(policies: readonly NetworkPolicy[]) {
  const seen = policies.map((object) => ({ object, manager: "kubectl-edit", managedAt: undefined }));
  return { kind: "cluster", target: "cluster/eu", completeness: "complete", uid: "uid", policies: seen, at: 0 } as const;
}

function look(states: States, live: readonly NetworkPolicy[]) {
  return compareLook({ kind: "cluster", states, observation: observed(live), inventory: SEEN, enforcer: "calico" });
}

describe("objects in a cluster that carry a number which Firebreak never wrote there", () => {
  const expected = expectation(clusterTargetId("eu"));
  const compare = (live: readonly NetworkPolicy[]) => look([expected], live);

  // Bug: the change heals without a finding.
  it("are a critical finding that says what is opened with them, beside the change itself", () => {
    const [first, ...rest] = objects(expected, 99);
    const open = { ...first, spec: { ...first?.spec, ingress: [{}] } } as NetworkPolicy;
    const findings = compare([open, ...rest]);
    expect(findings.map(({ kind }) => kind)).toEqual(["modified", "ahead-of-log"]);
    expect(findings[1]).toMatchObject({ severity: "critical", healable: true, widens: true, effect: { verdict: "opens" } });
    expect(findings[1]?.effect.opened).toEqual(findings[0]?.effect.opened);
    expect(findings[1]?.summary).toContain("carries revision 99, which Firebreak never wrote there (the newest is 3)");
  });

  it("are one also when nothing else was changed, and are written again", () => {
    const live = objects(expected, 4);
    expect(compare(live)).toMatchObject([
      { kind: "ahead-of-log", severity: "critical", effect: { verdict: "equivalent" }, widens: false },
    ]);
    expect(compare(objects(expected, 3))).toEqual([]);
    expect(compare(objects(expected, 2))).toEqual([]);
    if (expected.want.kind !== "cluster") throw new Error("no cluster");
    const { want, mark } = expected;
    const plan = (sequence: number) =>
      planCluster({ want, mark, observation: observed(objects(expected, sequence)), pods: SEEN.pods, membershipDigest: "" }).steps;
    expect(plan(4).map(({ kind }) => kind)).toEqual(live.map(() => "replace"));
    expect([plan(3), plan(2)]).toEqual([[], []]);
  });

  it("are none while an apply that has not told how it ended may have written them", () => {
    const intended = { ...expected, mark: { ...expected.mark, sequence: 4 } };
    expect(look([expected, intended], objects(expected, 4))).toEqual([]);
  });
});

it("a table on a host that carries such a number is the same finding", () => {
  const expected = expectation(hostTargetId("db", "one"));
  if (expected.want.kind !== "host") throw new Error("no host");
  const { want, mark } = expected;
  const observation = (sequence: number) =>
    ({
      kind: "host",
      target: "host/db/one",
      completeness: "complete",
      addresses: ["10.20.0.11"],
      legacyTables: [],
      ruleset: renderRuleset(want, { ...mark, sequence }, { generation: 5, phase: "final" }),
      resolvers: [],
      at: 0,
    }) as unknown as HostObservation; // the cast: nothing else of it is compared
  const kinds = (sequence: number) =>
    compareLook({ kind: "host", states: [expected], observation: observation(sequence) }).map(({ kind }) => kind);
  expect(kinds(3)).toEqual([]);
  expect(kinds(9)).toContain("ahead-of-log");
});
