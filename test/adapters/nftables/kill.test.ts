import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openHost } from "../../../adapters/nftables/index.ts";
import type { ApplyStage } from "../../../adapters/nftables/index.ts";
import { planHost } from "../../../core/plan/host.ts";
import { canonicalRuleset } from "../../../core/render/nft.ts";
import { HostFixture, until } from "../../support/host-fixture.ts";
import { allow, block, hostWant, ports } from "../../support/host-wants.ts";
import type { ApplyChildTask } from "./apply-child.ts";

const MARK = { instance: "fb-test", sequence: 7, digest: "0123456789abcdef" };

const never = new AbortController().signal;

let host: HostFixture;
beforeAll(async () => void (host = await HostFixture.start(2)));
afterAll(() => host[Symbol.asyncDispose]());
beforeEach(() => {
  host.space.run("nft flush ruleset");
  rmSync(host.file("tmp"), { recursive: true });
  mkdirSync(host.file("tmp"));
});

function stepTo(port: string, unfinished?: number) {
  const ingress = { mode: "enforce" as const, allows: [allow("web/0", "any" as const, ports(port))] };
  const want = hostWant({ ingress, lifeline: { from: [block("10.213.0.0/16")], ports: ports("22/tcp") } });
  const observation = host.space.observe(host.target);
  const [step] = planHost({ want, mark: MARK, observation, membershipDigest: "", settled: true, unfinished }).steps;
  if (step === undefined) throw new Error("nothing to do");
  return step;
}

/** Applies a step in a process of its own that dies after one stage; resolves with the signal that ended it. */
function applyAndDie(task: ApplyChildTask): Promise<NodeJS.Signals | null> {
  const file = new URL("./apply-child.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [file, JSON.stringify(task)], { stdio: ["ignore", "inherit", "inherit"] });
  return new Promise((resolve) => child.once("exit", (_, signal) => resolve(signal)));
}

describe("a process killed in the middle of an apply", () => {
  const cases: readonly (readonly [ApplyStage, "old" | "new"])[] = [
    ["snapshot", "old"],
    ["arm", "old"],
    ["load", "old"],
    ["confirm", "old"],
    ["disarm", "new"],
  ];

  // Bug caught: a crash leaves a host half written, or locked with nobody to restore it, or with a timer that nobody stops.
  it.each(cases)("right after %s leaves the %s ruleset, and a new process finishes the work", async (dieAt, left) => {
    host.space.load(stepTo("443/tcp").transaction);
    const before = canonicalRuleset(host.space.list());
    const step = stepTo("8443/tcp");
    const deadManSeconds = dieAt === "confirm" || dieAt === "disarm" ? 12 : 4;
    const task = { target: host.target, transport: host.transport(), step, deadManSeconds, dieAt };
    expect(await applyAndDie(task)).toBe("SIGKILL");
    await until(() => readdirSync(host.file("tmp")).length === 0, 40_000);
    expect(canonicalRuleset(host.space.list())?.generation).toBe(left === "old" ? before?.generation : step.generation);
    if (left === "old") expect(canonicalRuleset(host.space.list())).toEqual(before);
    if (left === "old") host.space.load(stepTo("8443/tcp").transaction);
    expect(() => stepTo("8443/tcp")).toThrow("nothing to do");
  });

  // Bug caught: the next process finds everything as wanted and says "applied"; then the dead one's timer restores the old ruleset.
  it.each(cases.map(([dieAt]) => dieAt))("right after %s: what the next process applies at once stays", async (dieAt) => {
    host.space.load(stepTo("443/tcp").transaction);
    const step = stepTo("8443/tcp");
    expect(await applyAndDie({ target: host.target, transport: host.transport(), step, deadManSeconds: 6, dieAt })).toBe("SIGKILL");
    await using connection = await openHost({
      target: host.target,
      transport: host.transport(),
      access: "apply",
      signal: never,
      now: () => 0,
    });
    expect(await connection.apply(stepTo("8443/tcp", step.generation), { deadManSeconds: 60, signal: never })).toEqual({
      confirmed: true,
    });
    const applied = host.space.list();
    await until(() => readdirSync(host.file("tmp")).length === 0, 40_000);
    expect(host.space.list()).toEqual(applied);
    expect(() => stepTo("8443/tcp", step.generation)).toThrow("nothing to do");
  });

  // Bug caught: with an empty store nobody knows of the dead process, and its timer undoes what was called applied.
  it("is known from the host itself while its timer runs", async () => {
    host.space.load(stepTo("443/tcp").transaction);
    const step = stepTo("8443/tcp");
    await applyAndDie({ target: host.target, transport: host.transport(), step, deadManSeconds: 30, dieAt: "load" });
    await using connection = await openHost({
      target: host.target,
      transport: host.transport(),
      access: "apply",
      signal: never,
      now: () => 0,
    });
    expect((await connection.observe(never)).armed).toEqual([step.generation]);
  });
});
