import packageJson from "../../package.json" with { type: "json" };
import { API } from "../../core/api/shapes.ts";
import type { ConnectivityWorld } from "../../core/guardrail/world.ts";
import { makeReport, resultsOf, standingOf, type TestReport } from "../../core/guardrail/report.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { formatAnnotations } from "../../core/text/annotations.ts";
import { formatReport, reportNotes } from "../../core/text/guardrail.ts";
import { formatJunit } from "../../core/text/junit.ts";
import { sarifOf } from "../../core/text/sarif.ts";
import { visible } from "../../core/ground/visible.ts";
import { ApiClient } from "../api.ts";
import { readWorld } from "../connectivity.ts";
import { tell } from "../output.ts";
import { DEFAULT_SETTINGS_FILE } from "../settings-file.ts";

export type TestFormat = "table" | "json" | "junit" | "sarif" | "github";

/** What `firebreak test` takes. */
export interface TestOptions {
  readonly inventory?: string;
  readonly at?: string;
  readonly asApplied?: true;
  readonly full?: true;
  readonly live?: true;
  readonly detailedExitcode?: true;
  readonly config?: string;
  readonly output: TestFormat;
}

/**
 * `firebreak test [DIR]`: exit 1 when a guardrail that blocks is violated or a policy's test fails; 2 when none is, and one is uncertain on real
 * workloads. On made-up ones much is undecided by nature (`always` among it): that is 2 with `--detailed-exitcode` only.
 */
export async function test(dir: string | undefined, options: TestOptions): Promise<number> {
  const report = await makeAsked(dir, options);
  if (options.live === true) for (const gap of report.gaps) tell(visible(gap)); // offline they are told where the world is read
  process.stdout.write(formatAs(options.output, report, options.full === true));
  const standings = new Set(resultsOf(report).map(standingOf));
  if (standings.has("failed")) return 1;
  const isStrict = report.basis !== "definitions" || options.detailedExitcode === true;
  return isStrict && standings.has("uncertain") ? 2 : 0;
}

async function makeAsked(dir: string | undefined, options: TestOptions): Promise<TestReport> {
  if (options.live !== true) return reportOf(await readWorld(dir, options));
  if (dir !== undefined || options.inventory !== undefined || options.at !== undefined || options.asApplied === true) {
    throw new FirebreakError(
      "USAGE",
      "--live asks the service about the revision in force; leave out DIR, --at, --inventory and --as-applied",
    );
  }
  const api = await ApiClient.connect(options.config ?? DEFAULT_SETTINGS_FILE);
  return await api.get<TestReport>(API.test);
}

function reportOf({ definitions, approved, enforceable, overlapping, basis, gaps }: ConnectivityWorld): TestReport {
  return makeReport(definitions, [approved, enforceable], basis, gaps, overlapping);
}

function formatAs(format: TestFormat, report: TestReport, isFull: boolean): string {
  switch (format) {
    case "json":
      return `${JSON.stringify(report, undefined, 2)}\n`;
    case "junit":
      return formatJunit(report);
    case "sarif":
      return `${JSON.stringify(sarifOf(report, packageJson.version), undefined, 2)}\n`;
    case "github": {
      const notes = reportNotes(report);
      return notes.length === 0 ? "" : `${formatAnnotations(notes)}\n`;
    }
    case "table":
      return `${formatReport(report, isFull)}\n`;
    default:
      return format satisfies never;
  }
}
