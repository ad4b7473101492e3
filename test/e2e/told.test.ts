/** Where people hear of a finding: an issue on a real forge, and a signed webhook. Needs root and the real parts, as the main job. */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startForge, type Forge } from "../../testbed/forge.ts";
import { waitFor } from "../../testbed/wait.ts";
import { startFirebreak, type Firebreak } from "../support/e2e-firebreak.ts";
import { openOrganisation, type Organisation } from "../support/e2e-organisation.ts";

const HOST = "host/directory/ldap-blue-1";
const SECRET = randomBytes(32).toString("base64");

interface Issue {
  readonly number: number;
  readonly state: "open" | "closed";
  readonly title: string;
  readonly body: string;
}

interface Message {
  readonly type: string;
  readonly data: {
    readonly group: string;
    readonly version: number;
    readonly findings: readonly { readonly fingerprint: string; readonly effect: { readonly opened: readonly string[] } }[];
  };
}

let organisation: Organisation;
let forge: Forge;
let receiver: Server;
let firebreak: Firebreak;
const messages: Message[] = [];

beforeAll(async () => {
  organisation = await openOrganisation({ clusters: [] });
  const { world } = organisation;
  forge = await startForge({ run: world.run });
  const { owner, name } = await forge.createRepo("network");
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      // Verified by somebody else's code: a message that is not signed as the standard says never gets into the list.
      const body = Buffer.concat(chunks).toString();
      messages.push(new Webhook(SECRET).verify(body, request.headers as Record<string, string>) as Message);
      response.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const { port } = receiver.address() as AddressInfo;
  const folder = world.run.makeFolder("secrets");
  const secret = (file: string, text: string): string => {
    writeFileSync(join(folder, file), text, { mode: 0o600 });
    return `file:${join(folder, file)}`;
  };
  // Waits of a second, so that the story is told while we look; the defaults are Alertmanager's.
  const routes = "\n  routes:\n    - match: {severity: [critical, high]}\n      groupWait: 1s\n      groupInterval: 1s\n";
  const change = (text: string): string => text.replace("[alert, heal]", `[alert, heal, issue]${routes}`);
  await organisation.edit("workspace.yaml", change, "issues too, and told at once");
  firebreak = await startFirebreak(organisation, {
    settings: {
      forge: { kind: "gitea", url: forge.baseUrl, repository: `${owner}/${name}`, token: secret("forge", forge.token) },
      channels: { siem: { webhook: { url: `http://127.0.0.1:${port}/hook`, secret: secret("webhook", SECRET) } } },
    },
  });
}, 240_000);

afterAll(async () => {
  await firebreak?.stop();
  receiver?.close();
  await forge?.stop();
  await organisation?.[Symbol.asyncDispose]();
}, 60_000);

async function issues(): Promise<readonly Issue[]> {
  return (await forge.call("GET", "/repos/firebreak/network/issues?state=all&type=issues")) as readonly Issue[];
}

describe("a change behind Git's back", { timeout: 180_000 }, () => {
  it("is one issue and one thread of messages, whatever becomes of it (the bug: an issue per look, or one that never closes)", async () => {
    const host = organisation.host("ldap-blue-1");
    const open = async (): Promise<string> => {
      const since = Date.now();
      await host.exec("nft insert rule inet firebreak input tcp dport 8080 accept");
      const { fingerprint } = await firebreak.finding("ruleset-changed", { target: HOST, since, all: true });
      await firebreak.resolved(fingerprint);
      return fingerprint;
    };
    const fingerprint = await open();
    const closed = async (): Promise<Issue | undefined> => (await issues()).find(({ state }) => state === "closed");
    await waitFor(async () => (await closed()) !== undefined, { what: "the issue is closed", timeoutMs: 60_000, everyMs: 200 });
    const issue = await closed();
    expect(issue?.title).toContain(HOST);
    expect(issue?.body).toContain(fingerprint);
    expect(issue?.body).toContain("`any → this host: 8080/tcp`");

    const told = (): readonly Message[] =>
      messages.filter(({ data }) => data.findings.some((finding) => finding.fingerprint === fingerprint));
    const ended = (): number => told().filter(({ type }) => type === "incident.resolved").length;
    await waitFor(async () => ended() === 1, { what: "the webhook heard that it is over", timeoutMs: 60_000, everyMs: 100 });
    expect(told()[0]?.data.findings[0]?.effect.opened).toEqual(["any → this host: 8080/tcp"]);

    expect(await open()).toBe(fingerprint);
    await waitFor(async () => ended() === 2, { what: "it came back and is over again", timeoutMs: 60_000, everyMs: 100 });
    // One group, so one thread; every telling has a version of its own.
    expect(new Set(told().map(({ data }) => data.group)).size).toBe(1);
    expect(new Set(told().map(({ data }) => data.version)).size).toBe(told().length);
    await waitFor(async () => (await closed()) !== undefined, {
      what: "the issue is closed again",
      timeoutMs: 60_000,
      everyMs: 200,
    });
    expect((await issues()).filter(({ body }) => body.includes(fingerprint)).length).toBe(1);
    expect(await firebreak.verifyLog()).toBe("verified");
  });
});
