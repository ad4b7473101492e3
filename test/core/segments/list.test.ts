import { describe, expect, it } from "vitest";
import { seenWorld } from "../../../core/guardrail/world.ts";
import { listSegments, type SegmentsAnswer } from "../../../core/segments/list.ts";
import { formatSegments } from "../../../core/text/segments.ts";
import { inventory, namespace, pod } from "../../support/definitions.ts";
import { written } from "../../support/hand-source.ts";

const WORLD = `
kind: Cluster
metadata: {name: eu, labels: {env: prod}}
spec: {mode: apply, context: eu, podNetwork: routed, podRanges: [10.244.0.0/16], enforcer: kube-network-policies}
---
kind: HostFleet
metadata: {name: metal, labels: {site: zurich}}
spec:
  transport: {ssh: {user: fb}}
  hosts:
    - {name: backup-1, addresses: [10.20.0.4], labels: {role: backup}}
    - {name: spare-1, addresses: [10.20.0.5]}
---
kind: External
metadata: {name: mainframe, labels: {tier: legacy}}
spec: {addresses: [10.9.0.0/24]}
---
kind: Segment
metadata: {name: web}
spec: {members: [{pods: {matchLabels: {app: web}}, namespaces: {matchLabels: {team: shop}}}], isolate: {ingress: enforce}}
---
kind: Segment
metadata: {name: pharmacy}
spec: {members: [{pods: {matchLabels: {app: farmacy}}, namespaces: {}}]}
---
kind: Segment
metadata: {name: backup}
spec: {members: [{hosts: {matchLabels: {role: backup}}}]}
---
kind: Segment
metadata: {name: old}
spec: {members: [{externals: {matchLabels: {tier: legacy}}}, {addresses: [10.30.0.0/24]}]}
---
kind: Segment
metadata: {name: front}
spec:
  members: [{segments: [web, backup]}]
  not: [{pods: {matchLabels: {canary: "yes"}}, namespaces: {}}]
`;

const PODS = [
  pod("shop/web-1", { app: "web" }, "10.244.0.1", { owner: "ReplicaSet/web-5d9f" }),
  pod("shop/web-2", { app: "web", canary: "yes" }, "10.244.0.2", { owner: "ReplicaSet/web-5d9f" }),
  pod("shop/pharmacy-1", { app: "pharmacy" }, "10.244.0.3"),
];

function ask(name?: string): SegmentsAnswer {
  const definitions = written(WORLD);
  const seen = inventory("eu", { pods: PODS, namespaces: [namespace("shop", { team: "shop" })] });
  const world = seenWorld(
    definitions,
    { inventories: new Map([["cluster/eu", seen]]), live: undefined, enforcers: new Map(), hosts: new Map() },
    0,
  );
  return listSegments(world, name);
}

describe("segments", () => {
  // Bug: a typo in a label makes a segment empty, and nobody is told; nor who is left in no segment at all by it.
  it("name an empty segment and the workloads that are in none", () => {
    const answer = ask();
    const text = formatSegments(answer, { full: false });
    expect(text).toContain("nobody is in pharmacy: a label with a typo");
    expect(answer.inNone?.map(({ workload }) => workload)).toEqual(["cluster/eu/shop/pharmacy-1", "host/metal/spare-1"]);
    expect(text).toContain("in no segment: 1 pod, 1 host");
    expect(text).toMatch(/pharmacy-1\S*\s+1\s+10\.244\.0\.3\s+app=pharmacy/);
  });

  // Bug: who is left out by `not` is shown as a member, or what chose a member is not said.
  it("say because of what a workload is in one", () => {
    const by = (name: string) => ask(name).segments[0]?.members.map((member) => [member.workload, member.by]);
    expect(by("web")).toEqual([
      ["cluster/eu/shop/web-1", ["app=web", "namespace team=shop"]],
      ["cluster/eu/shop/web-2", ["app=web", "namespace team=shop"]],
    ]);
    expect(by("front")).toEqual([
      ["cluster/eu/shop/web-1", ["segment web"]],
      ["host/metal/backup-1", ["segment backup"]],
    ]);
    expect(by("old")).toEqual([["external/mainframe", ["tier=legacy"]]]);
    expect(ask("old").segments[0]?.addresses).toEqual(["10.30.0.0/24"]);
    expect(ask("web").inNone).toBeNull();
  });

  // Bug: a segment with a typo reads as one without members.
  it("refuse a name that is none, and name the nearest", () => {
    expect(() => ask("pharmcy")).toThrow(/there is no segment pharmcy\. Did you mean pharmacy\?/);
    expect(() => ask("internet")).toThrow(/built in/);
  });

  // Bug: `--full` still cuts, or the cut list says nothing of the rest.
  it("count what the text leaves out, and --full leaves out nothing", () => {
    const [line] = ask("web").segments;
    const [member] = line?.members ?? [];
    if (line === undefined || member === undefined) throw new Error("web has a member");
    const members = Array.from({ length: 30 }, (_, index) => ({ ...member, name: `web-${index}` }));
    const answer: SegmentsAnswer = { ...ask("web"), segments: [{ ...line, members }] };
    expect(formatSegments(answer, { full: false })).toContain("and 10 more lines; --full shows all");
    expect(formatSegments(answer, { full: true })).toContain("web-29");
    expect(formatSegments(answer, { full: true })).not.toContain("more");
  });
});
