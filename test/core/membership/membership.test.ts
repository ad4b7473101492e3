import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatSet } from "../../../core/address/index.ts";
import { findAddressClashes, liveAddresses } from "../../../core/membership/clashes.ts";
import { decodeMembership, encodeMembership } from "../../../core/membership/codec.ts";
import { computeMembership } from "../../../core/membership/compute.ts";
import { membershipDigest } from "../../../core/membership/digest.ts";
import type { Membership } from "../../../core/membership/membership.ts";
import { freezeAddresses, mergeMembership } from "../../../core/membership/merge.ts";
import {
  addresses,
  app,
  cluster,
  definitions,
  fleet,
  inventory,
  namespace,
  pod,
  podsMember,
  prefix,
  segment,
} from "../../support/definitions.ts";

const shop = namespace("shop", { team: "shop" });
const web = segment("web", [app("web")]);

function compute(over: Parameters<typeof cluster>[1], pods: ReturnType<typeof pod>[], segments = [web]) {
  const eu = cluster("eu", over);
  const defs = definitions({ clusters: [eu], segments });
  const nodes = [
    { name: "node-1", addresses: ["192.168.0.1"] },
    { name: "node-2", addresses: ["192.168.0.2"] },
  ];
  return computeMembership(defs, eu, inventory("eu", { namespaces: [shop], pods, nodes }), 1);
}

function shown(membership: Membership, name = "web"): string | undefined {
  const set = membership.segments.get(name);
  return set === undefined ? undefined : formatSet(set);
}

function membership(set: Record<string, string[]>, complete = true, observedAt = 1): Membership {
  const segments = new Map(Object.entries(set).map(([name, texts]) => [name, addresses(...texts)]));
  return { target: "cluster/eu", segments, complete, observedAt, digest: membershipDigest(segments) };
}

describe("what pods show outside", () => {
  // would catch: only the first address of a dual-stack pod counts
  test("routed: all addresses of a pod, both families", () => {
    const pods = [
      pod("shop/a", { app: "web" }, undefined, { addresses: ["10.0.0.1", "2001:db8::1"] }),
      pod("shop/b", { app: "db" }, "10.0.0.2"),
    ];
    expect(shown(compute({}, pods).membership)).toBe("10.0.0.1, 2001:db8::1");
  });

  // would catch: pod addresses of a masqueraded cluster, which nobody outside ever sees
  test("masqueraded: the nodes that run them, and a note", () => {
    const { membership: result, notes } = compute({ podNetwork: "masqueraded" }, [
      pod("shop/a", { app: "web" }, "10.0.0.1", { node: "node-2" }),
    ]);
    expect(shown(result)).toBe("192.168.0.2");
    expect(notes.map((note) => note.code)).toEqual(["widened-here"]);
  });

  // would catch: a hostNetwork pod's address, the node's, smuggled into a segment
  test("a hostNetwork pod is no member and is named", () => {
    const { membership: result, notes } = compute({}, [pod("shop/a", { app: "web" }, "192.168.0.1", { hostNetwork: true })]);
    expect(shown(result)).toBe("no address");
    expect(notes[0]?.code).toBe("host-network-pod");
    expect(notes[0]?.summary).toContain("shop/a");
  });

  // would catch: an empty segment missing from the membership, which would read as "not fed"
  test("an empty set is a known empty, and a note says selects 0 now", () => {
    const { membership: result, notes } = compute({}, []);
    expect(shown(result)).toBe("no address");
    expect(notes[0]?.summary).toContain("selects 0 now");
  });

  // would catch: a member bounded to other clusters feeding from this one
  test("segments that cannot match here are absent", () => {
    const { membership: result } = compute({}, [], [segment("web", [podsMember({}, {}, { matchLabels: { env: "dev" } })])]);
    expect(result.segments.size).toBe(0);
  });

  // would catch: pods of equal labels in a namespace that does not match being grouped into one that does
  test("namespaces are part of the match", () => {
    const pods = [pod("shop/a", { app: "web" }, "10.0.0.1"), pod("other/a", { app: "web" }, "10.0.0.2")];
    const { membership: result } = compute({}, pods, [segment("web", [app("web", { matchLabels: { team: "shop" } })])]);
    expect(shown(result)).toBe("10.0.0.1");
  });

  // would catch: order of the watch deciding the digest
  test("the order of pods changes nothing", () => {
    const pods = [1, 2, 3, 4].map((n) => pod(`shop/p${n}`, { app: "web", n: String(n) }, `10.0.0.${n}`));
    expect(compute({}, pods).membership.digest).toBe(compute({}, pods.toReversed()).membership.digest);
  });
});

describe("stale is not empty", () => {
  // would catch: a lost watch emptying the sets of every other target
  test("an incomplete membership only adds and keeps the older age", () => {
    const merged = mergeMembership(membership({ web: ["10.0.0.1/32"] }), membership({ web: ["10.0.0.2/32"] }, false, 9));
    expect([shown(merged), merged.complete, merged.observedAt]).toEqual(["10.0.0.1-10.0.0.2", false, 1]);
    expect(merged.digest).toBe(membershipDigest(merged.segments));
  });

  test("a segment missing from an incomplete one stays", () => {
    expect(shown(mergeMembership(membership({ web: ["10.0.0.1/32"] }), membership({}, false)))).toBe("10.0.0.1");
  });

  // would catch: sets that only ever grow
  test("a complete one replaces", () => {
    expect(shown(mergeMembership(membership({ web: ["10.0.0.1/32"] }), membership({ web: ["10.0.0.2/32"] })))).toBe("10.0.0.2");
  });
});

describe("clashes", () => {
  const eu = cluster("eu", { podRanges: [prefix("10.1.0.0/16")] });
  const us = cluster("us", { podRanges: [prefix("10.2.0.0/16")] });

  // would catch: a pod that took an address of another cluster's range being trusted as itself. Where its own cluster declares ranges, such
  // an address is not believed in the first place.
  test("a pod inside another cluster's range, and a host inside it", () => {
    const defs = definitions({ clusters: [eu, us], fleets: [fleet("db", [{ name: "one", addresses: ["10.1.9.9"], labels: {} }])] });
    const anywhere = { ...us, podRanges: [] };
    const seen = inventory("us", { pods: [pod("shop/a", {}, "10.1.0.5")] });
    expect(formatSet(liveAddresses(us, seen).own)).toBe("no address");
    const inventories = new Map([["cluster/us", liveAddresses(anywhere, seen)]]);
    const clashes = findAddressClashes(defs, inventories).map(
      (clash) => `${clash.kind} ${clash.targets.join()} ${formatSet(clash.addresses)}`,
    );
    expect(clashes).toEqual(["address-clash cluster/eu,cluster/us 10.1.0.5", "address-clash cluster/eu,host/db/one 10.1.9.9"]);
  });

  test("a host that is a node of a cluster is told as that", () => {
    const defs = definitions({ clusters: [eu], fleets: [fleet("db", [{ name: "one", addresses: ["192.168.0.1"], labels: {} }])] });
    const inventories = new Map([
      ["cluster/eu", liveAddresses(eu, inventory("eu", { nodes: [{ name: "n", addresses: ["192.168.0.1"] }] }))],
    ]);
    expect(findAddressClashes(defs, inventories)).toMatchObject([
      { kind: "host-is-a-node", targets: ["host/db/one", "cluster/eu"] },
    ]);
  });

  test("separate targets do not clash", () => {
    const inventories = new Map([["cluster/eu", liveAddresses(eu, inventory("eu", { pods: [pod("shop/a", {}, "10.1.0.5")] }))]]);
    expect(findAddressClashes(definitions({ clusters: [eu, us] }), inventories)).toEqual([]);
  });

  // would catch: a clash closing what worked, or letting a newcomer in
  test("a clashing address joins no further set and leaves none", () => {
    const before = membership({ web: ["10.0.0.1/32"], db: [] });
    const after = membership({ web: ["10.0.0.3/32"], db: ["10.0.0.1/32", "10.0.0.4/32"] });
    const frozen = freezeAddresses(before, after, addresses("10.0.0.1/32"));
    expect([shown(frozen), shown(frozen, "db")]).toEqual(["10.0.0.1, 10.0.0.3", "10.0.0.4"]);
  });
});

describe("encoding", () => {
  const sets = fc.dictionary(
    fc.stringMatching(/^[a-z]{1,4}$/),
    fc.array(fc.tuple(fc.nat(30), fc.constantFrom("10.0.0.", "2001:db8::")).map(([n, start]) => `${start}${n}`)),
  );

  test("decode of encode, through JSON text, is the same membership", () => {
    fc.assert(
      fc.property(sets, fc.boolean(), (set, complete) => {
        const original = membership(set, complete);
        const back = decodeMembership(JSON.parse(JSON.stringify(encodeMembership(original))));
        expect(back).toEqual(original);
      }),
    );
  });

  // would catch: a truncated row that decodes as "nobody"
  test.each([
    [null],
    [{}],
    [{ ...encodeMembership(membership({ web: ["10.0.0.1/32"] })), segments: {} }],
    [{ ...encodeMembership(membership({ web: ["10.0.0.1/32"] })), segments: { web: ["10.0.0"] } }],
  ])("damaged %j is refused", (json) => {
    expect(() => decodeMembership(json)).toThrow("damaged");
  });
});

// would catch: one selector match per pod and member, which takes longer than the time a test has
test("100,000 pods and 200 segments", () => {
  const pods = Array.from({ length: 100_000 }, (_, n) =>
    pod(`ns-${n % 100}/p${n}`, { app: `app-${n % 200}`, tier: "x" }, `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`),
  );
  const segments = Array.from({ length: 200 }, (_, n) => segment(`s${n}`, [app(`app-${n}`)]));
  expect(compute({}, pods, segments).membership.segments.size).toBe(200);
});
