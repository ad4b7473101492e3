import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { verifyRuleset } from "../../../core/plan/host-verify.ts";
import { renderRuleset } from "../../../core/render/nft.ts";
import type { NftRuleset } from "../../../core/render/nft.ts";
import { allow, anyHostWant, blocks, hostWant, ports } from "../../support/host-wants.ts";

const MARK = { instance: "fb-test", sequence: 7, digest: "0123456789abcdef" };
const want = hostWant({ ingress: { mode: "enforce", allows: [allow("web/0", blocks("10.1.0.1/32"), ports("443/tcp"))] } });
const right = renderRuleset(want, MARK, { generation: 1, phase: "final" });

/** The ruleset with the objects that a text matches changed, or left out where the change is undefined. */
function broken(text: string, change: (json: string) => string | undefined): NftRuleset {
  return right.flatMap((object): NftRuleset => {
    const json = JSON.stringify(object);
    if (!json.includes(text)) return [object];
    const changed = change(json);
    return changed === undefined ? [] : [JSON.parse(changed)];
  });
}

describe("a ruleset is checked before anybody may send it", () => {
  it("passes when it is right, for any want and both phases", () => {
    fc.assert(
      fc.property(anyHostWant, fc.constantFrom("settle" as const, "final" as const), (made, phase) => {
        expect(() => verifyRuleset(made, renderRuleset(made, MARK, { generation: 1, phase }))).not.toThrow();
      }),
      { numRuns: 50 },
    );
  });

  const lifelineRule = '"@lifeline4"';
  const cases: readonly (readonly [string, NftRuleset, RegExp])[] = [
    ["no lifeline rule", broken(lifelineRule, () => undefined), /lifeline/],
    ["a lifeline to another port", broken(lifelineRule, (json) => json.replace('"right":22', '"right":23')), /lifeline/],
    ["a lifeline that drops", broken(lifelineRule, (json) => json.replace('"accept"', '"drop"')), /lifeline/],
    ["a lifeline from fewer addresses", broken('"name":"lifeline4"', (json) => json.replace('"len":24', '"len":25')), /lifeline/],
    ["a drop before the lifeline", dropFirst(), /lifeline/],
    ["an empty set", broken('"name":"in4/web/0"', (json) => json.replace('["10.1.0.1"]', "[]")), /empty/],
    [
      "a rule that lost its peers",
      broken('"@in4/web/0"', (json) => json.replace(/\{"match".*?"@in4\/web\/0"\}\},/, "")),
      /anybody/,
    ],
    ["no fence", broken('"fence"', () => undefined), /fence/],
    ["no mark", broken('"firebreak fb-test', (json) => json.replace("firebreak fb-test", "hello")), /mark/],
    ["nothing at all", [], /no table/],
  ];
  // Bug caught (each): a mistake of the renderer locks operators out, or lets everybody in.
  it.each(cases)("fails with %s", (_, ruleset, message) => {
    expect(() => verifyRuleset(want, ruleset)).toThrow(message);
    expect(() => verifyRuleset(want, ruleset)).toThrow(expect.objectContaining({ code: "PLAN_INVARIANT_BROKEN" }));
  });
});

/** All rules, with a drop of everything before those of the input chain. */
function dropFirst(): NftRuleset {
  const drop = { rule: { family: "inet" as const, table: "firebreak", chain: "input", expr: [{ drop: null }] } };
  const at = right.findIndex((object) => "rule" in object && object.rule.chain === "input");
  return [...right.slice(0, at), drop, ...right.slice(at)];
}
