import { expect, test } from "vitest";
import { readDefinitionFolder } from "../../../cli/source.ts";
import { parseDefinitions } from "../../../core/model/parse.ts";
import { planOffline } from "../../../core/plan/offline.ts";
import { formatPlans } from "../../../core/text/answers.ts";
import { EXAMPLE, shopInventory } from "../../cli/shop-inventory.ts";

// Bug: a plan says that connections close, in a cluster whose network plugin does not read the policies: all stay open.
test("a plan of a cluster in which nothing enforces says so first", async () => {
  const { definitions } = parseDefinitions(await readDefinitionFolder(EXAMPLE), { allow: undefined });
  if (definitions === undefined) throw new Error("the example does not parse");
  const seen = await shopInventory();
  const asSeen = (enforcer: string) => {
    const clusters = Object.fromEntries(Object.entries(seen.clusters).map(([id, saved]) => [id, { ...saved, enforcer }]));
    const auto = new Map([...definitions.clusters].map(([name, cluster]) => [name, { ...cluster, enforcer: "auto" as const }]));
    const world = { definitions: { ...definitions, clusters: auto }, seen: { ...seen, clusters } };
    return planOffline({ ...world, operator: { floor: { from: [], ports: [] }, ownPaths: [] } }, "cluster/shop-eu");
  };
  const idle = asSeen("none");
  expect(idle[0]?.notes[0]).toMatchObject({ code: "not-enforcing", severity: "warning" });
  expect(formatPlans(idle).split("\n")[0]).toContain("nothing enforces policies there: what closes below stays open");
  const live = asSeen("calico");
  expect(live[0]?.notes.map(({ code }) => code)).not.toContain("not-enforcing");
  expect(formatPlans(live)).not.toContain("nothing enforces policies");
});
