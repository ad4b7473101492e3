/** Types of report.mjs, which is plain JavaScript because the set-up runs before anything is installed. */

/** What the set-up found; see report.mjs. */
export interface SetupReport {
  readonly job: string;
  readonly root: boolean;
  readonly missing: readonly string[];
  readonly without: readonly string[];
}

export function readReport(): SetupReport | undefined;
export function writeReport(report: SetupReport): void;
