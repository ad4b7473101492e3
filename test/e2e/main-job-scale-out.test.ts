/** As main-job-embedded, and redis-server 7 and PostgreSQL. */
import { expect, it } from "vitest";
import { command } from "../../testbed/command.ts";
import { waitFor } from "../../testbed/wait.ts";
import { tellMainJob } from "../support/e2e-main-job.ts";
import { policiesOf, policyPath } from "../support/e2e-organisation.ts";
import { becomes } from "../support/e2e-packets.ts";
import { defaultDeny, isHealed } from "../support/e2e-tampering.ts";

const CLUSTER = "cluster/shop-eu";

tellMainJob("scale-out", (stage) => {
  it("loses nothing but time when Redis is emptied again and again while revisions come", async () => {
    const { organisation, firebreak } = stage();
    const { redis } = firebreak;
    if (redis === undefined) throw new Error("this Firebreak has no Redis");
    const flush = async (): Promise<string> => await command(["redis-cli", "-p", String(redis.port), "flushall"]);
    for (const port of ["9100/tcp", "636/tcp"]) {
      const other = port === "636/tcp" ? "9100/tcp" : "636/tcp";
      const commit = await organisation.edit("policies/directory.yaml", (text) => text.replaceAll(other, port), `only ${port}`);
      await flush();
      await waitFor(async () => (await firebreak.status()).revision?.commit === commit, {
        what: "it is in force",
        timeoutMs: 60_000,
      });
      await flush();
      await firebreak.converged(commit);
    }
    await becomes("open", organisation.pod("credit/credit-check"), organisation.host("ldap-blue-1"), 636);
  });

  it("finds drift while the syncer is dead, and heals it when the syncer is back", async () => {
    const { organisation, firebreak } = stage();
    const [key, before] = await defaultDeny(organisation);
    const since = Date.now();
    await firebreak.kill("syncer");
    await organisation.eu.api.call("PATCH", policyPath(key), { spec: { ingress: [{}] } });
    const finding = await firebreak.finding("modified", { target: CLUSTER, subject: `networkpolicy ${key}`, since });
    expect((await firebreak.target(CLUSTER)).state).toBe("drifted");

    await firebreak.start();
    await isHealed(firebreak, finding);
    expect((await policiesOf(organisation.eu)).get(key)?.spec).toEqual(before.spec);
    await becomes("closed", organisation.pod("geo/geo-location"), organisation.pod("shop/cust-record"), 8443);
  });
});
