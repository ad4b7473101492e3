import { execFileSync } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import type { Check } from "../../cli/doctor/check.ts";
import { clockCheck } from "../../cli/doctor/check.ts";
import { runCli, scratchFolder } from "./run-cli.ts";

const POLICY = `apiVersion: firebreak.dev/v1alpha1
kind: External
metadata: {name: mainframe}
spec: {addresses: [10.9.0.0/24]}
`;

interface Answer {
  readonly checks: readonly Check[];
  readonly failed: number;
}

function inGit(folder: string): void {
  const git = (...args: readonly string[]) => execFileSync("git", ["-C", folder, ...args], { stdio: "ignore" });
  git("init", "-q", "-b", "main");
  git("add", "policies");
  git("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "begin");
}

// Bug: a secret that is not there, or that everybody can read, is found out at the first start; or the exit code says that all is well.
test("doctor names what is missing with what to do, and exits with 1 only when something does not work", async () => {
  await using scratch = await scratchFolder({
    "firebreak.yaml":
      'repository: {url: ., path: policies, token: "file:git.token"}\nstateFolder: state\napi: {token: "env:FIREBREAK_SECRET_API"}\n',
    "git.token": "t0ken\n",
  });
  await mkdir(scratch.file("policies"));
  await writeFile(scratch.file("policies/a.yaml"), POLICY);
  inGit(scratch.folder);
  await mkdir(scratch.file("state"), { mode: 0o755 });
  await chmod(scratch.file("git.token"), 0o644);
  const ask = async (env: Readonly<Record<string, string>>) => {
    const { code, stdout, stderr } = await runCli(["doctor", "-o", "json"], { cwd: scratch.folder, env });
    expect(stderr).toBe("");
    return { code, stdout, ...(JSON.parse(stdout) as Answer) };
  };
  const bad = await ask({});
  const stateOf = ({ checks }: Answer, name: string) => checks.find((check) => check.name.endsWith(name))?.state;
  expect(bad).toMatchObject({ code: 1, failed: 1 });
  expect(bad.checks.find(({ state }) => state === "fail")).toMatchObject({ area: "settings", name: "env:FIREBREAK_SECRET_API" });
  expect([stateOf(bad, "git.token"), stateOf(bad, "state"), stateOf(bad, "branch"), stateOf(bad, "policies")]).toEqual([
    "warn",
    "warn",
    "ok",
    "ok",
  ]);
  for (const { state, remedy } of bad.checks) expect(remedy === null).toBe(state === "ok");
  expect(bad.stdout).not.toContain("t0ken");
  await chmod(scratch.file("git.token"), 0o600);
  await chmod(scratch.file("state"), 0o700);
  const good = await ask({ FIREBREAK_SECRET_API: "x" });
  expect([good.code, stateOf(good, "git.token"), stateOf(good, "state")]).toEqual([0, "ok", "ok"]);
});

// Bug: settings that do not read end the look, or definitions with errors hide that no target was looked at.
test("doctor goes on where something cannot be read, and says so", async () => {
  await using scratch = await scratchFolder({ "firebreak.yaml": "listne: 127.0.0.1:1\n" });
  const broken = await runCli(["doctor"], { cwd: scratch.folder });
  expect(broken).toMatchObject({ code: 1, stderr: "" });
  expect(broken.stdout).toMatch(/fail +settings +firebreak\.yaml: .*listne/);
  expect(broken.stdout).toMatch(/ok +node +version/);
  await writeFile(scratch.file("firebreak.yaml"), "repository: {url: ., path: policies}\n");
  await mkdir(scratch.file("policies"));
  await writeFile(scratch.file("policies/a.yaml"), "kind: Nonsense\n");
  const invalid = await runCli(["doctor"], { cwd: scratch.folder });
  expect(invalid.stdout).toMatch(/fail +definitions +policies: hold errors, so that no target is known/);
});

// Bug: a clock that is minutes off is fine, or one that is a second off is not.
test("a clock is judged by how far it is from ours, whichever way", () => {
  expect([0.4, -1, 8, -30, 61, -3600].map((seconds) => clockCheck("x", seconds).state)).toEqual([
    "ok",
    "ok",
    "warn",
    "warn",
    "fail",
    "fail",
  ]);
  expect(clockCheck("x", -90).found).toBe("90 s behind ours");
});
