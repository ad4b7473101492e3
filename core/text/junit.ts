import { resultsOf, standingOf, type TestReport } from "../guardrail/report.ts";
import type { GuardrailResult, TestResult } from "../guardrail/results.ts";
import { formatFailure, formatResult } from "./guardrail.ts";

/**
 * A report as JUnit XML: one suite of guardrails, one of policy tests. What is uncertain is skipped with its reason; a guardrail that only
 * warns passes and says so in its output. Only what the strictest schema in use (Jenkins' xunit plugin) knows: no `file`, no `line`;
 * places stand in the messages.
 */
export function formatJunit(report: TestReport): string {
  const suites = [suite("guardrails", report.guardrails), suite("policy tests", report.tests)];
  const all = resultsOf(report);
  return [
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<testsuites name="firebreak" tests="${all.length}" failures="${count(all, "failed")}" errors="0">`,
    ...suites,
    `</testsuites>`,
    "",
  ].join("\n");
}

type Result = GuardrailResult | TestResult;

function count(results: readonly Result[], standing: ReturnType<typeof standingOf>): number {
  return results.filter((result) => standingOf(result) === standing).length;
}

function suite(name: string, results: readonly Result[]): string {
  const head = `  <testsuite name="${name}" tests="${results.length}" failures="${count(results, "failed")}" skipped="${count(results, "uncertain")}" errors="0">`;
  return [head, ...results.map(testCase), `  </testsuite>`].join("\n");
}

function testCase(result: Result): string {
  const group = "policy" in result ? result.policy : result.guardrail;
  const head = `    <testcase classname="${attribute(group)}" name="${attribute(`${result.id} ${result.claim}`)}"`;
  const standing = standingOf(result);
  if (standing === "passed") return `${head}/>`;
  const detail = text(formatResult(result, standing).join("\n"));
  const inner = {
    failed: `<failure type="${"policy" in result ? "test" : "guardrail"}" message="${attribute(formatFailure(result))}">${detail}</failure>`,
    uncertain: `<skipped>${text(`uncertain: ${result.why.join("; ")}`)}</skipped>`,
    warning: `<system-out>${detail}</system-out>`,
  }[standing];
  return `${head}>\n      ${inner}\n    </testcase>`;
}

/** Characters that XML 1.0 cannot hold at all become the replacement character. */
function text(value: string): string {
  return value
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

function attribute(value: string): string {
  return text(value).replaceAll('"', "&quot;").replaceAll("\n", "&#10;").replaceAll("\t", "&#9;").replaceAll("\r", "&#13;");
}
