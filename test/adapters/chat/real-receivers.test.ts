/** Alertmanager and SMTP as they really are. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SMTPServer } from "smtp-server";
import { openAlertmanager } from "../../../adapters/chat/alertmanager.ts";
import { openEmail } from "../../../adapters/chat/email.ts";
import { noticeKey } from "../../../core/notify/notice.ts";
import { startAlertmanager } from "../../../testbed/alertmanager.ts";
import type { TestAlertmanager } from "../../../testbed/alertmanager.ts";
import { freePort } from "../../../testbed/ports.ts";
import { openRun } from "../../../testbed/run.ts";
import type { Run } from "../../../testbed/run.ts";
import { waitFor } from "../../../testbed/wait.ts";
import { incident } from "../../support/incidents.ts";
import { notice } from "../../support/notices.ts";

const FIRST = { ref: undefined, attempt: 1 };
const { signal } = new AbortController();

describe("Alertmanager", () => {
  let run: Run;
  let alertmanager: TestAlertmanager;
  beforeAll(async () => {
    run = openRun();
    alertmanager = await startAlertmanager({ run });
  });
  afterAll(async () => {
    await alertmanager?.[Symbol.asyncDispose]();
    await run?.[Symbol.asyncDispose]();
  });

  it("fires once however often it is told and how grave it becomes, and ends (the bug: an alert per retry, or one that stays)", async () => {
    const channel = openAlertmanager({ url: alertmanager.url });
    const two = [incident({ fingerprint: "aaaa" }), incident({ fingerprint: "bbbb", target: "cluster/shop-us" })];
    await channel.send(notice({}, two), FIRST, signal);
    await channel.send(notice({}, two), { ref: undefined, attempt: 2 }, signal);
    await channel.send(
      notice({ version: 2, as: "edit" }, [incident({ fingerprint: "aaaa", summary: "worse" }), two[1]!]),
      FIRST,
      signal,
    );
    const alerts = await alertmanager.alerts();
    expect(alerts.map(({ labels }) => labels["fingerprint"] ?? "").toSorted((a, b) => a.localeCompare(b))).toEqual([
      "aaaa",
      "bbbb",
    ]);
    expect(alerts.map(({ annotations }) => annotations["summary"])).toContain("worse");
    const graver = [incident({ fingerprint: "aaaa", severity: "low" }), two[1]!];
    const ref = JSON.stringify({ aaaa: "critical", bbbb: "critical" });
    const after = await channel.send(notice({ version: 3, as: "edit" }, graver), { ref, attempt: 1 }, signal);
    expect(JSON.parse(after ?? "")).toEqual({ aaaa: "low", bbbb: "critical" });
    const severities = async () =>
      (await alertmanager.alerts())
        .filter(({ labels }) => labels["fingerprint"] === "aaaa")
        .map(({ labels }) => labels["severity"]);
    await waitFor(async () => (await severities()).join() === "low", { what: "the graver alert is over", timeoutMs: 20_000 });
    const over = await channel.send(notice({ version: 4, as: "resolved" }, graver), { ref: after, attempt: 1 }, signal);
    expect(over).toBe("{}");
    await waitFor(async () => (await alertmanager.alerts()).length === 0, { what: "the alerts are over", timeoutMs: 20_000 });
  });
});

describe("mail", () => {
  interface Mail {
    readonly to: readonly string[];
    readonly text: string;
  }
  const mails: Mail[] = [];
  let server: SMTPServer;
  let port: number;
  let refuses: number | undefined;

  beforeAll(async () => {
    port = await freePort();
    server = new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS"],
      onAuth: (_auth, _session, done) => done(new Error("no such user")),
      onRcptTo: (_address, _session, done) => done(refuses ? Object.assign(new Error("refused"), { responseCode: refuses }) : null),
      onData(stream, session, done) {
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () => {
          mails.push({ to: session.envelope.rcptTo.map(({ address }) => address), text: Buffer.concat(chunks).toString("utf8") });
          done();
        });
      },
    });
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  });
  afterAll(async () => {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  function header(mail: Mail | undefined, name: string): string | undefined {
    return new RegExp(`^${name}: (.*)$`, "mi").exec(mail?.text.split("\r\n\r\n")[0] ?? "")?.[1];
  }

  it("is one thread from the first message to the end", async () => {
    refuses = undefined;
    const channel = openEmail({
      smtp: `smtp://127.0.0.1:${port}`,
      from: "firebreak@example.test",
      to: ["a@example.test", "b@example.test"],
    });
    const ref = await channel.send(notice(), FIRST, signal);
    await channel.send(notice({ version: 2, as: "resolved" }), { ref, attempt: 1 }, signal);
    const [first, second] = mails;
    expect(first?.to).toEqual(["a@example.test", "b@example.test"]);
    expect(header(first, "Subject")).toContain("firebreak=5D_cluster/shop-eu"); // in quoted-printable, for the arrow in it
    expect(header(first, "Message-ID")).toBe(`<${noticeKey(notice())}@example.test>`);
    expect(header(second, "In-Reply-To")).toBe(header(first, "Message-ID"));
    expect(header(second, "Message-ID")).toBe(`<${noticeKey(notice({ version: 2 }))}@example.test>`);
  });

  it("a full mailbox is tried again, an unknown one and a wrong password are for a person", async () => {
    refuses = 452;
    const mail = { from: "firebreak@example.test", to: ["a@example.test"] };
    const full = openEmail({ smtp: `smtp://127.0.0.1:${port}`, ...mail });
    await expect(full.send(notice(), FIRST, signal)).rejects.toMatchObject({ code: "CHANNEL_FAILED" });
    refuses = 550;
    await expect(full.send(notice(), FIRST, signal)).rejects.toMatchObject({ code: "CHANNEL_REFUSED" });
    refuses = undefined;
    const denied = openEmail({ smtp: `smtp://user:wrong@127.0.0.1:${port}`, ...mail });
    await expect(denied.send(notice(), FIRST, signal)).rejects.toMatchObject({ code: "AUTH_DENIED" });
  });
});
