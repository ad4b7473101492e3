/** What a branch may and may not do, and how targets come and go. Needs root and the real parts, as the main job. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { API, type AcceptAnswer, type DiffAnswer, type ReachAnswer, type ReleaseAnswer } from "../../core/api/shapes.ts";
import type { ExplainAnswer } from "../../core/explain/answer.ts";
import type { TestReport } from "../../core/guardrail/report.ts";
import { waitFor } from "../../testbed/wait.ts";
import { startFirebreak, type Firebreak } from "../support/e2e-firebreak.ts";
import {
  enforcementOf,
  openOrganisation,
  policiesOf,
  policyPath,
  tableOf,
  type LivePolicy,
  type Organisation,
} from "../support/e2e-organisation.ts";
import { becomes, wrongPaths } from "../support/e2e-packets.ts";
import { defaultDeny, foreignPolicy, isHealed } from "../support/e2e-tampering.ts";

const CLUSTER = "cluster/shop-eu";
const RED_1 = "host/directory/ldap-red-1";
const RED_2 = "host/directory/ldap-red-2";
const BLUE_2 = "host/directory/ldap-blue-2";

let organisation: Organisation;
let firebreak: Firebreak;

beforeAll(async () => {
  organisation = await openOrganisation({ clusters: ["shop-eu"] });
  await organisation.edit("targets/clusters.yaml", (text) => text.replace("mode: apply", "mode: plan"), "look first");
  firebreak = await startFirebreak(organisation);
}, 240_000);

afterAll(async () => {
  await firebreak?.stop();
  await organisation?.[Symbol.asyncDispose]();
}, 60_000);

/** Waits until this commit is refused, and returns why. */
async function refused(commit: string) {
  const look = async () => {
    const found = (await firebreak.status()).repository.refused;
    return found?.commit === commit ? found : undefined;
  };
  return await waitFor(look, { what: `${commit.slice(0, 10)} is refused`, timeoutMs: 60_000, everyMs: 100 });
}

async function accept(commit: string): Promise<AcceptAnswer> {
  return await (await firebreak.api()).post<AcceptAnswer>(API.accept, { revision: commit });
}

async function release(target: string, confirm: boolean): Promise<ReleaseAnswer> {
  return await (await firebreak.api()).post<ReleaseAnswer>(API.release, { target, confirm, keep: false, forget: false });
}

describe("first contact", () => {
  it("writes nothing to a cluster in `mode: plan`, and shows what it would write", async () => {
    const { state } = await firebreak.target(CLUSTER);
    expect(state).toBe("plan only");
    expect((await policiesOf(organisation.eu)).size).toBe(0);
    const [plan] = await (
      await firebreak.api()
    ).get<readonly { readonly steps: readonly unknown[] }[]>(API.plan, { target: CLUSTER });
    expect(plan?.steps.length).toBeGreaterThan(10);
    expect((await policiesOf(organisation.eu)).size).toBe(0);
  });

  it("never overwrites an object with our name and without our mark; the rest is applied", async () => {
    const { eu } = organisation;
    const plan = await (
      await firebreak.api()
    ).get<readonly { readonly steps: readonly { readonly subject: string }[] }[]>(API.plan, { target: CLUSTER });
    const subject = plan[0]?.steps.map((step) => step.subject).find((text) => text.includes("shop/fb-cust-record-"));
    const key = (subject ?? "").replace(/^networkpolicy /, "");
    const theirs = foreignPolicy(key.split("/")[1] ?? "");
    const created = (await eu.api.put("/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies", theirs)) as LivePolicy;

    await organisation.edit("targets/clusters.yaml", (text) => text.replace("mode: plan", "mode: apply"), "now for real");
    const finding = await firebreak.finding("conflict", { target: CLUSTER, subject: `networkpolicy ${key}` });
    expect(finding.effect.opened.join()).toContain("shop/cust-record");
    expect((await policiesOf(eu)).get(key)?.metadata.resourceVersion).toBe(created.metadata.resourceVersion);
    await becomes("closed", organisation.pod("shop/order-input"), organisation.pod("geo/ip-map"), 8080);

    await eu.api.remove(policyPath(key));
    await (await firebreak.api()).post(API.reconcile, { target: CLUSTER });
    await firebreak.resolved(finding.fingerprint);
    await firebreak.converged((await organisation.world.git.head()) ?? "");
    await becomes("closed", organisation.pod("geo/geo-location"), organisation.pod("shop/cust-record"), 8443);
  });

  it("removes a foreign policy that widens where the cluster says `foreign: remove`, and not one that restricts", async () => {
    const { eu } = organisation;
    await firebreak.converged(
      await organisation.edit(
        "targets/clusters.yaml",
        (text) => text.replace("  mode: apply\n", "  mode: apply\n  foreign: remove\n"),
        "remove foreign ones",
      ),
    );
    const collection = "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies";
    const widening = foreignPolicy("let-everybody-in");
    await eu.api.put(collection, {
      ...widening,
      metadata: { name: "only-less" },
      spec: { ...widening.spec, podSelector: { matchLabels: { app: "plain" } }, ingress: [] },
    });
    await eu.api.put(collection, widening);
    await waitFor(async () => !(await policiesOf(eu)).has("shop/let-everybody-in"), {
      what: "the widening one is gone",
      timeoutMs: 60_000,
      everyMs: 100,
    });
    expect((await policiesOf(eu)).has("shop/only-less")).toBe(true);
    const finding = await firebreak.finding("foreign", {
      target: CLUSTER,
      subject: "networkpolicy shop/let-everybody-in",
      all: true,
    });
    await isHealed(firebreak, finding);
    await eu.api.remove(`${collection}/only-less`);
  });
});

describe("a revision", () => {
  it("that is invalid is refused with file and line, and the one in force stays; the next that is right is taken", async () => {
    const before = await firebreak.status();
    const live = await enforcementOf(organisation);
    const bad = await organisation.edit(
      "policies/credit.yaml",
      (text) => text.replace("to: [credit-check]", "to: [credit-chek]"),
      "a slip",
    );
    const why = await refused(bad);
    expect(why.code).toBe("REVISION_INVALID");
    const note = why.notes.find(({ severity }) => severity === "error");
    expect([note?.at?.file, `${note?.summary} ${note?.detail}`]).toEqual([
      expect.stringContaining("policies/credit.yaml"),
      expect.stringContaining("credit-check"),
    ]);
    expect((await firebreak.status()).revision).toEqual(before.revision);
    expect(await enforcementOf(organisation)).toEqual(live);

    const good = await organisation.edit("policies/credit.yaml", (text) => text.replace("credit-chek", "credit-check"), "mended");
    expect((await firebreak.converged(good)).repository.refused).toBeNull();
  });

  it("that un-isolates is held until somebody accepts exactly it", async () => {
    const isolated = "metadata: {name: credit-check}";
    const change = (text: string): string => {
      const at = text.indexOf(isolated);
      return (
        text.slice(0, at) +
        text.slice(at).replace("isolate: {ingress: enforce, egress: observe}", "isolate: {ingress: observe, egress: observe}")
      );
    };
    const [stranger, pod] = [organisation.pod("geo/geo-location"), organisation.pod("credit/credit-check")];
    const commit = await organisation.edit("segments/credit.yaml", change, "open it up");
    const why = await refused(commit);
    expect([why.code, why.message]).toEqual(["LIMIT_EXCEEDED", expect.stringContaining("credit-check")]);
    expect(await wrongPaths([{ from: stranger, to: pod, port: 8443, is: "closed" }])).toEqual([]);

    expect((await accept(commit)).accepted).toBe(true);
    await firebreak.converged(commit);
    await becomes("open", stranger, pod, 8443);
    const entry = (await firebreak.log()).find((found) => found.type === "revision.accepted" && found.commit === commit);
    expect(entry).toMatchObject({ actor: { kind: "token" } });
    const back = (text: string): string =>
      text.replace("isolate: {ingress: observe, egress: observe}", "isolate: {ingress: enforce, egress: observe}");
    await firebreak.converged(await organisation.edit("segments/credit.yaml", back, "closed again"));
    await becomes("closed", stranger, pod, 8443);
  });

  it("on a rewritten branch is held until somebody accepts it", async () => {
    const { git } = organisation.world;
    const before = await firebreak.status();
    const commit = await git.forcePush(organisation.files(), "history begins here");
    expect((await refused(commit)).code).toBe("GIT_BRANCH_REWRITTEN");
    expect((await firebreak.status()).revision?.commit).toBe(before.revision?.commit);
    expect((await accept(commit)).accepted).toBe(true);
    await firebreak.converged(commit);
  });
});

describe("a guardrail", () => {
  const GUARDRAIL = `apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: untrusted}
spec:
  members:
    - pods: {matchLabels: {trust: low}}
      namespaces: {matchLabels: {team: shop}}
      clusters: {matchLabels: {env: prod}}
---
apiVersion: firebreak.dev/v1alpha1
kind: Guardrail
metadata: {name: customers}
spec:
  reason: Only the order flow reads customers.
  never:
    - {from: [geo-location, untrusted], to: [cust-record], ports: [any]}
`;

  it("refuses a revision that opens what it forbids and tells the line; a person may pass it, and then it is a finding", async () => {
    await firebreak.converged(await organisation.add("guardrails/customers.yaml", GUARDRAIL, "customers are guarded"));
    const rule = "    - {from: [order-input], to: [cust-record], ports: [8443/tcp]}\n";
    const extra = "    - {from: [geo-location], to: [cust-record], ports: [8443/tcp]}\n";
    const opens = await organisation.edit("policies/order-flow.yaml", (text) => text.replace(rule, extra + rule), "let them in");
    const why = await refused(opens);
    expect([why.code, why.message]).toEqual([
      "GUARDRAIL_VIOLATED",
      expect.stringMatching(
        /^Guardrail customers \(never geo-location, untrusted → cust-record: any.*order-flow\/\d at .*order-flow\.yaml:\d+/,
      ),
    ]);
    const [geo, customers] = [organisation.pod("geo/geo-location"), organisation.pod("shop/cust-record")];
    expect(await wrongPaths([{ from: geo, to: customers, port: 8443, is: "closed" }])).toEqual([]);

    expect((await accept(opens)).accepted).toBe(true);
    await firebreak.converged(opens);
    const entry = (await firebreak.log()).find((found) => found.type === "revision.accepted" && found.commit === opens);
    expect(JSON.stringify(entry)).toContain("GUARDRAIL_VIOLATED");
    const finding = await firebreak.finding("guardrail-violated", { target: CLUSTER, subject: "guardrail customers/never/0" });
    expect([finding.severity, finding.effect.opened.join()]).toEqual(["critical", expect.stringContaining("shop/cust-record")]);
    await isAnswered("allowed", "let them in");

    const closes = await organisation.edit("policies/order-flow.yaml", (text) => text.replace(extra, ""), "as it was");
    await firebreak.converged(closes);
    await firebreak.resolved(finding.fingerprint);
    await isAnswered("denied", undefined);
    const { basis, diff } = await (await firebreak.api()).get<DiffAnswer>(API.diff, { before: opens, after: closes });
    expect([basis, diff.kind, diff.closed.map(({ from, to, ports }) => `${from} → ${to}: ${ports}`)]).toEqual([
      "live",
      "closes",
      ["geo-location → cust-record: 8443/tcp"],
    ]);
  });

  /** The same question to every part of the API that answers questions about connections. */
  async function isAnswered(verdict: "allowed" | "denied", by: string | undefined): Promise<void> {
    const api = await firebreak.api();
    const answer = await api.get<ExplainAnswer>(API.explain, { from: "geo-location", to: "cust-record", port: "8443" });
    expect(answer).toMatchObject({ verdict, basis: "live", live: { verdict, agrees: true } });
    if (by !== undefined) expect(answer.lines.map(({ blame }) => blame?.subject)).toContain(by);
    if (verdict === "denied") expect(answer.edit?.what).toMatch(/^adds a rule to the policy order-flow/);

    const report = await api.get<TestReport>(API.test);
    const outcome = report.guardrails.find(({ id }) => id === "customers/never/0")?.outcome;
    expect([report.basis, outcome]).toEqual(["live", verdict === "allowed" ? "violated" : "passed"]);

    for (const query of [{}, { live: "true" }] as const) {
      const { classes, connections } = await api.get<ReachAnswer>(API.reach, query);
      const idOf = (name: string) => classes.find(({ members }) => members.some((member) => member.includes(name)))?.id;
      const found = connections.filter(({ src, dst }) => src === idOf("geo/geo-location") && dst === idOf("shop/cust-record"));
      expect(found.map(({ conn }) => conn)).toEqual(verdict === "allowed" ? ["TCP 8443"] : []);
    }
    const { diff } = await api.get<DiffAnswer>(API.diff, { live: "true" });
    expect([diff.opened, diff.closed]).toEqual([[], []]);
  }

  it("that a relabelled pod breaks is a finding, without any commit, until the label is gone", async () => {
    const { eu } = organisation;
    const label = async (trust: string | null) =>
      await eu.api.call("PATCH", "/api/v1/namespaces/shop/pods/order-input", { metadata: { labels: { trust } } });
    const { revision } = await firebreak.status();
    await label("low");
    const finding = await firebreak.finding("guardrail-violated", { target: CLUSTER, subject: "guardrail customers/never/0" });
    expect([finding.severity, finding.summary]).toEqual(["critical", expect.stringContaining("shop/order-input")]);
    await label(null);
    await firebreak.resolved(finding.fingerprint);
    expect((await firebreak.status()).revision).toEqual(revision);
    await firebreak.converged(await organisation.remove(["guardrails/customers.yaml"], "no guard"));
  });
});

describe("a target", () => {
  it("that Git names no more stays enforced and healed; `release` tells what it opens, and only then removes", async () => {
    const host = organisation.host("ldap-red-2");
    const before = await tableOf(host);
    await firebreak.converged(
      await organisation.edit("targets/hosts.yaml", (text) => text.replace(/^.*name: ldap-red-2.*\n/m, ""), "red 2 is gone"),
    );
    await firebreak.finding("orphaned", { target: RED_2 });
    expect((await firebreak.target(RED_2)).state).toBe("orphaned");
    expect(await tableOf(host)).toBe(before);
    const since = Date.now();
    await host.exec("nft insert rule inet firebreak input tcp dport 8080 accept");
    await isHealed(firebreak, await firebreak.finding("ruleset-changed", { target: RED_2, since, all: true }));

    const told = await release(RED_2, false);
    expect([told.done, told.effect.verdict, told.removes]).toEqual([false, "opens", ["table inet firebreak"]]);
    expect(await tableOf(host)).not.toBe("");
    expect((await release(RED_2, true)).done).toBe(true);
    expect(await tableOf(host)).toBe("");
    expect((await firebreak.status()).targets.map(({ target }) => target)).not.toContain(RED_2);
    await becomes("open", organisation.pod("credit/credit-check"), host, 8080);
  });

  it("that Git still names is not released", async () => {
    await expect(release(RED_1, false)).rejects.toMatchObject({ code: "USAGE" });
  });

  it("under a new name takes over what the old one had", async () => {
    const host = organisation.host("ldap-blue-2");
    // A test of a policy names the host, and a name that is gone is an error.
    const test = /^.*to: directory\/ldap-blue-2,.*\n/m;
    await organisation.edit("policies/directory.yaml", (text) => text.replace(test, ""), "its test goes first");
    appendFileSync(join(firebreak.stateFolder, "known_hosts"), `host/directory/ldap-blue-9 ${host.hostKey}\n`);
    await firebreak.converged(
      await organisation.edit("targets/hosts.yaml", (text) => text.replace("ldap-blue-2", "ldap-blue-9"), "renamed"),
    );
    const isForgotten = async (): Promise<boolean> => !(await firebreak.status()).targets.some(({ target }) => target === BLUE_2);
    await waitFor(isForgotten, { what: "the old name is forgotten", timeoutMs: 60_000, everyMs: 100 });
    await becomes("closed", organisation.pod("shop/order-input"), host, 8080);
    await becomes("open", organisation.pod("credit/credit-check"), host, 636);
  });
});

describe("a repository that was emptied", () => {
  it("is refused; accepted, it leaves everything enforced as orphans", async () => {
    const [key, deny] = await defaultDeny(organisation);
    const commit = await organisation.world.git.deleteFiles(Object.keys(organisation.files()), "all gone");
    expect((await refused(commit)).code).toBe("REVISION_EMPTIES");
    expect((await accept(commit)).accepted).toBe(true);
    const areOrphans = async (): Promise<boolean> => {
      const { targets, revision } = await firebreak.status();
      return revision?.commit === commit && targets.length > 0 && targets.every(({ state }) => state === "orphaned");
    };
    await waitFor(areOrphans, { what: "every target is an orphan", timeoutMs: 60_000, everyMs: 100 });
    expect((await policiesOf(organisation.eu)).get(key)?.spec).toEqual(deny.spec);
    await becomes("closed", organisation.pod("geo/geo-location"), organisation.pod("shop/cust-record"), 8443);
    await becomes("closed", organisation.pod("shop/order-input"), organisation.host("ldap-blue-1"), 8080);

    const back = await organisation.world.git.pushFiles(organisation.files(), "back again");
    await firebreak.converged(back);
    expect(await firebreak.verifyLog()).toBe("verified");
  });
});
