import { expect, test } from "vitest";
import { listTargets } from "../../core/model/target.ts";
import { expiryCauses } from "../../services/syncer/expiry.ts";
import { app, cluster, definitions, fleet, hostsMember, podsMember, policy, rule, segment } from "../support/definitions.ts";

const AT = Date.UTC(2027, 5, 30);
const defs = definitions({
  clusters: [cluster("eu"), cluster("us", { labels: { env: "dev" } })],
  fleets: [fleet("dir", [{ name: "one", addresses: ["10.20.0.1"], labels: { role: "db" } }])],
  segments: [
    segment("web", [podsMember({ matchLabels: { app: "web" } }, {}, { matchLabels: { env: "prod" } })], "enforce"),
    segment("db", [hostsMember({ matchLabels: { role: "db" } })], "enforce"),
    segment("all", [app("x")]),
  ],
  policies: [
    { ...policy("flow", rule("web", "db", "5432/tcp")), expires: AT },
    { ...policy("later", rule("all", "web", "80/tcp")), expires: AT + 5_000 },
    policy("forever", rule("any", "web", "80/tcp")),
  ],
});

function causes(since: number, until: number): readonly string[] {
  return expiryCauses(defs, listTargets(defs), since, until).map(({ target, kind, key }) => `${target} ${kind} ${key}`);
}

// would catch: a rule that stays open until somebody happens to plan the target
test("targets at an end of a rule that expires get work, once, at its moment", () => {
  expect(causes(AT - 10_000, AT - 1)).toEqual([]);
  expect(causes(AT - 1_000, AT)).toEqual(["cluster/eu time expiry flow", "host/dir/one time expiry flow"]);
  expect(causes(AT, AT + 1_000)).toEqual([]);
});

// would catch: an expiry lost in a pause of the process
test("nothing that expired between two looks is missed", () => {
  expect(causes(AT - 1, AT + 60_000)).toEqual([
    "cluster/eu time expiry flow",
    "host/dir/one time expiry flow",
    "cluster/eu time expiry later",
    "cluster/us time expiry later",
  ]);
});
