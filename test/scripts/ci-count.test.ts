import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const script = resolve(import.meta.dirname, "../../.ci/count.mjs");

interface Assertion {
  readonly status: string;
  readonly fullName?: string;
  readonly failureMessages?: readonly string[];
}

function count(testResults: readonly { readonly status: string; readonly assertionResults: readonly Assertion[] }[]) {
  const folder = mkdtempSync(join(tmpdir(), "firebreak-count-"));
  try {
    const file = join(folder, "vitest.json");
    writeFileSync(file, JSON.stringify({ testResults }));
    const { stdout, stderr } = spawnSync(process.execPath, [script, file], { encoding: "utf8" });
    return { numbers: stdout.trim(), told: stderr.trim() };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const passed = { status: "passed" };

test.each([
  ["passed tests are counted", [{ status: "passed", assertionResults: [passed, passed] }], "2 0"],
  ["a failed test counts once, not its file too", [{ status: "failed", assertionResults: [passed, { status: "failed" }] }], "1 1"],
  // Bug: a file that cannot even be imported has no tests, so nothing failed.
  ["a file that broke outside of its tests counts", [{ status: "failed", assertionResults: [] }], "0 1"],
  // Bug: a test switched off on the quiet.
  ["a test that did not run is a failure", [{ status: "passed", assertionResults: [passed, { status: "skipped" }] }], "1 1"],
])("%s", (_name, results, expected) => {
  expect(count(results).numbers).toBe(expected);
});

test("a test that needed a second try is named (the bug: a race hidden behind a retry)", () => {
  const shaky: Assertion = { ...passed, fullName: "the lock lets one in", failureMessages: ["Error: ENOENT\n  at take"] };
  const { numbers, told } = count([{ status: "passed", assertionResults: [passed, shaky] }]);
  expect(numbers).toBe("2 0");
  expect(told).toBe("ci: passed at the second try: the lock lets one in: Error: ENOENT");
});
