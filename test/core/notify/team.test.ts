import { describe, expect, it } from "vitest";
import { teamsOf } from "../../../core/notify/team.ts";
import { definitions, policy, rule, segment } from "../../support/definitions.ts";

const at = (file: string, line: number) => ({ file, line, column: 1 });
const defined = definitions({
  segments: [
    segment("web", [], "enforce", "enforce", { at: at("segments/web.yaml", 2) }),
    segment("database", [], "enforce", "enforce", { at: at("segments/web.yaml", 20) }),
    segment("lonely", [], "enforce", "enforce", { at: at("segments/lonely.yaml", 2) }),
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
    ["nothing", undefined, []],
  ])("%s", (_, position, teams) => {
    expect(teamsOf(defined, { at: position })).toEqual(teams);
  });
});
