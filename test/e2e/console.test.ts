/** Who may speak to the running service, and how it is told of a push. Needs root, git, nftables and openssh; no clusters. */
import { createHmac } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { API } from "../../core/api/shapes.ts";
import { tryCommand } from "../../testbed/command.ts";
import { waitFor } from "../../testbed/wait.ts";
import { runCli } from "../cli/run-cli.ts";
import { startFirebreak, type Firebreak } from "../support/e2e-firebreak.ts";
import { openOrganisation, type Organisation } from "../support/e2e-organisation.ts";
import { becomes } from "../support/e2e-packets.ts";

const SECRET = "the secret of the push";
const READ_TOKEN = "the token of a workflow";

let rotated: string;
let organisation: Organisation;
let firebreak: Firebreak;

beforeAll(async () => {
  organisation = await openOrganisation({ clusters: [] });
  const { url, username, token } = organisation.world.git;
  const repository = {
    url,
    username,
    token: "env:E2E_GIT_TOKEN",
    path: "policies",
    poll: "1h",
    webhookSecret: "env:E2E_WEBHOOK_SECRET",
  };
  const environment = { E2E_GIT_TOKEN: token, E2E_WEBHOOK_SECRET: SECRET };
  // A file, so that it can be rotated.
  rotated = join(organisation.world.run.makeFolder("secrets"), "read.token");
  writeFileSync(rotated, READ_TOKEN, { mode: 0o600 });
  const api = { readToken: `file:${rotated}` };
  firebreak = await startFirebreak(organisation, { settings: { repository, api }, environment });
}, 120_000);

afterAll(async () => {
  await firebreak?.stop();
  await organisation?.[Symbol.asyncDispose]();
}, 60_000);

async function ask(path: string, headers: Readonly<Record<string, string>> = {}, body?: string) {
  const method = body === undefined ? "GET" : "POST";
  const response = await request(`http://${firebreak.settings.listen}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.statusCode, text: await response.body.text() };
}

function push(signedWith: string) {
  const body = JSON.stringify({ ref: "refs/heads/main" });
  const signature = `sha256=${createHmac("sha256", signedWith).update(body).digest("hex")}`;
  return ask(
    "/webhook/git",
    { "content-type": "application/json", "x-github-event": "push", "x-hub-signature-256": signature },
    body,
  );
}

describe("the webhook", () => {
  it("refuses a push that is not signed with our secret, and reads no branch for it", async () => {
    const before = (await firebreak.status()).repository.fetchedAt;
    expect((await push("another secret")).status).toBe(401);
    expect((await ask("/webhook/git", { "content-type": "application/json" }, "{}")).status).toBe(401);
    expect((await firebreak.status()).repository.fetchedAt).toBe(before);
  });

  it("makes a push count at once, although the branch is polled once an hour", async () => {
    const [blue, red] = [organisation.host("ldap-blue-1"), organisation.host("ldap-red-1")];
    await becomes("closed", blue, red, 636);
    const commit = await organisation.edit(
      "policies/directory.yaml",
      (text) => text.replace("from: [ldap-clients-red]", "from: [ldap-clients-red, ldap-servers-blue]"),
      "blue may ask red",
    );
    expect((await push(SECRET)).status).toBe(202);
    await firebreak.converged(commit);
    await becomes("open", blue, red, 636);
  });
});

describe("the API", () => {
  it("answers nobody without the token, also on loopback, and logs that somebody tried", async () => {
    expect((await ask(API.status)).status).toBe(401);
    expect((await ask(API.status, { authorization: "Bearer guess" })).status).toBe(401);
    expect((await ask(API.reconcile, { "content-type": "application/json" }, "{}")).status).toBe(401);
    const isLogged = async (): Promise<boolean> => (await firebreak.log()).some(({ type }) => type === "auth.denied");
    await waitFor(isLogged, { what: "the log tells of it" });
  });

  it("lets the token of a workflow read and wait for a commit from elsewhere, and change nothing", async () => {
    const headers = { authorization: `Bearer ${READ_TOKEN}`, "content-type": "application/json" };
    expect((await ask(API.reconcile, headers, "{}")).status).toBe(403);
    expect((await ask(API.release, headers, "{}")).status).toBe(403);
    expect((await ask("/metrics", headers)).status).toBe(200);
    const env = { FIREBREAK_SERVICE_URL: `http://${firebreak.settings.listen}/`, FIREBREAK_SERVICE_TOKEN: READ_TOKEN };
    const { revision } = await firebreak.status();
    const waited = await runCli(["status", "--wait", revision?.commit ?? "", "-o", "json"], { cwd: "/", env });
    expect(waited).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(waited.stdout)).toMatchObject({ revision: { commit: revision?.commit } });
    const refused = await runCli(["reconcile"], { cwd: "/", env });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("may only read") as string });
  });

  it("takes a token that was rotated at once, and the old one no more (the bug: the console is restarted for it)", async () => {
    const asking = async (token: string) => (await ask(API.status, { authorization: `Bearer ${token}` })).status;
    writeFileSync(rotated, "another one");
    try {
      expect([await asking(READ_TOKEN), await asking("another one")]).toEqual([401, 200]);
    } finally {
      writeFileSync(rotated, READ_TOKEN);
    }
    expect([await asking(READ_TOKEN), await asking("another one")]).toEqual([200, 401]);
  });

  it("answers no page that resolves its own name to our address", async () => {
    const token = readFileSync(join(firebreak.settings.stateFolder, "api.token"), "utf8").trim();
    const headers = { authorization: `Bearer ${token}`, host: "firebreak.attacker.test" };
    expect((await ask(API.status, headers)).status).toBe(421);
    expect((await ask("/livez", { host: "firebreak.attacker.test" })).status).toBe(421);
    expect((await ask("/livez")).text).toBe("ok\n");
    // A machine that is busy right now makes a disk slow for a moment: then it is not ready, and says so.
    await waitFor(async () => (await ask("/readyz")).status === 200, { what: "it is ready for whoever asks by its address" });
  });
});

describe("a second process on the same state folder", () => {
  it("is refused, and the first goes on", async () => {
    const argv = [process.execPath, join(import.meta.dirname, "../../cli/firebreak.ts"), "up", "--config", firebreak.settingsFile];
    const env = { E2E_GIT_TOKEN: organisation.world.git.token, E2E_WEBHOOK_SECRET: SECRET };
    const { code, stderr } = await tryCommand(argv, { env, timeoutMs: 60_000 });
    expect([code, stderr]).toEqual([1, expect.stringContaining("STATE_LOCKED")]);
    expect((await firebreak.status()).targets.length).toBe(4);
  });
});
