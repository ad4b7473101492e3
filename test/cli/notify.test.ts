/** `firebreak notify`: what would be sent is what is sent, and no secret is shown. */
import { expect, test } from "vitest";
import { API } from "../../core/api/shapes.ts";
import { expectGolden } from "../support/golden.ts";
import { startReceiver } from "../support/http-receiver.ts";
import { FakeService } from "./fake-service.ts";
import { runCli, scratchFolder, transcript, type CliResult } from "./run-cli.ts";

const SECRET = "c2VjcmV0IG9mIHRoZSB0ZXN0LCB0aGlydHktdHdvIGJ5dGVz";

function settings(url: string): string {
  return `repository: {url: "http://git.invalid/p.git"}
channels:
  security: {slackBot: {token: env:SLACK, channel: C0123456789, url: "${url}/api/"}}
  announce: {slack: {webhook: env:HOOK}}
  oncall: {alertmanager: {url: "${url}"}}
  siem: {webhook: {url: "${url}/siem", secret: env:SIEM}}
  teams: {webhook: {urlFrom: env:HOOK, template: teams}}
  mail: {email: {smtp: env:SMTP, from: firebreak@example.com, to: [netsec@example.com]}}
forge: {kind: github, url: "https://api.github.com", repository: acme/policies, token: env:FORGE}
`;
}

const env = {
  SLACK: "xoxb-s3cret",
  HOOK: "https://hooks.example.com/services/s3cret",
  SIEM: SECRET,
  SMTP: "smtp://user:s3cret@127.0.0.1:9",
  FORGE: "ghp_s3cret",
};

/** What the moment gives: times, keys made of them. */
function calm(result: CliResult): CliResult {
  const plain = (text: string) =>
    text
      .replaceAll(/(0{16}-1-)[0-9a-z]+/g, "$1TIME")
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "2026-11-21T10:00:00.000Z")
      .replaceAll(/127\.0\.0\.1:\d+\//g, "127.0.0.1/");
  return { ...result, stdout: plain(result.stdout), stderr: plain(result.stderr) };
}

// Bug: a preview that shows a token, a secret URL or a password; one that differs in kind from what is sent.
test.each(["security", "announce", "oncall", "siem", "teams", "mail", "forge/issues"])(
  "notify test %s shows what would be sent",
  async (name) => {
    await using scratch = await scratchFolder({ "firebreak.yaml": settings("http://127.0.0.1:9") });
    const result = await runCli(["notify", "test", name, "-c", scratch.file("firebreak.yaml")], { env });
    const shown = transcript(["notify", "test", name], calm(result));
    expect(shown).not.toMatch(/s3cret|c2VjcmV0/);
    expectGolden(`cli/notify-test-${name.replace("/", "-")}.txt`, shown);
  },
);

// Bug: something is sent without being told to, or what is sent is not what was shown.
test("notify test --send sends exactly that, once; without it nothing", async () => {
  await using receiver = await startReceiver();
  receiver.answer = () => ({ status: 200, body: JSON.stringify({ ok: true, ts: "1.0" }) });
  await using scratch = await scratchFolder({ "firebreak.yaml": settings(receiver.url) });
  const call = async (name: string, ...more: readonly string[]) =>
    await runCli(["notify", "test", name, "-c", scratch.file("firebreak.yaml"), "-o", "json", ...more], { env });
  for (const name of ["security", "oncall", "siem"]) {
    expect(JSON.parse((await call(name)).stdout)).toMatchObject({ channel: name, sent: false });
    expect(receiver.received).toEqual([]);
    const { code, stdout } = await call(name, "--send");
    expect(code).toBe(0);
    const shown = JSON.parse(stdout) as { readonly headers: Record<string, string>; readonly body: string; readonly sent: boolean };
    expect(shown.sent).toBe(true);
    const [sent, ...others] = receiver.received.splice(0);
    expect(others).toEqual([]);
    expect(JSON.parse(sent?.body ?? "")).toEqual(JSON.parse(shown.body));
    for (const [header, value] of Object.entries(shown.headers))
      if (!value.includes("…")) expect(sent?.headers[header]).toBe(value);
      else expect(sent?.headers[header]).toBeTruthy();
  }
});

// Bug: exit 0 although nobody took it; or a message that does not say why.
test("notify test --send tells why a channel did not take it", async () => {
  await using receiver = await startReceiver();
  receiver.answer = () => ({ status: 404 });
  await using scratch = await scratchFolder({ "firebreak.yaml": settings(receiver.url) });
  const { code, stdout, stderr } = await runCli(["notify", "test", "siem", "--send", "-c", scratch.file("firebreak.yaml")], {
    env,
  });
  expect(code).toBe(1);
  expect(stdout).toMatch(/\nnot sent\n$/);
  expect(stderr).toContain("error CHANNEL_REFUSED: send an alert to the webhook\n  because HTTP 404");
});

// Bug: a typing mistake that leaves one guessing, or asks for secrets of other channels.
test("notify test of a channel that is not there names those that are", async () => {
  await using scratch = await scratchFolder({ "firebreak.yaml": settings("http://127.0.0.1:9") });
  const args = ["notify", "test", "securty", "-c", scratch.file("firebreak.yaml")];
  expectGolden("cli/notify-test-unknown.txt", transcript(["notify", "test", "securty"], await runCli(args)));
});

// Bug: one missing secret stops the test of every other channel.
test("notify test needs only the secrets of the channel it tests", async () => {
  await using scratch = await scratchFolder({ "firebreak.yaml": settings("http://127.0.0.1:9") });
  const call = async (name: string) => await runCli(["notify", "test", name, "-c", scratch.file("firebreak.yaml")]);
  expect((await call("oncall")).code).toBe(0);
  const { code, stderr } = await call("security");
  expect(code).toBe(1);
  expect(stderr).toContain("CONFIG_INVALID: the environment variable SLACK is not set");
});

// Bug: a retry that does not say how much it set going.
test("notify retry asks the service", async () => {
  await using service = await FakeService.start(({ path }) => (path === API.notifyRetry ? { body: { revived: 2 } } : undefined));
  const { code, stdout } = await runCli(["notify", "retry", "security", ...service.config]);
  expect([code, stdout]).toEqual([0, "2 groups of findings will be told now; `firebreak status` shows what comes of it\n"]);
  expect(service.requests).toMatchObject([{ method: "POST", path: API.notifyRetry, body: { channel: "security" } }]);
});
