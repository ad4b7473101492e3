/**
 * Prints `PASSED FAILED` from vitest's JSON report. A file that failed outside of its tests counts as one failure, and so does a
 * test that did not run: there is no skipping here. Tests that passed only at their second try are named on standard error.
 */
import { readFileSync } from "node:fs";

const report = JSON.parse(readFileSync(process.argv[2], "utf8"));
const tests = report.testResults.flatMap((file) => file.assertionResults);
const passed = tests.filter((test) => test.status === "passed").length;
const brokenFiles = report.testResults.filter(
  (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
);
console.log(`${passed} ${tests.length - passed + brokenFiles.length}`);

for (const test of tests) {
  if (test.status !== "passed" || (test.failureMessages ?? []).length === 0) continue;
  console.error(`ci: passed at the second try: ${test.fullName}: ${test.failureMessages[0].split("\n")[0]}`);
}
