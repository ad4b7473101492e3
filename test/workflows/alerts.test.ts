/** The alert rules that users copy, looked at by Prometheus' own promtool. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { TARGET_STATES } from "../../core/api/shapes.ts";
import { FINDING_KINDS } from "../../core/finding/finding.ts";
import { ERRORS } from "../../core/ground/error.ts";
import { WORKFLOWS_FOLDER } from "./files.ts";

const run = promisify(execFile);

const FILE = join(WORKFLOWS_FOLDER, "monitoring/alerts.yml");
const { groups } = parse(readFileSync(FILE, "utf8")) as {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
};
const rules = groups.flatMap(({ rules: own }) => own);

const { panels } = JSON.parse(readFileSync(join(WORKFLOWS_FOLDER, "monitoring/dashboard.json"), "utf8")) as {
  readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
};
const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

// Bug: a rule that Prometheus refuses, and with it the whole file.
test("promtool takes the rules", async () => {
  const { stdout } = await run("promtool", ["check", "rules", FILE]);
  expect(stdout).toContain(`SUCCESS: ${rules.length} rules found`);
});

// Bug: a rule that never fires, or fires where all is well.
test("they fire when they should, and say what they should", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fb-alerts-"));
  try {
    const file = join(folder, "test.yml");
    writeFileSync(file, readFileSync(join(import.meta.dirname, "alerts-test.yml"), "utf8").replace("ALERTS", FILE));
    const { stdout } = await run("promtool", ["test", "rules", file]);
    expect(stdout).toContain("SUCCESS");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

// Bug: a query of the dashboard that Prometheus does not understand.
test("Prometheus understands every query of the dashboard", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fb-panels-"));
  try {
    const file = join(folder, "rules.yml");
    const asRules = queries.map((expr, index) => ({ record: `panel:${index}`, expr }));
    writeFileSync(file, stringify({ groups: [{ name: "dashboard", rules: asRules }] }));
    const { stdout } = await run("promtool", ["check", "rules", file]);
    expect(stdout).toContain(`SUCCESS: ${queries.length} rules found`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

// Bug: a state or a code is renamed, and its alert is silent for ever. (Names of metrics: test/services/health.test.ts, at a real console.)
test("every value of a label that a rule or a panel names is one of ours", () => {
  const known: Readonly<Record<string, readonly string[]>> = {
    state: TARGET_STATES,
    kind: FINDING_KINDS,
    code: Object.keys(ERRORS),
    need: ["store", "queue", "log", "definitions"],
    severity: ["critical", "high", "medium", "low", "info"],
    job: ["firebreak"],
  };
  for (const { alert, expr } of [...rules, ...queries.map((expr) => ({ alert: expr, expr }))]) {
    for (const [, label = "", value = ""] of expr.matchAll(/(\w+)[=!]~?"([^"]*)"/g))
      for (const one of value.split("|")) expect(known[label], `${alert}: ${label}`).toContain(one);
  }
});
