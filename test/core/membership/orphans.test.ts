import { describe, expect, it } from "vitest";
import { compileTarget } from "../../../core/compile/inputs.ts";
import { computeMembership } from "../../../core/membership/compute.ts";
import { overlayOrphans } from "../../../core/membership/orphans.ts";
import { feedersOf, relevantMemberships } from "../../../core/membership/parts.ts";
import { findTarget, listTargets } from "../../../core/model/target.ts";
import { membersDigest, wantDigest } from "../../../core/render/digest.ts";
import {
  app,
  cluster,
  definitions,
  fleet,
  hostsMember,
  inventory,
  namespace,
  pod,
  policy,
  rule,
  segment,
} from "../../support/definitions.ts";

const shop = namespace("shop");
const segments = [
  segment("web", [app("web"), hostsMember({ matchLabels: { role: "web" } })]),
  segment("db", [hostsMember({ matchLabels: { role: "db" } })], "enforce"),
];
const policies = [policy("p", rule("web", "db", "5432/tcp"))];
const db = { name: "db", addresses: ["10.1.0.1"], labels: { role: "db" } };
const vm = { name: "vm-web", addresses: ["10.1.0.2"], labels: { role: "web" } };

const before = definitions({ clusters: [cluster("eu")], fleets: [fleet("vms", [db, vm])], segments, policies });
const after = definitions({ fleets: [fleet("vms", [db])], segments, policies });
const orphans = listTargets(before).filter(({ id }) => findTarget(after, id) === undefined);

/** What the host that stays lets in, as a digest. */
function wantOf(of: typeof before): string {
  const target = findTarget(of, "host/vms/db");
  if (target === undefined) throw new Error("the host that stays");
  const eu = before.clusters.get("eu");
  if (eu === undefined) throw new Error("the cluster that goes");
  const pods = [pod("shop/web-1", { app: "web" }, "10.2.0.1")];
  const { membership } = computeMembership(before, eu, inventory("eu", { namespaces: [shop], pods }), 1);
  const memberships = relevantMemberships(of, target, new Map([["cluster/eu", membership]]));
  const operator = { floor: { from: [], ports: [] }, ownPaths: [] };
  const { want } = compileTarget(of, target, { kind: "host", resolvers: [], memberships, orphans: [] }, operator);
  return `${wantDigest(want)} ${membersDigest(want)}`;
}

describe("a cluster and a host that Git names no more", () => {
  it("stay members elsewhere (the bug: dropping a target closes connections of its workloads everywhere)", () => {
    expect(orphans.map(({ id }) => id)).toEqual(["cluster/eu", "host/vms/vm-web"]);
    expect(wantOf(after)).not.toBe(wantOf(before));
    expect(wantOf(overlayOrphans(after, orphans))).toBe(wantOf(before));
  });

  it("still feed sets", () => {
    const target = findTarget(after, "host/vms/db");
    if (target === undefined) throw new Error("the host that stays");
    expect(feedersOf(after, target)).toEqual([]);
    expect(feedersOf(overlayOrphans(after, orphans), target)).toEqual(["cluster/eu"]);
  });

  it("never replace what Git names again (the bug: an orphan's old labels win over the new definition)", () => {
    const back = definitions({ clusters: [cluster("eu", { labels: { env: "test" } })], segments });
    expect(overlayOrphans(back, orphans).clusters.get("eu")?.labels).toEqual({ env: "test" });
  });

  it("leave definitions alone when there are none", () => {
    expect(overlayOrphans(after, [])).toBe(after);
  });
});
