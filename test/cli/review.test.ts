/** `firebreak review` in a real clone. */
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli, scratchFolder } from "./run-cli.ts";

const EXAMPLE = join(import.meta.dirname, "../../policies/example");
const RULE = "    - {from: [order-input], to: [geo-location], ports: [8443/tcp]}\n";

function clone(folder: string) {
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", ...args], { cwd: folder, encoding: "utf8" });
  git("init", "-q", "-b", "main");
  cpSync(EXAMPLE, join(folder, "policies"), { recursive: true });
  git("add", "-A");
  git("commit", "-qm", "first");
  const path = join(folder, "policies/policies/order-flow.yaml");
  return {
    git,
    /** A branch whose order-flow has one rule more. */
    branch(name: string, rule: string): void {
      git("checkout", "-qb", name, "main");
      writeFileSync(path, readFileSync(path, "utf8").replace(RULE, `${RULE}    - ${rule}\n`));
      git("commit", "-qam", name);
    },
  };
}

describe("firebreak review", () => {
  it("says what a branch would open, exits with 1 for what would be refused, and merges before it looks", async () => {
    await using scratch = await scratchFolder();
    const { git, branch } = clone(scratch.folder);
    branch("good", "{from: [geo-location], to: [cust-record], ports: [5432/tcp]}");
    branch("bad", "{from: [dev], to: [cust-record], ports: [443/tcp]}");
    const call = async (...args: readonly string[]) => await runCli(["review", ...args], { cwd: scratch.folder });

    const good = await call("main", "good");
    expect(good).toMatchObject({ code: 0, stderr: "" });
    expect(good.stdout.split("\n")[0]).toBe("**opens `geo-location → cust-record: 5432/tcp`, closes nothing**");
    const bad = await call("main", "bad", "-o", "json");
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.stdout)).toMatchObject({
      verdict: "blocked",
      visibility: "intent",
      problems: [{ code: "GUARDRAIL_VIOLATED" }],
    });
    // Both branches changed one file: nobody has planned what Git would make of that.
    const both = await call("good", "bad", "-o", "json");
    expect([both.code, JSON.parse(both.stdout)]).toEqual([
      1,
      { kind: "conflict", verdict: "blocked", paths: ["policies/order-flow.yaml"] },
    ]);
    // What only the base has is no change of the head's.
    git("checkout", "-q", "main");
    git("merge", "-q", "good");
    git("checkout", "-qb", "comment", "good~1");
    writeFileSync(join(scratch.folder, "policies/README.md"), "words\n");
    git("commit", "-qam", "comment");
    expect((await call("main", "comment")).stdout.split("\n")[0]).toBe("**opens nothing, closes nothing**");
    expect((await call("main", "nowhere")).stderr).toContain("NOT_FOUND");
  });
});
