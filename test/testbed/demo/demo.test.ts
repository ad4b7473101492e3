import { accessSync, constants } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { planOffline } from "../../../core/plan/offline.ts";
import { parseInventoryFile } from "../../../core/observed/inventory-file.ts";
import { parseArguments } from "../../../testbed/demo/arguments.ts";
import { exampleInventory } from "../../../testbed/demo/inventory.ts";
import { NO_SCORE, playSteps } from "../../../testbed/demo/step.ts";
import { openVoice } from "../../../testbed/demo/voice.ts";
import { loadDefinitions } from "../../../cli/definitions.ts";
import { tryCommand } from "../../../testbed/command.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const MAIN = join(ROOT, "testbed/demo/main.ts");

describe("parseArguments", () => {
  test.each([
    { argv: [], request: { kind: "run", exit: false } },
    { argv: ["--exit"], request: { kind: "run", exit: true } },
    { argv: ["--exit", "--help"], request: { kind: "help" } },
    // Bug: a typo that brings the whole world up and never leaves.
    { argv: ["--exti"], request: { kind: "wrong", why: "there is no argument --exti" } },
    { argv: ["exit"], request: { kind: "wrong", why: "there is no argument exit" } },
  ])("$argv", ({ argv, request }) => {
    expect(parseArguments(argv)).toEqual(request);
  });
});

describe("playSteps", () => {
  const scene = () => {
    let text = "";
    const stop = new AbortController();
    const voice = openVoice(
      (more) => (text += more),
      false,
      () => 0,
    );
    return { voice, signal: stop.signal, stop, said: () => text };
  };

  // Bug: a step that failed counted as done, or kept the others from being played: exit code 0 for half a tour.
  test("counts a failed step with its reason and goes on", async () => {
    const at = scene();
    const fail = async (): Promise<void> => await Promise.reject(new Error("outer", { cause: new Error("inner") }));
    const steps = [
      { title: "one", run: fail },
      { title: "two", run: async () => {} },
    ];
    const score = await playSteps(at, steps, { ...NO_SCORE, done: 3 });
    expect(score).toEqual({ done: 4, failed: ["4  one: outer, because inner"] });
    expect(at.said()).toContain("\n5  two\n");
  });

  // Bug: Ctrl-C is told as a step that failed, and the tour goes on.
  test("stops when it is told to", async () => {
    const at = scene();
    const steps = [
      { title: "interrupted", run: async () => (at.stop.abort(), await Promise.reject<undefined>(new Error("gone"))) },
      { title: "not played", run: async () => {} },
    ];
    await expect(playSteps(at, steps, NO_SCORE)).rejects.toThrow("aborted");
    expect(at.said()).not.toContain("not played");
  });
});

// Bug: colour codes in a log file, or a long line that is cut.
test("a voice without colour writes plain, wrapped lines", () => {
  let text = "";
  openVoice(
    (more) => (text += more),
    false,
    () => 0,
  ).detail("opens", `${"word ".repeat(30)}end`);
  const lines = text.trimEnd().split("\n");
  expect(lines.length).toBe(2);
  expect(lines.every((line) => line.length < 120 && /^ {3}(opens| {5})/.test(line))).toBe(true);
  expect(text).not.toContain("\u001b");
});

// Bug: the sample organisation moves on and the inventory of the demonstration does not: targets without a plan.
test("the inventory of the demonstration plans every target of policies/example", async () => {
  const { definitions } = await loadDefinitions({ dir: join(ROOT, "policies/example") }, undefined);
  if (definitions === undefined) throw new Error("policies/example has errors");
  const text = JSON.stringify(exampleInventory("2026-01-01T00:00:00Z"));
  const seen = parseInventoryFile(JSON.parse(text), "inventory.json");
  const plans = planOffline({ definitions, seen, operator: { floor: { from: [], ports: [] }, ownPaths: [] } }, undefined);
  expect(plans.map(({ target, error }) => [target, error])).toEqual(
    [
      "cluster/shop-eu",
      "cluster/shop-us",
      ...["ldap-blue-1", "ldap-blue-2", "ldap-red-1", "ldap-red-2"].map((name) => `host/directory/${name}`),
    ].map((target) => [target, undefined]),
  );
  expect(plans.every(({ steps }) => steps.length > 0)).toBe(true);
});

// Bug: without root the demonstration ends with a stack trace instead of doing what needs no rights and saying what to type.
test("without root it does what needs no rights, and says so first and last", { timeout: 120_000 }, async () => {
  const argv = [...(await asNobody()), process.execPath, MAIN, "--exit"];
  // No cache that it may write to: no clusters. The temporary folder is anybody's.
  const env = { FIREBREAK_CACHE: "/proc/no-cache", CI: undefined, NO_COLOR: "1" };
  const { code, stdout, stderr } = await tryCommand(argv, { env, cwd: "/", timeoutMs: 110_000 });
  expect(stderr).toBe("");
  expect(stdout).toContain("3 of 3 steps did what they say");
  expect(stdout.split("Left out on this machine").length).toBe(3);
  expect(stdout).toContain("no clusters: ");
  expect(code).toBe(2);
});

/** Becomes nobody where this is root and nobody may read the checkout; a user namespace without rights otherwise. */
async function asNobody(): Promise<readonly string[]> {
  if (process.getuid?.() !== 0) return [];
  const argv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  accessSync(process.execPath, constants.X_OK);
  const { code } = await tryCommand([...argv, "test", "-r", MAIN, "-a", "-x", process.execPath]);
  // Root without capabilities may still read what is root's, and may make no namespaces.
  return code === 0 ? argv : ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
}
