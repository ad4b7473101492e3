import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openHost, READBACK_SCRIPT } from "../../../adapters/nftables/index.ts";
import type { HostConnection, OpenHostOptions } from "../../../adapters/nftables/index.ts";
import { planHost } from "../../../core/plan/host.ts";
import type { HostStep } from "../../../core/plan/plan.ts";
import { canonicalRuleset } from "../../../core/render/nft.ts";
import { HostFixture, until } from "../../support/host-fixture.ts";
import { parseListing } from "../../support/nft-kernel.ts";
import { allow, block, blocks, hostWant, ports } from "../../support/host-wants.ts";

const MARK = { instance: "fb-test", sequence: 7, digest: "0123456789abcdef" };
const never = new AbortController().signal;
const limits = { deadManSeconds: 60, signal: never };
const brief = { deadManSeconds: 3, signal: never };

let host: HostFixture;
beforeAll(async () => void (host = await HostFixture.start(1)));
afterAll(() => host[Symbol.asyncDispose]());
beforeEach(() => void host.space.run("nft flush ruleset"));

const opened: HostConnection[] = [];
afterEach(async () => {
  for (const connection of opened.splice(0)) await connection.close();
});

async function open(changes: Partial<OpenHostOptions> = {}): Promise<HostConnection> {
  const options = { target: host.target, transport: host.transport(), access: "apply" as const, signal: never, now: () => 5 };
  const connection = await openHost({ ...options, ...changes });
  opened.push(connection);
  return connection;
}

function wanted(from: string, allowed = "10.1.0.1/32") {
  const peers = allowed === "any" ? ("any" as const) : blocks(allowed);
  const want = hostWant({
    ingress: { mode: "enforce", allows: [allow("web/0", peers, ports("443/tcp"))] },
    lifeline: { from: [block(from)], ports: ports("22/tcp") },
  });
  return { ...want, target: host.target };
}

/** The steps from what is live to a ruleset whose lifeline is as given: 10.213.0.0/16 lets us in, anything else does not. */
async function stepsTo(connection: HostConnection, from = "10.213.0.0/16", allowed?: string): Promise<readonly HostStep[]> {
  const observation = await connection.observe(never);
  return planHost({ want: wanted(from, allowed), mark: MARK, observation, membershipDigest: "m", settled: true }).steps;
}

function firstOf(steps: readonly HostStep[]): HostStep {
  const [step] = steps;
  if (step === undefined) throw new Error("nothing to do");
  return step;
}

/** Files and timers of an apply that are still on the host. */
function leftovers(): readonly string[] {
  const timers = 'for pid in $(ip netns pids "$0"); do tr "\\0" " " <"/proc/$pid/cmdline" | grep firebreak-timer || true; done';
  const run = spawnSync("sh", ["-c", timers, host.space.name], { encoding: "utf8" });
  return [...readdirSync(host.file("tmp")), ...run.stdout.split("\n").filter(Boolean)];
}

describe("observe", () => {
  it("reads everything in one go, with the pinned key as identity", async () => {
    host.space.run("nft add table ip other");
    const seen = await (await open()).observe(never);
    expect(seen).toMatchObject({ kind: "host", target: host.target, completeness: "complete", at: 5, legacyTables: [] });
    expect(seen.identity).toBe(host.publicKey("host_1"));
    expect(seen.addresses).toEqual([host.address]);
    expect(JSON.stringify(seen.ruleset)).toContain('"other"');
  });

  // Bug caught: nft 1.0.6 prints garbage for table flags in JSON, so that a dormant table looks like anything.
  it("knows a dormant table", async () => {
    const connection = await open();
    await connection.apply(firstOf(await stepsTo(connection)), limits);
    host.space.run("nft 'add table inet firebreak { flags dormant; }'");
    const { ruleset } = await connection.observe(never);
    expect(ruleset).toContainEqual({
      table: { family: "inet", name: "firebreak", handle: expect.any(Number), flags: ["dormant"] },
    });
  });

  // Bug caught: nft 1.0.6 ends its JSON at the flags of a table, with status 0; the host counts as away for ever, open.
  it.each([
    ["ours is dormant and empty", "nft flush ruleset; nft 'add table inet firebreak { flags dormant; }'"],
    ["ours is dormant, after our sets and chains", "nft 'add table inet firebreak { flags dormant; }'"],
    [
      "a dormant one of somebody else is in front",
      "nft 'add table ip aa { flags dormant; }'; nft 'add table inet bb { flags dormant; }'",
    ],
  ])("reads the tables one by one when the listing breaks off: %s", async (_, tampering) => {
    const connection = await open();
    await connection.apply(firstOf(await stepsTo(connection)), limits);
    host.space.run(tampering);
    const seen = await connection.observe(never);
    expect(seen.completeness).toBe("complete");
    const reader = await open({ transport: host.transport("readback"), access: "readback" });
    expect((await reader.observe(never)).ruleset).toEqual(seen.ruleset);
    for (const step of await stepsTo(connection)) await connection.apply(step, limits);
    expect(await stepsTo(connection)).toEqual([]);
    expect(canonicalRuleset(parseListing(host.space.run("nft -s -j list table inet firebreak")))?.mark).toEqual(MARK);
  });

  it("gives the same through the forced command of the read-back key", async () => {
    const full = await (await open()).observe(never);
    const readOnly = await (await open({ transport: host.transport("readback"), access: "readback" })).observe(never);
    expect(readOnly).toEqual(full);
  });

  // Bug caught: the drift service's key could run commands on every host.
  it("is all that the read-back key can do", async () => {
    const connection = await open({ transport: host.transport("readback"), access: "apply" });
    await expect(connection.observe(never)).rejects.toMatchObject({ code: "HOST_REFUSED" });
    const reader = await open({ transport: host.transport("readback"), access: "readback" });
    const step = { kind: "final" as const, why: "", transaction: [], generation: 1 };
    await expect(reader.apply(step, limits)).rejects.toMatchObject({ code: "USAGE" });
  });

  // Bug caught: rules that `nft list ruleset` does not show close a host, and nobody can say why.
  it("names the tables of iptables-legacy", async () => {
    await using other = await HostFixture.start(3);
    other.space.run("iptables-legacy -A INPUT -p tcp --dport 443 -j DROP");
    const connection = await open({ target: other.target, transport: other.transport() });
    expect((await connection.observe(never)).legacyTables).toEqual(["filter"]);
  });

  it("is the script that is installed on hosts", () => {
    const file = new URL("../../../adapters/nftables/readback.sh", import.meta.url);
    expect(readFileSync(file, "utf8")).toBe(READBACK_SCRIPT);
  });
});

describe("what may not go near ssh", () => {
  // Bug caught: a host named -oProxyCommand=… runs a command here.
  it.each([
    { address: "-oProxyCommand=touch${IFS}/tmp/fb-owned" },
    { address: "10.0.0.1 -oProxyCommand=x" },
    { address: "a\nb" },
    { address: "" },
    { user: "-oProxyCommand=x" },
    { user: "root@elsewhere" },
    { port: 0 },
    { identityFile: 'x"y' },
  ])("%j is refused before anything runs", async (change) => {
    await expect(open({ transport: { ...host.transport(), ...change } })).rejects.toMatchObject({
      code: expect.stringMatching(/HOST_REFUSED|CONFIG_INVALID/),
    });
    expect(existsSync("/tmp/fb-owned")).toBe(false);
  });

  it("a target id that is an option", async () => {
    await expect(open({ target: "-oProxyCommand=x" })).rejects.toMatchObject({ code: "HOST_REFUSED" });
  });
});

describe("a host that cannot be reached or believed", () => {
  it("is HOST_UNREACHABLE when nobody listens", async () => {
    await host.stopSshd();
    try {
      await expect((await open()).observe(never)).rejects.toMatchObject({ code: "HOST_UNREACHABLE" });
    } finally {
      await host.startSshd("host_1");
    }
  });

  // Bug caught: a silent host holds a worker for ever.
  it("is HOST_UNREACHABLE within the deadline when it is silent", async () => {
    host.space.run("nft 'add table ip dead; add chain ip dead c { type filter hook input priority 0; policy drop; }'");
    const begin = performance.now();
    await expect((await open()).observe(never)).rejects.toMatchObject({ code: "HOST_UNREACHABLE" });
    expect(performance.now() - begin).toBeLessThan(15_000);
  });

  it("ends at once when told to", async () => {
    host.space.run("nft 'add table ip dead; add chain ip dead c { type filter hook input priority 0; policy drop; }'");
    const stop = new AbortController();
    const reading = (await open()).observe(stop.signal);
    setTimeout(() => stop.abort(new Error("shut down")), 100);
    const begin = performance.now();
    await expect(reading).rejects.toThrow("shut down");
    expect(performance.now() - begin).toBeLessThan(2000);
  });

  // Bug caught: a man in the middle is trusted on first use.
  // Bug: a connection that was opened under the old pin is used on for ever, so that a pin is taken away only by a restart.
  it("counts as it is pinned now: the pin is read anew when its file changes, without a restart", async () => {
    const file = host.file("pins");
    const pin = (key: string): void => writeFileSync(file, `${host.target} ${host.publicKey(key)}\n`);
    pin("host_1");
    const connection = await open({ transport: { ...host.transport(), knownHostsFile: file } });
    await connection.observe(never);
    pin("host_2");
    await expect(connection.observe(never)).rejects.toMatchObject({ code: "HOST_KEY_CHANGED" });
    pin("host_1");
    expect((await connection.observe(never)).completeness).toBe("complete");
  });

  it("is HOST_KEY_CHANGED when it shows another key, and HOST_KEY_UNKNOWN when none is pinned", async () => {
    await host.stopSshd();
    await host.startSshd("host_2");
    try {
      await expect((await open()).observe(never)).rejects.toMatchObject({ code: "HOST_KEY_CHANGED" });
    } finally {
      await host.stopSshd();
      await host.startSshd("host_1");
    }
    writeFileSync(host.file("nobody"), "");
    const transport = { ...host.transport(), knownHostsFile: host.file("nobody") };
    await expect((await open({ transport })).observe(never)).rejects.toMatchObject({
      code: "HOST_KEY_UNKNOWN",
      message: expect.stringContaining(`no key of the host is pinned; after you have compared`),
    });
  });

  it("is AUTH_DENIED when it does not take our key", async () => {
    const transport = { ...host.transport(), identityFile: host.file("host_2") };
    await expect((await open({ transport })).observe(never)).rejects.toMatchObject({ code: "AUTH_DENIED" });
  });
});

describe("apply", () => {
  it("loads a ruleset, confirms it over a new connection, and leaves nothing behind", async () => {
    const stages: string[] = [];
    const connection = await open({ onStep: (stage) => void stages.push(stage) });
    expect(await connection.apply(firstOf(await stepsTo(connection)), limits)).toEqual({ confirmed: true });
    expect(stages).toEqual(["snapshot", "arm", "load", "confirm", "disarm"]);
    expect(await stepsTo(connection)).toEqual([]);
    expect(leftovers()).toEqual([]);
  });

  // Bug caught: the read-back of an apply is another one than a look at the host, or tells of a timer that is off.
  it("reads back over the connection that confirmed what a look of its own reads", async () => {
    const connection = await open();
    const outcome = await connection.apply(firstOf(await stepsTo(connection)), { ...limits, readBack: true });
    expect(outcome).toEqual({ confirmed: true, seen: await connection.observe(never) });
  });

  // Bug caught: a host is changed although the log did not take the intent, or files wait there for nobody.
  it("changes nothing when it may not load after all, and leaves nothing behind", async () => {
    const connection = await open();
    const mayLoad = () => Promise.reject(new Error("the log is away"));
    await expect(connection.apply(firstOf(await stepsTo(connection)), { ...limits, mayLoad })).rejects.toThrow("the log is away");
    expect(canonicalRuleset(host.space.list())).toBeUndefined();
    await until(() => leftovers().length === 0);
  });

  // Bug caught: a syncer that was paused overwrites what another one applied meanwhile.
  it("is PLAN_STALE, with nothing applied, when the fence has moved on", async () => {
    const connection = await open();
    await connection.apply(firstOf(await stepsTo(connection)), limits);
    const old = firstOf(await stepsTo(connection, undefined, "10.1.0.2/32"));
    await connection.apply(firstOf(await stepsTo(connection, undefined, "any")), limits);
    const before = host.space.list();
    await expect(connection.apply(old, limits)).rejects.toMatchObject({ code: "PLAN_STALE" });
    expect(host.space.list()).toEqual(before);
    expect(leftovers()).toEqual([]);
  });

  it("is PLAN_STALE when a table appeared where none was", async () => {
    const connection = await open();
    const first = firstOf(await stepsTo(connection));
    await connection.apply(first, limits);
    await expect(connection.apply(first, limits)).rejects.toMatchObject({ code: "PLAN_STALE" });
  });

  it("is APPLY_REFUSED, with nothing applied, when the kernel does not take it", async () => {
    const connection = await open();
    const step = firstOf(await stepsTo(connection));
    const broken = {
      ...step,
      transaction: [...step.transaction, { add: { rule: { family: "inet", table: "firebreak", chain: "nowhere", expr: [] } } }],
    };
    await expect(connection.apply(broken, limits)).rejects.toMatchObject({ code: "APPLY_REFUSED" });
    expect(canonicalRuleset(host.space.list())).toBeUndefined();
    expect(leftovers()).toEqual([]);
  });

  // Bug caught: the session that applied says "0" while the host is already lost (measured: it does).
  it("restores what was there when the new ruleset locks us out", async () => {
    const connection = await open();
    await connection.apply(firstOf(await stepsTo(connection)), limits);
    const before = host.space.list().slice(1);
    const lockout = firstOf(await stepsTo(connection, "192.0.2.0/24"));
    expect(await connection.apply(lockout, brief)).toEqual({ confirmed: false, restored: true });
    expect(canonicalRuleset(host.space.list())).toEqual(canonicalRuleset(before));
    expect(leftovers()).toEqual([]);
  });

  it("removes the table again when there was none before", async () => {
    const connection = await open();
    const lockout = firstOf(await stepsTo(connection, "192.0.2.0/24"));
    expect(await connection.apply(lockout, brief)).toEqual({ confirmed: false, restored: true });
    expect(canonicalRuleset(host.space.list())).toBeUndefined();
  });

  // Bug caught: a host so slow that its timer fires before the ruleset arrives takes it with nobody to restore it.
  it("loads nothing once the timer has fired", async () => {
    const slow = async (stage: string) => {
      if (stage === "arm") await until(() => leftovers().length === 0);
    };
    const connection = await open({ onStep: slow });
    const step = firstOf(await stepsTo(connection));
    await expect(connection.apply(step, brief)).rejects.toMatchObject({ code: "APPLY_NOT_CONFIRMED" });
    expect(canonicalRuleset(host.space.list())).toBeUndefined();
  });

  it("works the same without ssh, in the machine itself or a namespace of it", async () => {
    const connection = await open({ transport: { kind: "netns", name: host.space.name } });
    expect(await connection.apply(firstOf(await stepsTo(connection, "10.0.0.0/8")), limits)).toEqual({ confirmed: true });
    expect((await connection.observe(never)).completeness).toBe("complete");
    expect(await stepsTo(connection, "10.0.0.0/8")).toEqual([]);
  });

  // Bug caught: our timer undoes what a later writer did.
  it("never restores over somebody else's later change", async () => {
    const stop = new AbortController();
    const connection = await open({ onStep: (stage) => (stage === "load" ? stop.abort(new Error("killed")) : undefined) });
    await expect(connection.apply(firstOf(await stepsTo(connection)), { deadManSeconds: 15, signal: stop.signal })).rejects.toThrow(
      "killed",
    );
    const other = await open();
    expect(await other.apply(firstOf(await stepsTo(other, undefined, "any")), limits)).toEqual({
      confirmed: true,
    });
    const after = host.space.list();
    await until(() => leftovers().length === 0, 40_000);
    expect(host.space.list()).toEqual(after);
  });
});
