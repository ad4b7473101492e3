import { describe, expect, it } from "vitest";
import { teamsOf } from "../../../core/notify/team.ts";
import { cluster, definitions, policy, rule, segment } from "../../support/definitions.ts";

const at = (file: string, line: number) => ({ file, line, column: 1 });
const defined = definitions({
  segments: [
    segment("web", [], "enforce", "enforce", { at: at("segments/web.yaml", 2) }),
    segment("database", [], "enforce", "enforce", { at: at("segments/web.yaml", 20) }),
    segment("lonely", [], "enforce", "enforce", { at: at("segments/lonely.yaml", 2) }),
  ],
  clusters: [{ ...cluster("eu"), at: at("policies/shop.yaml", 60) }],
  guardrails: [
    {
      kind: "Guardrail",
      name: "apart",
      labels: {},
      severity: "block",
      owner: "team-security",
      reason: undefined,
      rules: [],
      at: at("policies/shop.yaml", 40),
    },
  ],
  policies: [
    { ...policy("front", rule("internet", "web")), owner: "team-front", at: at("policies/shop.yaml", 2) },
    { ...policy("shop", rule("web", "database")), owner: "team-shop", at: at("policies/shop.yaml", 20) },
    { ...policy("reports", rule("lonely", "database")), owner: "team-reports", at: at("policies/reports.yaml", 2) },
  ],
});

describe("whose a finding is", () => {
  it.each([
    ["a line of a policy", at("policies/shop.yaml", 25), ["team-shop"]],
    ["a line of the one before", at("policies/shop.yaml", 19), ["team-front"]],
    ["a segment: who lets somebody reach it", at("segments/web.yaml", 20), ["team-reports", "team-shop"]],
    ["a segment that nobody may reach: who lets it reach others", at("segments/lonely.yaml", 2), ["team-reports"]],
    ["a line that no policy owns", at("targets.yaml", 3), []],
    ["a guardrail beside policies (bug: it is the policy's above it)", at("policies/shop.yaml", 41), ["team-security"]],
    ["a target beside policies (bug: the same)", at("policies/shop.yaml", 63), []],
    ["a line inside a segment", at("segments/web.yaml", 23), ["team-reports", "team-shop"]],
    ["nothing", undefined, []],
  ])("%s", (_, position, teams) => {
    expect(teamsOf(defined, { at: position })).toEqual(teams);
  });
});
