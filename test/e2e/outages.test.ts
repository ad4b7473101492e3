/** Parts of the world go away and come back. Needs root and the real parts, as the main job. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { API } from "../../core/api/shapes.ts";
import { waitFor } from "../../testbed/wait.ts";
import { startFirebreak, type Firebreak } from "../support/e2e-firebreak.ts";
import { openOrganisation, policiesOf, policyPath, tableOf, type Organisation } from "../support/e2e-organisation.ts";
import { becomes, wrongPaths } from "../support/e2e-packets.ts";
import { defaultDeny, isHealed } from "../support/e2e-tampering.ts";

const CLUSTER = "cluster/shop-eu";
const HOST = "host/directory/ldap-red-1";

let organisation: Organisation;
let firebreak: Firebreak;

beforeAll(async () => {
  organisation = await openOrganisation({ clusters: ["shop-eu"] });
  firebreak = await startFirebreak(organisation, { settings: { clusters: { readEvery: "2s" } } });
}, 240_000);

afterAll(async () => {
  await firebreak?.stop();
  await organisation?.[Symbol.asyncDispose]();
}, 60_000);

describe("what goes away and comes back", { timeout: 300_000 }, () => {
  it("an API server: found unreachable, hosts go on without it, and it gets the revision when it is back", async () => {
    const { eu, pod, host } = organisation;
    await eu.stopApiServer();
    const finding = await firebreak.finding("unreachable", { target: CLUSTER });
    const commit = await organisation.add("policies/extra.yaml", extraPolicy("8080/tcp"), "while the API server is away");
    // What is not seen there may break a guardrail: it waits, until a person lets it in.
    const isWaiting = async (): Promise<boolean> => (await firebreak.status()).repository.refused?.code === "GUARDRAIL_UNSEEN";
    await waitFor(isWaiting, { what: "the commit waits", timeoutMs: 90_000, everyMs: 100 });
    await (await firebreak.api()).post(API.accept, { revision: commit });
    const isAhead = async (): Promise<boolean> => {
      const { revision, wanted } = await firebreak.target(HOST);
      return revision === wanted && (await firebreak.status()).revision?.commit === commit;
    };
    await waitFor(isAhead, { what: "the hosts have the revision", timeoutMs: 90_000, everyMs: 100 });
    // Its pods are still members: stale is not empty.
    expect(await tableOf(host("ldap-blue-1"))).toContain(pod("credit/credit-check").address);

    await eu.startApiServer();
    await firebreak.converged(commit);
    await firebreak.resolved(finding.fingerprint);
    await becomes("open", pod("geo/geo-location"), pod("shop/cust-record"), 8080);
  });

  it("a host: found unreachable, then recovered, and only the newest revision is applied there", async () => {
    const { host, pod } = organisation;
    const entries = (await firebreak.log()).length;
    await host("ldap-red-1").down();
    await organisation.edit(
      "policies/directory.yaml",
      (text) => text.replaceAll("636/tcp", "8080/tcp"),
      "nobody shall see this one",
    );
    const finding = await firebreak.finding("unreachable", { target: HOST });
    expect((await firebreak.target(HOST)).state).toBe("unreachable");
    const commit = await organisation.edit(
      "policies/directory.yaml",
      (text) => text.replaceAll("8080/tcp", "9100/tcp"),
      "the newest",
    );
    await waitFor(async () => (await firebreak.status()).revision?.commit === commit, {
      what: "it is in force",
      timeoutMs: 90_000,
    });

    await host("ldap-red-1").up();
    const status = await firebreak.converged(commit);
    await firebreak.resolved(finding.fingerprint);
    await becomes("open", pod("shop/order-input"), host("ldap-red-1"), 9100);
    await becomes("closed", pod("shop/order-input"), host("ldap-red-1"), 8080);

    const log = (await firebreak.log()).slice(entries);
    const applied = log.flatMap((entry) =>
      entry.type === "apply.outcome" && entry.target.id === HOST && entry.outcome === "ok" ? [entry.revision] : [],
    );
    expect(applied).toEqual([status.revision?.sequence]);
    // Entries of the drift detector come into the log a moment after the store has them.
    const reach = async (): Promise<readonly string[]> =>
      (await firebreak.log())
        .slice(entries)
        .flatMap(({ type }) => (type === "target.unreachable" || type === "target.recovered" ? [type] : []));
    await waitFor(async () => (await reach()).length >= 2, { what: "the log tells of both", timeoutMs: 90_000, everyMs: 100 });
    expect(await reach()).toEqual(["target.unreachable", "target.recovered"]);
    await firebreak.converged(
      await organisation.edit("policies/directory.yaml", (text) => text.replaceAll("9100/tcp", "636/tcp"), "as it was"),
    );
  });

  it("the Git server: visible in status, drift is healed all the same, and what was pushed meanwhile is applied", async () => {
    const { eu, world } = organisation;
    const key = (await defaultDeny(organisation))[0];
    await world.git.stop();
    const isTold = async (): Promise<boolean> => (await firebreak.status()).repository.error?.code === "GIT_UNREACHABLE";
    await waitFor(isTold, { what: "status says that Git is away", timeoutMs: 90_000, everyMs: 100 });

    const since = Date.now();
    await eu.api.call("PATCH", policyPath(key), { spec: { ingress: [{}] } });
    await isHealed(firebreak, await firebreak.finding("modified", { target: CLUSTER, since, all: true }));
    const commit = await organisation.remove(["policies/extra.yaml"], "made while the server is away");

    await world.git.start();
    const status = await firebreak.converged(commit);
    expect(status.repository.error).toBeNull();
    expect(
      await wrongPaths([
        { from: organisation.pod("geo/geo-location"), to: organisation.pod("shop/cust-record"), port: 8080, is: "closed" },
      ]),
    ).toEqual([]);
  });

  // The drift detector on an empty disk would catch: it had no copy of the commit, so it compared nothing until Git was back.
  it.each([
    ["", undefined],
    [", its drift detector on an empty disk", "git-drift"],
  ])(
    "Firebreak itself, while Git is away%s: it starts, keeps what is in force and heals what happened meanwhile",
    async (_, lost) => {
      const { eu, world } = organisation;
      const [key, before] = await defaultDeny(organisation);
      await firebreak.kill();
      await world.git.stop();
      if (lost !== undefined) rmSync(join(firebreak.stateFolder, lost), { recursive: true });
      await eu.api.remove(policyPath(key));
      await firebreak.start();
      const isBack = async (): Promise<boolean> =>
        JSON.stringify((await policiesOf(eu)).get(key)?.spec) === JSON.stringify(before.spec);
      await waitFor(isBack, { what: "the deleted policy is back", timeoutMs: 90_000, everyMs: 100 });
      // Not the first run after the start, which looks at all targets, but the drift detector.
      const since = Date.now();
      await eu.api.call("PATCH", policyPath(key), { spec: { ingress: [{}] } });
      await isHealed(firebreak, await firebreak.finding("modified", { target: CLUSTER, since, all: true }));
      await world.git.start();
      await firebreak.converged((await world.git.head()) ?? "");
    },
  );
});

describe("somebody who writes the same object again and again", () => {
  it("is not fought in a tight loop, and never left open: a finding says who, and it is closed again after a pause", async () => {
    const { eu } = organisation;
    // An object that no other test here touched: its repairs are counted from none.
    const [key, before] = await defaultDeny(organisation, "geo/fb-geo-confirm-");
    const subject = `networkpolicy ${key}`;
    const spec = async (): Promise<string> => JSON.stringify((await policiesOf(eu)).get(key)?.spec);
    const wanted = JSON.stringify(before.spec);
    let rounds = 0;
    /** Somebody's controller: whenever the object was repaired and all is quiet, it writes its own version. */
    const isFight = async (): Promise<boolean> => {
      const open = await firebreak.findings({ target: CLUSTER });
      if (open.some((finding) => finding.kind === "heal-fight" && finding.subject === subject)) return true;
      if (open.length > 0 || (await spec()) !== wanted) return false;
      rounds += 1;
      const since = Date.now();
      await eu.api.call("PATCH", policyPath(key), { spec: { ingress: [{}] } });
      await firebreak.finding("modified", { target: CLUSTER, subject, since, all: true });
      return false;
    };
    await waitFor(isFight, { what: "Firebreak calls it a fight", timeoutMs: 170_000, everyMs: 50 });

    const told = await firebreak.finding("heal-fight", { target: CLUSTER, subject });
    expect(told.severity).toBe("critical");
    const beaten = await firebreak.finding("modified", { target: CLUSTER, subject, all: true });
    expect(beaten.stopped).toBe(false);
    expect(rounds).toBe(6);
    // What widens is closed again without anybody's word: the safe state is closed.
    await waitFor(async () => (await spec()) === wanted, { what: "it is closed again by itself", timeoutMs: 90_000, everyMs: 100 });
    await firebreak.resolved(beaten.fingerprint);

    await (await firebreak.api()).post(API.reconcile, { target: CLUSTER });
    await firebreak.resolved(told.fingerprint);
    expect(await firebreak.verifyLog()).toBe("verified");
  }, 240_000);
});

function extraPolicy(port: string): string {
  return `apiVersion: firebreak.dev/v1alpha1
kind: Policy
metadata: {name: extra}
spec:
  owner: team-geo
  reason: A place is stored with the customer.
  rules:
    - {from: [geo-location], to: [cust-record], ports: [${port}]}
    - {from: [geo-location], to: [ldap-servers-red], ports: [${port}]}
`;
}
