/** Which tests `npm test` leaves out on this machine and why; also vitest's global set-up, which says so first and last. */
import { readReport } from "./report.mjs";

/**
 * One line for each reason to leave the tests on real parts out; empty when everything runs.
 *
 * Only for `npm test`, whose set-up has just looked at the machine. In CI nothing is ever left out: there a missing part has failed
 * the set-up. `vitest` run by hand runs everything too.
 *
 * @returns {readonly string[]}
 */
export function leftOut() {
  if (process.env.npm_lifecycle_event !== "test" || process.env.CI === "true") return [];
  return readReport()?.without ?? [];
}

export default function sayWhatIsLeftOut() {
  const lines = leftOut();
  if (lines.length === 0) return undefined;
  const say = () =>
    console.error(
      ["", "LEFT OUT: the tests on real servers, clusters and hosts", ...lines.map((line) => `  - ${line}`), ""].join("\n"),
    );
  say();
  return say;
}
