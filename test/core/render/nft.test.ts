import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalRuleset, renderRuleset, rulesetDigest } from "../../../core/render/nft.ts";
import { isSeenSet } from "../../../core/render/nft-seen.ts";
import type { NftRuleset } from "../../../core/render/nft.ts";
import type { HostWant } from "../../../core/compile/want.ts";
import { expectGolden } from "../../support/golden.ts";
import { allow, anyHostWant, block, blocks, hostWant, ports } from "../../support/host-wants.ts";

const MARK = { instance: "fb-test", sequence: 7, digest: "0123456789abcdef" };

function render(want: HostWant, phase: "settle" | "final" = "final", generation = 9): NftRuleset {
  return renderRuleset(want, MARK, { generation, phase });
}

const lifeline = { from: [block("10.0.0.0/24"), block("2001:db8:f::/48")], ports: ports("22/tcp", "2222-2223/tcp", "60000/udp") };
const ldap = allow(
  "ldap/0",
  blocks("10.1.0.1/32", "10.1.0.2/32", "10.9.0.0/24", "2001:db8::5/128", "2001:db8:1::/48"),
  ports("636/tcp"),
);
const overlapping = [
  allow("a/0", blocks("10.1.0.1/32"), ports("80/tcp", "443/tcp", "1000-2000/tcp")),
  allow("b/0", blocks("10.1.0.2/32"), ports("443/tcp", "1500-3000/tcp", "53/udp")),
  allow("b/0", blocks("10.1.0.3/32"), ports("53/udp")),
  allow("c/0", "any", ports("443/tcp")),
];

const icmp = [
  allow("ping/0", blocks("10.1.0.1/32", "2001:db8::5/128"), [
    { kind: "icmp", protocol: "icmp", type: 8, code: undefined },
    { kind: "icmp", protocol: "icmpv6", type: 128, code: undefined },
  ]),
  allow("pmtu/0", "any", [
    { kind: "icmp", protocol: "icmp", type: 3, code: 4 },
    { kind: "icmp", protocol: "icmp", type: 3, code: 1 },
  ]),
  allow("all/0", blocks("10.9.0.0/24"), [
    { kind: "icmp", protocol: "icmp", type: undefined, code: undefined },
    ...ports("3868/sctp"),
  ]),
];

describe("golden rulesets", () => {
  const cases: readonly (readonly [string, HostWant])[] = [
    ["nothing isolated", hostWant()],
    ["ingress enforced, two families, addresses and ranges", hostWant({ lifeline, ingress: { mode: "enforce", allows: [ldap] } })],
    ["ingress enforced, settle", hostWant({ lifeline, ingress: { mode: "enforce", allows: [ldap] } })],
    ["ingress observed", hostWant({ ingress: { mode: "observe", allows: [ldap] } })],
    [
      "egress enforced",
      hostWant({ egress: { mode: "enforce", allows: [allow("builtin/dns", blocks("10.0.0.53/32"), ports("53/udp", "53/tcp"))] } }),
    ],
    ["overlapping ports and an origin with two port lists", hostWant({ ingress: { mode: "enforce", allows: overlapping } })],
    [
      "any ports, any peers",
      hostWant({ ingress: { mode: "enforce", allows: [allow("m/0", blocks("10.3.0.1/32"), "any"), allow("n/0", "any", "any")] } }),
    ],
    ["icmp types and codes, sctp", hostWant({ ingress: { mode: "enforce", allows: icmp } })],
    ["enforced without any allow", hostWant({ ingress: { mode: "enforce", allows: [] }, egress: { mode: "enforce", allows: [] } })],
  ];
  it.each(cases)("%s", (name, want) => {
    const lines = render(want, name.endsWith("settle") ? "settle" : "final").map((object) => JSON.stringify(object));
    expectGolden(`nft/${name.replaceAll(/[^a-z]+/g, "-")}.jsonl`, lines.join("\n"));
  });
});

describe("names", () => {
  // Bug caught: a new pod renames a set, so that churn becomes a change of rules.
  it("do not depend on addresses", () => {
    const one = hostWant({ ingress: { mode: "enforce", allows: [allow("a/0", blocks("10.1.0.1/32"), ports("80/tcp"))] } });
    const two = hostWant({
      ingress: { mode: "enforce", allows: [allow("a/0", blocks("10.7.0.1/32", "10.7.0.2/32"), ports("80/tcp"))] },
    });
    expect(canonicalRuleset(render(one))?.structure).toEqual(canonicalRuleset(render(two))?.structure);
    expect(canonicalRuleset(render(one))?.elements).not.toEqual(canonicalRuleset(render(two))?.elements);
  });

  // Bug caught: an origin with strange or very many characters breaks nft's text syntax, which the dead-man timer restores from.
  it("are digests where an origin has characters that nft's text cannot say", () => {
    const allows = [
      allow("a b/0", "any", ports("80/tcp")),
      allow("x".repeat(200), "any", ports("81/tcp")),
      allow('"};', "any", ports("82/tcp")),
    ];
    const names = render(hostWant({ ingress: { mode: "enforce", allows } })).flatMap((object) =>
      "counter" in object ? [object.counter.name] : [],
    );
    expect(names).toHaveLength(4);
    for (const name of names) expect(name).toMatch(/^in\/(deny|x\/[0-9a-f]{12})$/);
  });
});

describe("the canonical form", () => {
  // Bug caught: handles, hit counts, the generation or the order of a hash set show as drift.
  it("leaves out what says nothing, and keeps what does", () => {
    const want = hostWant({ ingress: { mode: "enforce", allows: [ldap] } });
    const listed = render(want, "final", 10).map((object) => {
      const [kind, body] = Object.entries(object)[0] ?? ["", {}];
      const elem = "set" in object ? { elem: [...(object.set.elem ?? [])].reverse() } : {};
      return { [kind]: { ...body, ...elem, handle: 5, ...(kind === "counter" ? { packets: 7, bytes: 99 } : {}) } };
    });
    const one = canonicalRuleset(render(want));
    expect({
      ...canonicalRuleset([...listed.filter(isNoRule).reverse(), ...listed.filter((object) => !isNoRule(object))]),
      generation: 9,
    }).toEqual(one);
    expect(one?.mark).toEqual(MARK);
  });

  it("has a digest that differs as soon as a rule, a policy, a port or a name does", () => {
    const digests = [
      hostWant({ ingress: { mode: "enforce", allows: [ldap] } }),
      hostWant({ ingress: { mode: "observe", allows: [ldap] } }),
      hostWant({ egress: { mode: "enforce", allows: [ldap] } }),
      hostWant({ ingress: { mode: "enforce", allows: [{ ...ldap, ports: ports("637/tcp") }] } }),
      hostWant({ ingress: { mode: "enforce", allows: [{ ...ldap, ports: "any" }] } }),
      hostWant({ ingress: { mode: "enforce", allows: [{ ...ldap, peers: "any" }] } }),
      hostWant({ ingress: { mode: "enforce", allows: [{ ...ldap, origin: "ldap/1" }] } }),
    ].map((want) =>
      rulesetDigest(
        canonicalRuleset(render(want)) ?? { structure: [], elements: new Map(), mark: undefined, generation: undefined },
      ),
    );
    expect(new Set(digests).size).toBe(digests.length);
  });

  it("is undefined without our table, and for nonsense", () => {
    expect(canonicalRuleset([])).toBeUndefined();
    expect(canonicalRuleset([null, 7, { table: "x" }, { table: { family: "ip", name: "firebreak" } }])).toBeUndefined();
  });
});

describe("any rendering", () => {
  // Bug caught: a peer match is lost on the way, and a rule for somebody becomes a rule for anybody.
  it("accepts without a match only where peers are any", () => {
    fc.assert(
      fc.property(anyHostWant, (want) => {
        const named = { ...want, ingress: dropAny(want.ingress), egress: dropAny(want.egress) };
        for (const object of render(named)) {
          if (!("rule" in object) || !object.rule.expr.some((statement) => "accept" in statement)) continue;
          expect(object.rule.expr.some((statement) => "match" in statement)).toBe(true);
        }
      }),
    );
  });

  // Bug caught: an empty set matches nothing today, and a reader or a later version takes it for no constraint.
  it("has no empty set and no rule that names a missing one", () => {
    fc.assert(
      fc.property(anyHostWant, (want) => {
        const rendered = render(want);
        const sets = new Set(
          rendered.flatMap((object) =>
            "set" in object ? [`@${object.set.name}`] : "map" in object ? [`@${object.map.name}`] : [],
          ),
        );
        // What the kernel fills is empty at first, and no rule looks into it.
        const published = rendered.filter((object) => "set" in object && !isSeenSet(object.set.name));
        for (const object of published) if ("set" in object) expect(object.set.elem?.length).toBeGreaterThan(0);
        const named = JSON.stringify(rendered.filter((object) => "rule" in object)).match(/"@[^"]+"/g) ?? [];
        for (const name of named) expect(sets).toContain(JSON.parse(name));
      }),
    );
  });
});

/** Rules keep their order, which means something; everything else may be listed in any order before them. */
function isNoRule(object: object): boolean {
  return !("rule" in object);
}

function dropAny(chain: HostWant["ingress"]): HostWant["ingress"] {
  return { ...chain, allows: chain.allows.filter(({ peers }) => peers !== "any") };
}
