/**
 * The whole story on real parts: a pull request says what it opens, a guardrail stops a bad one, an approval and a merge bring the good one
 * into force, somebody writes to a cluster behind Git's back, people hear of it where they look, a pull request asks whether Git should say
 * so, and its merge closes everything. Needs root, a cluster with packets and a forge.
 */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Account, HostedPull, HostedRepository } from "../../testbed/forge-repository.ts";
import { waitFor } from "../../testbed/wait.ts";
import { startFirebreak, type Firebreak } from "../support/e2e-firebreak.ts";
import { openOrganisation, policiesOf, policyPath, type Organisation } from "../support/e2e-organisation.ts";
import { becomes } from "../support/e2e-packets.ts";
import { startReceiver, type Receiver } from "../support/http-receiver.ts";

const CLUSTER = "cluster/shop-eu";
const WEBHOOK_SECRET = randomBytes(24).toString("hex");
const PATIENCE = { timeoutMs: 90_000, everyMs: 200 } as const;

let organisation: Organisation;
let hosted: HostedRepository;
let firebreak: Firebreak;
let receiver: Receiver;
let author: Account;
let reviewer: Account;

beforeAll(async () => {
  organisation = await openOrganisation({ clusters: ["shop-eu"], forge: true });
  const { world } = organisation;
  hosted = world.hosted;
  [author, reviewer] = [await hosted.addAccount("ada"), await hosted.addAccount("rik")];
  const bot = await hosted.addAccount("firebreak-bot", "admin");
  receiver = await startReceiver();
  const routes = "routes: [{match: {severity: [critical, high]}, groupWait: 1s, groupInterval: 1s}]";
  const approvals = "approvals: {required: 1}";
  await organisation.edit(
    "workspace.yaml",
    (text) => text.replace("[alert, heal]", `[alert, heal, issue, propose]\n  ${approvals}\n  ${routes}`),
    "one approval; told at once",
  );
  const folder = world.run.makeFolder("secrets");
  const secret = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return `file:${join(folder, name)}`;
  };
  firebreak = await startFirebreak(organisation, {
    settings: {
      repository: { webhookSecret: secret("webhook", WEBHOOK_SECRET) },
      forge: {
        kind: "gitea",
        url: world.forge.baseUrl,
        repository: `${hosted.owner}/${hosted.name}`,
        token: secret("forge", bot.token),
      },
      channels: { siem: { webhook: { url: receiver.url } } },
    },
  });
  await hosted.addWebhook(`http://${firebreak.settings.listen}/webhook/git`, WEBHOOK_SECRET);
}, 300_000);

afterAll(async () => {
  await firebreak?.stop();
  await receiver?.[Symbol.asyncDispose]();
  await organisation?.[Symbol.asyncDispose]();
}, 60_000);

/** Somebody changes a definition on a branch of their own and opens a pull request. */
async function proposes(branch: string, title: string, path: string, change: (text: string) => string): Promise<HostedPull> {
  const text = change(organisation.text(path));
  await hosted.pushFiles({ [`policies/${path}`]: text }, title, { branch, as: author });
  return await hosted.openPull({ title, branch, as: author });
}

/** Waits until our comment on a pull request says all of this, and returns it; there is one of ours. */
async function told(pull: number, ...words: readonly (string | RegExp)[]): Promise<string> {
  const ours = async (): Promise<readonly string[]> =>
    (await hosted.comments(pull)).filter(({ user }) => user.login === "firebreak-bot").map(({ body }) => body);
  const says = async (): Promise<string | undefined> =>
    (await ours()).find((body) => words.every((word) => (typeof word === "string" ? body.includes(word) : word.test(body))));
  const body = await waitFor(says, { what: `the comment on pull request ${pull} says ${words.join(", ")}`, ...PATIENCE }).catch(
    async (cause: unknown) => {
      const said = (await hosted.comments(pull)).map(({ user, body: text }) => `${user.login}: ${text}`);
      throw new Error(`${said.join("\n")}\n${firebreak.output().slice(-6_000)}`, { cause });
    },
  );
  expect((await ours()).length).toBe(1);
  return body;
}

async function checkOf(commit: string): Promise<string> {
  const { forge } = organisation.world;
  const { statuses } = (await forge.call("GET", `${hosted.api}/commits/${commit}/status`)) as {
    readonly statuses: readonly { readonly context: string; readonly status: string }[] | null;
  };
  return statuses?.find(({ context }) => context === "firebreak")?.status ?? "none";
}

async function checkBecomes(state: string, commit: string): Promise<void> {
  await waitFor(async () => (await checkOf(commit)) === state, {
    what: `the check of ${commit.slice(0, 10)} is ${state}`,
    ...PATIENCE,
  });
}

interface Issue {
  readonly number: number;
  readonly state: "open" | "closed";
  readonly body: string;
}

async function issues(): Promise<readonly Issue[]> {
  return (await organisation.world.forge.call("GET", `${hosted.api}/issues?state=all&type=issues`)) as readonly Issue[];
}

describe("the loop", { timeout: 240_000 }, () => {
  const rule = "    - {from: [order-input], to: [cust-record], ports: [8443/tcp]}\n";
  const extra = "    - {from: [geo-location], to: [cust-record], ports: [8443/tcp]}\n";

  it("a pull request says what it opens, a guardrail stops a bad one, an approval and a merge bring it into force", async () => {
    const [geo, customers] = [organisation.pod("geo/geo-location"), organisation.pod("shop/cust-record")];
    const bad = await proposes("dev-access", "Developers look at customers", "policies/order-flow.yaml", (text) =>
      text.replace(rule, `${rule}    - {from: [dev], to: [cust-record], ports: [8443/tcp]}\n`),
    );
    await told(bad.number, "production", /never dev/);
    await checkBecomes("failure", bad.head.sha);

    const good = await proposes("geo-customers", "Locations read customers", "policies/order-flow.yaml", (text) =>
      text.replace(rule, extra + rule),
    );
    await told(good.number, /opens .*geo-location.*cust-record.*8443/i);
    await becomes("closed", geo, customers, 8443);
    await hosted.approve(good.number, reviewer);
    await checkBecomes("success", good.head.sha);
    const merged = await hosted.merge(good.number, reviewer);
    await firebreak.converged(merged);
    await becomes("open", geo, customers, 8443);
  });

  it("a change behind Git's back is healed, told once everywhere, and becomes a question; its answer closes everything", async () => {
    const { eu } = organisation;
    const [geo, customers] = [organisation.pod("geo/geo-location"), organisation.pod("shop/cust-record")];
    const key = [...(await policiesOf(eu)).keys()].find((name) => name.startsWith("shop/fb-cust-record-i-")) ?? "";
    const live = (await policiesOf(eu)).get(key);
    const peer = {
      podSelector: { matchLabels: { app: "geoLocation" } },
      namespaceSelector: { matchLabels: { team: "geo" } },
    };
    const ingress = [...(live?.spec.ingress ?? []), { from: [peer], ports: [{ protocol: "TCP", port: 8080 }] }];
    const since = Date.now();
    await eu.api.call("PATCH", `${policyPath(key)}?fieldManager=kubectl-edit`, { spec: { ingress } });
    const finding = await firebreak.finding("modified", { target: CLUSTER, since, all: true });
    await firebreak.resolved(finding.fingerprint);
    await becomes("closed", geo, customers, 8080);

    const issue = async (): Promise<Issue | undefined> => (await issues()).find(({ body }) => body.includes(finding.fingerprint));
    await waitFor(async () => (await issue()) !== undefined, { what: "there is an issue", ...PATIENCE });
    const heard = (type: string): boolean =>
      receiver.received.some(({ body }) => body.includes(finding.fingerprint) && body.includes(type));
    await waitFor(() => heard("incident."), { what: "the webhook heard of it", ...PATIENCE });

    const asks = async (): Promise<HostedPull | undefined> =>
      (await hosted.pulls()).find(({ head }) => head.ref.startsWith("firebreak/adopt-"));
    const question = await waitFor(asks, { what: "a pull request asks", ...PATIENCE });
    expect(question.title).toMatch(/geo-location.*cust-record.*8080/);
    const said = await told(question.number, /opens .*8080/i);
    const plan = /firebreak approve ([0-9a-f]{12})/.exec(said)?.[1] ?? "";
    await hosted.comment(question.number, `/firebreak approve ${plan}`, reviewer);
    await told(question.number, /approved/);
    await hosted.markReady(question, reviewer);
    const merged = await hosted.merge(question.number, reviewer);
    await firebreak.converged(merged);
    await becomes("open", geo, customers, 8080);
    await waitFor(async () => (await issue())?.state === "closed", { what: "the issue is closed", ...PATIENCE });
    await waitFor(() => heard("incident.resolved"), { what: "the webhook heard that it is over", ...PATIENCE });
    expect(await firebreak.findings()).toEqual([]);
    expect((await hosted.pulls()).filter(({ head }) => head.ref.startsWith("firebreak/adopt-")).length).toBe(1);
    expect((await issues()).length).toBe(1);
  });

  it("stands in the log, step by step, and the log verifies", async () => {
    const entries = await firebreak.log();
    const accepted = entries.filter(({ type }) => type === "revision.accepted").slice(-2);
    for (const entry of accepted) expect(JSON.stringify(entry)).toContain("rik");
    const types = new Set(entries.map(({ type }) => type));
    for (const type of ["plan.reviewed", "plan.approved", "revision.accepted", "proposal.opened", "alert.sent"])
      expect(types).toContain(type);
    expect(await firebreak.verifyLog()).toBe("verified");
  });
});
