import { expect, it } from "vitest";
import { fromAddressTexts } from "../../../core/address/index.ts";
import { membershipDigest } from "../../../core/membership/digest.ts";
import type { Memberships } from "../../../core/membership/membership.ts";
import { clusterTargetId, hostTargetId } from "../../../core/model/target.ts";
import { touchedTargets } from "../../../core/review/touched.ts";
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

const HOST = hostTargetId("db", "one");
const EU = clusterTargetId("eu");
const TWICE = "10.2.0.9";
const routed = { podNetwork: "routed" as const };
const shop = [namespace("shop")];
const inventories = new Map(
  [
    inventory("eu", {
      namespaces: shop,
      pods: [pod("shop/web-1", { app: "web" }, "10.2.0.1"), pod("shop/job-1", { app: "job" }, TWICE)],
    }),
    inventory("us", { namespaces: shop, pods: [pod("shop/thief-1", { app: "thief" }, TWICE)] }),
  ].map((one) => [one.target, one] as const),
);

/** The host lets in web, and these. */
function opening(...more: readonly string[]) {
  return definitions({
    clusters: [cluster("eu", routed), cluster("us", routed)],
    fleets: [fleet("db", [{ name: "one", addresses: ["10.20.0.11"], labels: {} }])],
    segments: [
      segment("web", [app("web")]),
      segment("job", [app("job")]),
      segment("thief", [app("thief")]),
      segment("db", [hostsMember({})], "enforce"),
    ],
    policies: [policy("p", rule("web", "db", "5432/tcp"), ...more.map((name) => rule(name, "db", "5432/tcp")))],
  });
}

/** What the service has in the sets of segment job. */
function knowing(...texts: string[]): Memberships {
  const segments = new Map([["job", fromAddressTexts(texts).set]]);
  return new Map([[EU, { target: EU, segments, complete: true, observedAt: 1, digest: membershipDigest(segments) }]]);
}

function touches(added: string, memberships: Memberships): boolean {
  const world = { inventories, memberships, operator: { floor: { from: [], ports: [] }, ownPaths: [] }, now: 1 };
  return touchedTargets(opening(), opening(added), world).targets.some(({ id }) => id === HOST);
}

// Bug: a review says that a host gets an address which two parties claim, and the service, which freezes it, does not.
it("an address that two parties claim joins no set in a review either, and stays where the service has it", () => {
  expect(touches("thief", knowing())).toBe(false);
  expect(touches("job", knowing())).toBe(false);
  expect(touches("job", knowing(TWICE))).toBe(true);
});
