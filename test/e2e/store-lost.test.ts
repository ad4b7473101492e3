/** The store is deleted while everything runs; log, key and instance stay. Needs root and the real parts, as the main job. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { waitFor } from "../../testbed/wait.ts";
import { loseStore, startFirebreak, type Firebreak } from "../support/e2e-firebreak.ts";
import { pathsOf } from "../support/e2e-main-job.ts";
import { enforcementOf, openOrganisation, tableOf, type Organisation } from "../support/e2e-organisation.ts";
import { keepTrying, wrongPaths } from "../support/e2e-packets.ts";

const ORPHAN = "host/directory/ldap-red-2";

let organisation: Organisation;
let firebreak: Firebreak;

beforeAll(async () => {
  organisation = await openOrganisation();
  firebreak = await startFirebreak(organisation);
}, 240_000);

afterAll(async () => {
  await firebreak?.stop();
  await organisation?.[Symbol.asyncDispose]();
}, 60_000);

describe("a store that is deleted while Firebreak runs", () => {
  it("opens nothing, closes nothing, writes nothing; numbers go on and orphans are known", async () => {
    const commit = await organisation.edit(
      "targets/hosts.yaml",
      (text) => text.replace(/^.*name: ldap-red-2.*\n/m, ""),
      "ldap-red-2 is gone from Git",
    );
    const status = await firebreak.converged(commit);
    expect((await firebreak.target(ORPHAN)).state).toBe("orphaned");
    const before = await enforcementOf(organisation);
    await using trying = keepTrying(pathsOf(organisation));

    loseStore(firebreak);
    await firebreak.kill();
    await firebreak.start();
    const again = await firebreak.converged(commit);
    await waitFor(() => trying.rounds() > 3, { what: "packets were tried again" });

    expect(again.revision?.sequence).toBe(status.revision?.sequence);
    expect((await firebreak.target(ORPHAN)).state).toBe("orphaned");
    expect(await enforcementOf(organisation)).toEqual(before);
    expect(await trying.stop()).toEqual([]);

    const next = await firebreak.converged(
      await organisation.edit("workspace.yaml", (text) => `${text}\n# again\n`, "the next one"),
    );
    expect(next.revision?.sequence).toBe((status.revision?.sequence ?? 0) + 1);
    expect(await firebreak.verifyLog()).toBe("verified");
  });

  it("keeps the addresses of a cluster that is away, until it was seen whole again", async () => {
    const { us, pod, host } = organisation;
    const abroad = pod("credit/credit-check", us);
    const before = await enforcementOf(organisation);
    expect(await tableOf(host("ldap-blue-1"))).toContain(abroad.address);

    await firebreak.kill();
    await us.stopApiServer();
    loseStore(firebreak);
    rmSync(join(firebreak.stateFolder, "memberships.json"), { force: true });
    await firebreak.start();
    const waits = async (): Promise<boolean> =>
      (await firebreak.target("host/directory/ldap-blue-1")).error?.code === "INVENTORY_INCOMPLETE";
    await waitFor(waits, { what: "a host waits for the cluster that feeds it", timeoutMs: 60_000, everyMs: 100 });
    expect(await tableOf(host("ldap-blue-1"))).toContain(abroad.address);
    expect(await wrongPaths([{ from: abroad, to: host("ldap-blue-1"), port: 636, is: "open" }])).toEqual([]);

    await us.startApiServer();
    await firebreak.converged((await organisation.world.git.head()) ?? "");
    expect(await enforcementOf(organisation)).toEqual(before);
    expect(await wrongPaths(pathsOf(organisation))).toEqual([]);
  });
});
