import { describe, expect, test } from "vitest";
import { denialsOf } from "../../../core/observed/denials.ts";
import { planHost } from "../../../core/plan/host.ts";
import type { HostObservation } from "../../../core/observed/observation.ts";
import { renderRuleset, rulesetDigest, canonicalRuleset } from "../../../core/render/nft.ts";
import { isSeenSet, readSeen, SEEN_SECONDS, SEEN_SIZE } from "../../../core/render/nft-seen.ts";
import { hostAccess } from "../../../core/verdict/nft.ts";
import { formatDenials } from "../../../core/text/denials.ts";
import { definitions, external, fleet } from "../../support/definitions.ts";
import { allow, blocks, hostWant, ports } from "../../support/host-wants.ts";

const MARK = { instance: "fb-test", sequence: 7, digest: "0123456789abcdef" };
const WANT = hostWant({
  ingress: { mode: "observe", allows: [allow("web/0", blocks("10.0.1.0/24"), ports("443/tcp"))] },
  egress: { mode: "enforce", allows: [allow("web/1", blocks("10.0.2.0/24"), ports("53/udp"))] },
});
const RULESET = renderRuleset(WANT, MARK, { generation: 9, phase: "final" });

/** `10.9.0.1 tcp 8080`, last seen so many seconds ago. */
function element(address: string, protocol: string, port: number, age: number): object {
  return { elem: { val: { concat: [address, protocol, port] }, expires: SEEN_SECONDS - age } };
}

/** As the host lists it, with what its kernel put into the sets. */
function listing(elements: Readonly<Record<string, readonly object[]>>): readonly object[] {
  return RULESET.map((object) =>
    "set" in object && isSeenSet(object.set.name) ? { set: { ...object.set, elem: elements[object.set.name] ?? [] } } : object,
  );
}

function observation(ruleset: readonly unknown[]): HostObservation {
  const none = { identity: "", legacyTables: [], addresses: [], resolvers: [] };
  return { kind: "host", target: WANT.target, completeness: "complete", ruleset, ...none, at: Date.parse("2026-11-30T12:00:00Z") };
}

const SEEN = {
  seen_in4: [element("10.9.0.1", "tcp", 8080, 7200), element("10.20.0.11", "udp", 53, 5)],
  seen_in6: [element("2001:db8::1", "tcp", 22, 60)],
};

describe("what the kernel puts into the sets of observe mode", () => {
  test("is no change of the ruleset: not of its digest, not of the plan (bug: each stranger's packet is drift, or an apply)", () => {
    const live = listing(SEEN);
    const [digestBefore, digestAfter] = [RULESET, live].map((objects) => rulesetDigest(canonicalRuleset(objects)!));
    expect(digestAfter).toBe(digestBefore);
    const plan = planHost({ want: WANT, mark: MARK, observation: observation(live), membershipDigest: "", settled: true });
    expect(plan.steps).toEqual([]);
  });

  test("is a set that rules fill, said or not (bug: a host with a newer nft differs for ever)", () => {
    const said = RULESET.map((object) =>
      "set" in object && isSeenSet(object.set.name) ? { set: { ...object.set, flags: ["timeout", "dynamic"] } } : object,
    );
    expect(rulesetDigest(canonicalRuleset(said)!)).toBe(rulesetDigest(canonicalRuleset(RULESET)!));
    const dormant = RULESET.map((object) =>
      "set" in object && isSeenSet(object.set.name) ? { set: { ...object.set, flags: ["timeout", "constant"] } } : object,
    );
    expect(rulesetDigest(canonicalRuleset(dormant)!)).not.toBe(rulesetDigest(canonicalRuleset(RULESET)!));
  });

  test("is not taken away by a change of addresses or rules (bug: an apply forgets what was seen)", () => {
    const more = {
      ...WANT,
      ingress: { ...WANT.ingress, allows: [allow("web/0", blocks("10.0.3.0/24"), ports("443/tcp", "80/tcp"))] },
    };
    const plan = planHost({ want: more, mark: MARK, observation: observation(listing(SEEN)), membershipDigest: "", settled: true });
    expect(JSON.stringify(plan.steps)).toContain("in4n/web/0");
    const steps = plan.steps.flatMap(({ transaction }) => transaction.map((step) => JSON.stringify(step)));
    const about = steps.filter((step) => !step.startsWith('{"add":{"rule":'));
    expect(about.join()).not.toContain("seen_");
  });

  test("changes no verdict, and is understood (bug: observing makes a host uncertain)", () => {
    const before = hostAccess(RULESET);
    expect(before.input.uncertain).toEqual([]);
    expect(hostAccess(listing(SEEN))).toEqual(before);
  });

  test("is remembered for what observes only", () => {
    expect(RULESET.flatMap((object) => ("set" in object && isSeenSet(object.set.name) ? [object.set.name] : []))).toEqual([
      "seen_in4",
      "seen_in6",
    ]);
    const off = renderRuleset(hostWant({ ingress: { ...WANT.ingress, mode: "enforce" } }), MARK, { generation: 1, phase: "final" });
    expect(readSeen(off)).toBeUndefined();
  });
});

describe("denials", () => {
  const known = definitions({
    fleets: [fleet("directory", [{ name: "ldap-blue-1", addresses: ["10.20.0.11"], labels: {} }])],
    externals: [external("mainframe", {}, "10.9.0.0/24")],
  });

  test("have address, port, protocol, when it was last seen and who it is, the newest first", () => {
    expect(denialsOf(observation(listing(SEEN)), known)).toEqual({
      directions: ["ingress"],
      total: 3,
      full: [],
      connections: [
        { direction: "ingress", address: "10.20.0.11", protocol: "udp", port: 53, lastSeenAt: "2026-11-30T11:59:55.000Z", workload: "directory/ldap-blue-1" }, // prettier-ignore
        { direction: "ingress", address: "2001:db8::1", protocol: "tcp", port: 22, lastSeenAt: "2026-11-30T11:59:00.000Z", workload: null }, // prettier-ignore
        { direction: "ingress", address: "10.9.0.1", protocol: "tcp", port: 8080, lastSeenAt: "2026-11-30T10:00:00.000Z", workload: "mainframe" }, // prettier-ignore
      ],
    });
  });

  test("are bounded, and a full memory is said (bug: what was not recorded reads as nothing)", () => {
    const many = Array.from({ length: SEEN_SIZE + 5 }, (_, index) =>
      element(`10.1.${index >> 8}.${index & 255}`, "tcp", 80, index % 9),
    );
    const denials = denialsOf(observation(listing({ seen_in4: many })), known);
    expect(denials).toMatchObject({ total: SEEN_SIZE, full: ["ingress"] });
    expect(denials?.connections).toHaveLength(500);
    const text = formatDenials([{ target: WANT.target, readAt: null, seen: denials ?? null }], 0, true);
    expect(text).toContain("at least 4,096 connections");
    expect(text).toContain("there may be more: the host's memory of ingress is full");
  });

  test.each([
    ["a text", "x"],
    ["another shape", { elem: { val: "10.0.0.1" } }],
    ["an address that is none", element("rm -rf \u001b[2J", "tcp", 1, 0)],
    ["another protocol", element("10.0.0.1", "icmp", 1, 0)],
    ["a port that is none", element("10.0.0.1", "tcp", 70_000, 0)],
  ])("what a host says in another form is left out: %s", (_what, strange) => {
    expect(readSeen(listing({ seen_in4: [strange as object] }))?.connections).toEqual([]);
  });
});
