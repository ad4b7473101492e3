import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const script = resolve(import.meta.dirname, "../../.ci/count.mjs");

function count(
  testResults: readonly { readonly status: string; readonly assertionResults: readonly { readonly status: string }[] }[],
): string {
  const folder = mkdtempSync(join(tmpdir(), "firebreak-count-"));
  try {
    const file = join(folder, "vitest.json");
    writeFileSync(file, JSON.stringify({ testResults }));
    return execFileSync(process.execPath, [script, file], { encoding: "utf8" }).trim();
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
  expect(count(results)).toBe(expected);
});
