import { sha256Hex } from "../membership/hash.ts";
import type { Position } from "../model/note.ts";
import { resultsOf, standingOf, type Standing, type TestReport } from "../guardrail/report.ts";
import type { GuardrailResult, TestResult } from "../guardrail/results.ts";
import { formatFailure, placeOf } from "./guardrail.ts";

const LEVEL = { failed: "error", warning: "warning", uncertain: "note", passed: "none" } as const satisfies Record<
  Standing,
  string
>;

/**
 * A report as SARIF 2.1.0 (OASIS), for code scanning: one rule per claim, one result per claim that does not pass, at the line that
 * breaks it, with the claim's own line beside it.
 */
export function sarifOf(report: TestReport, version: string): unknown {
  const results = resultsOf(report);
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "Firebreak", semanticVersion: version, rules: results.map(ruleOf) } },
        columnKind: "utf16CodeUnits",
        results: results.flatMap((result, index) => (standingOf(result) === "passed" ? [] : [resultOf(result, index)])),
      },
    ],
  };
}

type Result = GuardrailResult | TestResult;

function ruleOf(result: Result): unknown {
  const reason = "policy" in result ? null : result.reason;
  return {
    id: result.id,
    shortDescription: { text: result.claim },
    ...(reason === null ? {} : { fullDescription: { text: reason } }),
    defaultConfiguration: { level: "severity" in result && result.severity === "warn" ? "warning" : "error" },
  };
}

function resultOf(result: Result, ruleIndex: number): unknown {
  const standing = standingOf(result);
  const place = placeOf(result);
  const others = [result.at, ...ruleLines(result)].filter((at) => !isSame(at, place));
  return {
    ruleId: result.id,
    ruleIndex,
    level: LEVEL[standing],
    message: { text: unlinked(`${standing === "uncertain" ? "uncertain: " : ""}${formatFailure(result)}`) },
    locations: [{ physicalLocation: locationOf(place) }],
    ...(others.length === 0 ? {} : { relatedLocations: others.map((at, id) => ({ id, physicalLocation: locationOf(at) })) }),
    partialFingerprints: { "claim/v1": sha256Hex(JSON.stringify([result.id, result.claim])).slice(0, 32) },
  };
}

/** `[text](address)` is a link in a message (SARIF 2.1.0, 3.11.6): names of strangers hold none. */
function unlinked(text: string): string {
  return text.replaceAll("](", "] (");
}

/** Lines of rules on all ways, each once. */
function ruleLines({ violations }: Result): readonly Position[] {
  const lines = violations.flatMap(({ witness }) => witness.flatMap(({ ends }) => ends.flatMap(({ rules }) => rules)));
  const places = lines.flatMap(({ at }) => (at === null ? [] : [at]));
  return places.filter((at, index) => places.findIndex((other) => isSame(at, other)) === index);
}

function isSame(a: Position, b: Position): boolean {
  return a.file === b.file && a.line === b.line && a.column === b.column;
}

function locationOf({ file, line, column }: Position): unknown {
  const uri = file.split("/").map(encodeURIComponent).join("/");
  return { artifactLocation: { uri }, region: { startLine: line, startColumn: column } };
}
