import { describe, expect, it } from "vitest";
import type { EndAnswer } from "../../../core/guardrail/end.ts";
import type { TestReport } from "../../../core/guardrail/report.ts";
import type { GuardrailResult, TestResult, Violation } from "../../../core/guardrail/results.ts";
import { formatAnnotations } from "../../../core/text/annotations.ts";
import { formatReport, reportNotes } from "../../../core/text/guardrail.ts";
import { formatJunit } from "../../../core/text/junit.ts";
import { sarifOf } from "../../../core/text/sarif.ts";

/** Written by strangers: ends a line, an attribute, a CDATA section, a cell and a link, clears a terminal, begins a workflow command. */
const EVIL = "x\u001b[2J\r\n::error file=a,line=1::gone%0A\"'<b>&amp;]]>|`@all`[me](http://evil)\u202e\u0000";

function place(file: string, line: number) {
  return { file, line, column: 7 };
}

function end(over: Partial<EndAnswer>): EndAnswer {
  const nothing = { rules: [], segments: [], uncertain: [] };
  return { direction: "ingress", mode: "enforced", passes: true, allowed: true, text: `allowed by ${EVIL}`, ...nothing, ...over };
}

function violation(to: string, over: Partial<Violation> = {}): Violation {
  const rules = [{ name: "flow/0", at: place("policies/a,b:c.yaml", 9) }];
  const witness = [{ from: "dev", to, ports: "22/tcp", ends: [end({ direction: "egress", mode: "unmanaged" }), end({ rules })] }];
  const counts = { from: 1, to: 1 };
  return { target: "cluster/eu", from: "dev", to, counts, ports: "22/tcp", notYetEnforced: false, added: false, witness, ...over };
}

function guardrail(id: string, over: Partial<GuardrailResult>): GuardrailResult {
  const [name = ""] = id.split("/");
  return {
    id,
    guardrail: name,
    kind: "never",
    severity: "block",
    claim: "never dev → prod: any",
    reason: `because of ${EVIL}`,
    at: place("guardrails/g.yaml", 11),
    outcome: "passed",
    on: "intent",
    violations: [],
    why: [],
    ...over,
  };
}

function policyTest(id: string, over: Partial<TestResult>): TestResult {
  const [policy = ""] = id.split("/");
  return {
    id,
    policy,
    expect: "denied",
    claim: "web → db: 22/tcp is denied",
    at: place("policies/flow.yaml", 15),
    outcome: "passed",
    on: "intent",
    violations: [],
    why: [],
    ...over,
  };
}

const REPORT: TestReport = {
  basis: "inventory",
  gaps: [],
  guardrails: [
    guardrail("closed/never/0", {
      outcome: "violated",
      violations: [violation(EVIL), violation(EVIL), violation("prod", { notYetEnforced: true })],
    }),
    guardrail("soft/never/0", { outcome: "violated", severity: "warn", violations: [violation("prod")] }),
    guardrail("doubt/never/0", { outcome: "uncertain", why: [`the inventory of ${EVIL} is not complete`] }),
    guardrail("good/never/0", {}),
  ],
  tests: [policyTest("flow/tests/0", { outcome: "violated", violations: [violation("db")] }), policyTest("flow/tests/1", {})],
};

describe("the table", () => {
  const text = formatReport(REPORT);

  // Bug: a name that clears the terminal or begins a command of a runner.
  it("shows what strangers wrote and obeys none of it", () => {
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    for (const line of text.split("\n")) expect(line).not.toMatch(/^\s*::/);
    expect(text).toContain("x\\u001b[2J\\u000d\\u000a::error");
  });

  // Bug: the same way printed once for every label that tells two workloads apart; a warning that reads as a failure.
  it("tells each way once, and counts what fails, warns and is uncertain apart", () => {
    expect(text.split("\n").filter((line) => line.startsWith("  dev → x"))).toHaveLength(1);
    expect(text).toContain("  dev → prod: 22/tcp, not yet enforced\n");
    expect(text).toMatch(
      /\n4 claims of guardrails, 2 tests, on the workloads of the inventory: 2 passed, 2 failed, 1 warning, 1 uncertain\nuncertain is not ok: /,
    );
    expect(text).toMatch(/^warning {4}soft\/never\/0/m);
  });
});

describe("annotations for GitHub", () => {
  // Bug: a comma or colon in a path ends the property; a line end in a name begins a command of its own.
  it("are one line each, with everything escaped, at the line that lets it through", () => {
    const lines = formatAnnotations(reportNotes(REPORT)).split("\n");
    expect(lines.map((line) => line.split("::")[1])).toEqual([
      "notice file=guardrails/g.yaml,line=11,col=7,title=guardrail-uncertain",
      "error file=policies/a%2Cb%3Ac.yaml,line=9,col=7,title=guardrail-violated",
      "error file=policies/a%2Cb%3Ac.yaml,line=9,col=7,title=test-failed",
      "warning file=policies/a%2Cb%3Ac.yaml,line=9,col=7,title=guardrail-violated",
    ]);
    for (const line of lines) expect(line).not.toMatch(/[\r\u0000-\u001f]/);
    expect(lines.join("\n")).toContain("gone%250A");
  });

  it("are none when all is well", () => {
    expect(reportNotes({ ...REPORT, guardrails: [guardrail("good/never/0", {})], tests: [] })).toEqual([]);
  });
});

/** Elements of the XML with their attributes, as the strictest schema in use names them (Jenkins' xunit plugin, junit-10.xsd). */
const JUNIT: Readonly<
  Record<string, { readonly required: readonly string[]; readonly may: readonly string[]; readonly within: readonly string[] }>
> = {
  testsuites: { required: [], may: ["name", "time", "tests", "failures", "disabled", "errors"], within: [] },
  testsuite: {
    required: ["name", "tests"],
    may: ["failures", "errors", "time", "disabled", "skipped", "timestamp", "hostname", "id", "package"],
    within: ["testsuites"],
  },
  testcase: { required: ["name"], may: ["assertions", "time", "classname", "status"], within: ["testsuite"] },
  failure: { required: [], may: ["type", "message"], within: ["testcase"] },
  skipped: { required: [], may: [], within: ["testcase"] },
  "system-out": { required: [], may: [], within: ["testcase"] },
};

describe("JUnit", () => {
  const xml = formatJunit(REPORT);
  const elements = readXml(xml);

  // Bug: a report that a CI system refuses, or reads without half of its cases.
  it("holds only what the schema knows, counted right", () => {
    for (const { name, attributes, within } of elements) {
      const shape = JUNIT[name];
      expect(shape, name).toBeDefined();
      expect(Object.keys(attributes)).toEqual(expect.arrayContaining([...(shape?.required ?? [])]));
      for (const key of Object.keys(attributes)) expect([...(shape?.required ?? []), ...(shape?.may ?? [])]).toContain(key);
      if (within !== undefined) expect(shape?.within).toContain(within);
    }
    const count = (name: string): number => elements.filter((element) => element.name === name).length;
    expect([count("testcase"), count("failure"), count("skipped"), count("system-out")]).toEqual([6, 2, 1, 1]);
    expect(elements[0]).toMatchObject({ name: "testsuites", attributes: { tests: "6", failures: "2", errors: "0" } });
    const suites = elements.filter(({ name }) => name === "testsuite").map(({ attributes }) => attributes);
    expect(suites).toMatchObject([
      { name: "guardrails", tests: "4", failures: "1", skipped: "1" },
      { name: "policy tests", tests: "2", failures: "1", skipped: "0" },
    ]);
  });

  // Bug: a name that ends the attribute, the element or the file, or that XML cannot hold at all.
  it("holds what strangers wrote as text", () => {
    expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/);
    expect(xml).not.toContain("]]>");
    expect(elements.some(({ name }) => name === "b")).toBe(false);
    const failure = elements.find(({ name }) => name === "failure");
    expect(failure?.attributes["message"]).toContain("&quot;");
    expect(failure?.attributes["message"]).toContain("policies/a,b:c.yaml:9:7");
  });
});

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly within: string | undefined;
}

/** Well-formed XML of elements and text, nothing else; throws where it is not. */
function readXml(text: string): readonly Element[] {
  const found: Element[] = [];
  const open: string[] = [];
  let rest = text.replace(/^<\?xml version="1.0" encoding="UTF-8"\?>\n/, "");
  while (rest !== "") {
    const plain = /^[^<&]+|^&(?:amp|lt|gt|quot|#\d+);/.exec(rest);
    const closing = /^<\/([a-z-]+)>/.exec(rest);
    const opening = /^<([a-z-]+)((?: [a-z]+="(?:[^"<&]|&(?:amp|lt|gt|quot|#\d+);)*")*)(\/?)>/.exec(rest);
    const match = plain ?? closing ?? opening;
    if (match === null) throw new Error(`not well-formed at ${rest.slice(0, 80)}`);
    rest = rest.slice(match[0].length);
    if (plain !== null) continue;
    if (closing !== null) {
      if (open.pop() !== closing[1]) throw new Error(`unbalanced ${closing[0]}`);
      continue;
    }
    const [, name = "", attributes = "", end] = match;
    const pairs = [...attributes.matchAll(/ ([a-z]+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [key, value] as const);
    found.push({ name, attributes: Object.fromEntries(pairs), within: open.at(-1) });
    if (end !== "/") open.push(name);
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(" ")}`);
  return found;
}

describe("SARIF", () => {
  const log = JSON.parse(JSON.stringify(sarifOf(REPORT, "1.2.3"))) as {
    readonly $schema: string;
    readonly version: string;
    readonly runs: readonly [
      {
        readonly tool: {
          readonly driver: {
            readonly name: string;
            readonly rules: readonly { readonly id: string; readonly shortDescription: { readonly text: string } }[];
          };
        };
        readonly results: readonly SarifResult[];
      },
    ];
  };
  const [run] = log.runs;

  // Bug: code scanning refuses the file, or shows a result at a rule that is another's. Fields as SARIF 2.1.0 (OASIS) requires them.
  it("has what the format requires, and results that name their rules", () => {
    expect([log.version, log.runs.length, run.tool.driver.name]).toEqual(["2.1.0", 1, "Firebreak"]);
    expect(new Set(run.tool.driver.rules.map(({ id }) => id)).size).toBe(6);
    for (const { shortDescription } of run.tool.driver.rules) expect(shortDescription.text).not.toBe("");
    expect(run.results.map(({ ruleId, level }) => [ruleId, level])).toEqual([
      ["closed/never/0", "error"],
      ["soft/never/0", "warning"],
      ["doubt/never/0", "note"],
      ["flow/tests/0", "error"],
    ]);
    for (const { ruleId, ruleIndex, message, locations, partialFingerprints } of run.results) {
      expect(run.tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
      expect(message.text).not.toBe("");
      for (const { physicalLocation } of locations) {
        expect(physicalLocation.region.startLine).toBeGreaterThan(0);
        expect(URL.canParse(physicalLocation.artifactLocation.uri, "file:///r/")).toBe(true);
      }
      expect(Object.values(partialFingerprints)).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
    }
  });

  // Bug: a path with a colon or a comma is a URI of another kind; a name draws a link beside the code.
  it("escapes places, and draws no link", () => {
    expect(run.results[0]?.locations[0]?.physicalLocation.artifactLocation.uri).toBe("policies/a%2Cb%3Ac.yaml");
    for (const { message } of run.results) expect(message.text).not.toMatch(/\]\(|[\u0000-\u001f]/);
  });

  // Bug: the same finding gets a new fingerprint when a line moves, and is opened again.
  it("keeps the fingerprint of a claim when lines move", () => {
    const moved = { ...REPORT, guardrails: REPORT.guardrails.map((result) => ({ ...result, at: place("elsewhere.yaml", 99) })) };
    const again = JSON.parse(JSON.stringify(sarifOf(moved, "1.2.3"))) as typeof log;
    expect(again.runs[0].results.map(({ partialFingerprints }) => partialFingerprints)).toEqual(
      run.results.map(({ partialFingerprints }) => partialFingerprints),
    );
  });
});

interface SarifResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string };
      readonly region: { readonly startLine: number };
    };
  }[];
  readonly partialFingerprints: Readonly<Record<string, string>>;
}
