import { describe, expect, test } from "vitest";
import { compileCluster } from "../../../core/compile/cluster.ts";
import { partsFromAll, subjectsAtAStep } from "../../../core/drift/unfinished.ts";
import { objectSubject } from "../../../core/plan/cluster-live.ts";
import { planCluster } from "../../../core/plan/cluster.ts";
import type { ClusterObservation } from "../../../core/observed/observation.ts";
import { renderNetworkPolicies } from "../../../core/render/networkpolicy.ts";
import type { NetworkPolicy } from "../../../core/render/networkpolicy-types.ts";
import { app, cluster, definitions, inventory, namespace, pod, policy, rule, segment } from "../../support/definitions.ts";
import { incident } from "../../support/incidents.ts";

const found = (subject: string, kind: "modified" | "deleted" | "not-comparable" = "modified") =>
  incident({ subject, kind }).finding;

describe("what parts from both ends of an unfinished apply", () => {
  test("our own half is no finding: live is as it was, or as it was to be (bug: 33 findings of nobody's tampering)", () => {
    expect(partsFromAll([[found("chain a")], []])).toEqual([]);
    expect(partsFromAll([[], [found("chain a")]])).toEqual([]);
  });

  test("what is neither is told, as it parts from where the target is going (bug: healed without a trace)", () => {
    const told = partsFromAll([[found("chain a"), found("chain b")], [found("chain a", "deleted")]]);
    expect(told).toEqual([found("chain a", "deleted")]);
  });

  test("what could not be compared with the end is told, whatever the beginning said", () => {
    expect(partsFromAll([[], [found("target", "not-comparable")]])).toHaveLength(1);
  });

  test("one state is told as it is", () => {
    expect(partsFromAll([[found("chain a")]])).toEqual([found("chain a")]);
  });
});

describe("objects at a step of an unfinished apply", () => {
  const pods = [
    pod("shop/web-1", { app: "web" }, "10.1.0.1"),
    pod("shop/job-1", { app: "job" }, "10.1.0.3"),
    pod("shop/db-1", { app: "db" }, "10.1.0.2"),
  ];
  const eu = cluster("eu");
  const world = inventory("eu", { namespaces: [namespace("shop")], pods, nodes: [] });
  const endOf = (from: string, sequence: number) => {
    const segments = [segment("web", [app("web")]), segment("job", [app("job")]), segment("db", [app("db")], "enforce")];
    const all = definitions({ clusters: [eu], segments, policies: [policy("p", rule(from, "db", "5432/tcp"))] });
    const { want } = compileCluster({
      definitions: all,
      cluster: eu,
      namespaces: world.namespaces,
      services: [],
      memberships: new Map(),
    });
    return { want, mark: { instance: "i-1", sequence, digest: `${sequence}`.repeat(16).slice(0, 16) } };
  };
  const seen = (objects: readonly NetworkPolicy[]): ClusterObservation => ({
    kind: "cluster",
    target: "cluster/eu",
    completeness: "complete",
    uid: "u",
    policies: objects.map((object) => ({ object, manager: undefined, managedAt: undefined })),
    at: 0,
  });
  const [before, after] = [endOf("web", 1), endOf("job", 2)];
  const old = renderNetworkPolicies(before.want, before.mark);
  const plan = planCluster({ ...after, observation: seen(old), pods, membershipDigest: "", mayUnisolate: true });

  test("every object as a step leaves it is at a step, the wider one between included (bug: killed between widen and narrow)", () => {
    const written = plan.steps.flatMap((step) => (step.kind === "delete" ? [] : [step.object]));
    expect(written.length).toBeGreaterThan(1);
    for (const object of written)
      expect(subjectsAtAStep(before, after, seen([object]), pods)).toEqual(new Set([objectSubject(object)]));
  });

  test("one that somebody opened is not", () => {
    const opened = old.map((object) => ({ ...object, spec: { ...object.spec, ingress: [{}] } }));
    expect(subjectsAtAStep(before, after, seen(opened), pods)).toEqual(new Set());
  });
});
