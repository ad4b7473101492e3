import { describe, expect, test } from "vitest";
import { formatPrefix, formatSet } from "../../../core/address/index.ts";
import { compileHost } from "../../../core/compile/host.ts";
import type { HostChain } from "../../../core/compile/want.ts";
import { membershipDigest } from "../../../core/membership/digest.ts";
import type { Membership } from "../../../core/membership/membership.ts";
import { listTargets } from "../../../core/model/target.ts";
import {
  addresses,
  addressesMember,
  app,
  cluster,
  definitions,
  fleet,
  hostsMember,
  policy,
  port,
  prefix,
  rule,
  segment,
} from "../../support/definitions.ts";

const ldap = fleet("dir", [
  { name: "blue", addresses: ["10.20.0.1"], labels: { color: "blue" } },
  { name: "red", addresses: ["10.20.0.2", "2001:db8::2"], labels: { color: "red" } },
]);
const floor = { from: [prefix("10.0.0.0/24")], ports: [port("22/tcp")] };

function compile(parts: Parameters<typeof definitions>[0], over: Partial<Parameters<typeof compileHost>[0]> = {}) {
  const defs = definitions({ fleets: [ldap], ...parts });
  const target = listTargets(defs).find((one) => one.id === "host/dir/blue");
  if (target?.kind !== "host") throw new Error("no such target");
  return compileHost({ definitions: defs, target, memberships: new Map(), floor, resolvers: ["10.0.0.53"], ...over });
}

function words(chain: HostChain): readonly string[] {
  return chain.allows.map((allow) => `${allow.origin} ${allow.peers === "any" ? "any" : formatSet(allow.peers)}`);
}

describe("mode", () => {
  // would catch: the mode of whichever segment comes last
  test("the strictest of the host's segments wins, per direction", () => {
    const blue = hostsMember({ matchLabels: { color: "blue" } });
    const segments = [
      segment("a", [blue], "enforce", "off"),
      segment("b", [hostsMember({})], "observe", "observe"),
      segment("c", [hostsMember({ matchLabels: { color: "red" } })], "off", "enforce"),
    ];
    const { want } = compile({ segments });
    expect([want.ingress.mode, want.egress.mode]).toEqual(["enforce", "observe"]);
  });

  test("a host in no segment has no chain", () => {
    const { want } = compile({ segments: [segment("web", [app("web")], "enforce")], policies: [policy("p", rule("any", "any"))] });
    expect(want).toMatchObject({ ingress: { mode: "off", allows: [] }, egress: { mode: "off", allows: [] } });
  });
});

describe("allows", () => {
  const blue = segment("blue", [hostsMember({ matchLabels: { color: "blue" } })], "enforce", "enforce");
  const both = segment("both", [hostsMember({})]);
  const clients = segment("clients", [app("client")]);
  const legacy = segment("legacy", [addressesMember("10.9.0.0/24")]);

  test("rules of every segment it is in, and of any", () => {
    const policies = [
      policy(
        "p",
        rule("legacy", "blue", "636/tcp"),
        rule("any", "both", "9100/tcp"),
        rule("legacy", "any", "22/tcp"),
        rule("legacy", "clients"),
      ),
    ];
    const { want } = compile({ segments: [blue, both, clients, legacy], policies });
    expect(words(want.ingress)).toEqual(["p/0 10.9.0.0/24", "p/1 any", "p/2 10.9.0.0/24"]);
    expect(words(want.egress)).toEqual(["builtin/dns 10.0.0.53", "p/1 10.20.0.1-10.20.0.2"]);
  });

  // would catch: members of one segment that may reach each other for free
  test("members of one segment need a rule", () => {
    expect(words(compile({ segments: [both, blue] }).want.ingress)).toEqual([]);
    const { want } = compile({ segments: [both, blue], policies: [policy("p", rule("both", "both", "389/tcp"))] });
    expect(words(want.ingress)).toEqual(["p/0 10.20.0.1-10.20.0.2"]);
  });

  // Bug: a rule for IPv6 peers opened the IPv6 address that the host has and Git does not know, and every review said "opens nothing".
  test("peers of a family that the host has no address of are left out, and told where none is left", () => {
    const six = segment("six", [addressesMember("2001:db8:6::/48")]);
    const mixed = segment("mixed", [addressesMember("2001:db8:7::/48", "10.9.0.0/24")]);
    const policies = [policy("p", rule("six", "blue", "636/tcp"), rule("mixed", "blue", "636/tcp"))];
    const { want, notes } = compile({ segments: [blue, six, mixed], policies });
    expect(words(want.ingress)).toEqual(["p/1 10.9.0.0/24"]);
    expect(notes.map(({ code, summary }) => `${code}: ${summary}`)).toEqual([
      "family-missing: rule p/0: its peers and host/dir/blue have no address family in common, so it allows nothing there",
    ]);
  });

  test("pods come from memberships; a rule without an address is left out and told", () => {
    const eu = cluster("eu");
    const parts = { clusters: [eu], segments: [blue, clients], policies: [policy("p", rule("clients", "blue", "636/tcp"))] };
    expect(words(compile(parts).want.ingress)).toEqual([]);
    expect(compile(parts).notes.map((note) => note.code)).toEqual(["not-fed", "matches-nothing"]);
    const segments = new Map([["clients", addresses("10.1.0.5/32")]]);
    const fed: Membership = { target: "cluster/eu", segments, complete: true, observedAt: 1, digest: membershipDigest(segments) };
    expect(words(compile(parts, { memberships: new Map([["cluster/eu", fed]]) }).want.ingress)).toEqual(["p/0 10.1.0.5"]);
  });

  test("a local stub resolver is no way to a name server, and that is told", () => {
    const { want, notes } = compile({ segments: [blue] }, { resolvers: ["127.0.0.53"] });
    expect(words(want.egress)).toEqual([]);
    expect(notes.map((note) => note.code)).toEqual(["dns-unknown"]);
  });

  // would catch: Firebreak cutting itself off from its store on the host it runs on, or opening that path on every host
  test("own paths are opened with the local transport only", () => {
    const ownPaths = [{ addresses: addresses("10.0.0.9/32"), ports: [port("443/tcp")] }];
    expect(words(compile({ segments: [blue] }, { ownPaths }).want.egress)).toEqual(["builtin/dns 10.0.0.53"]);
    const local = { ...ldap, transport: { kind: "local" as const } };
    expect(words(compile({ fleets: [local], segments: [blue] }, { ownPaths }).want.egress)).toEqual([
      "builtin/dns 10.0.0.53",
      "builtin/firebreak 10.0.0.9",
    ]);
  });
});

// would catch: a fleet that replaces the operator's way in
test("the lifeline is the floor and what the fleet adds", () => {
  const more = {
    ...ldap,
    lifeline: { from: [prefix("10.0.9.0/24"), prefix("10.0.0.0/24")], ports: [port("2222/tcp"), port("22/tcp")] },
  };
  const { lifeline } = compile({ fleets: [more] }).want;
  expect(lifeline.from.map(formatPrefix)).toEqual(["10.0.0.0/24", "10.0.9.0/24"]);
  expect(lifeline.ports.map(({ from }) => from)).toEqual([22, 2222]);
});
