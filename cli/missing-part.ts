import packageJson from "../package.json" with { type: "json" };
import { FirebreakError } from "../core/ground/error.ts";

/**
 * What it means that a package of ours is not there: the install left out what only the services need (`npm install --omit=optional`,
 * for CI). Undefined for any other error.
 */
export function missingPart(error: unknown): FirebreakError | undefined {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "ERR_MODULE_NOT_FOUND") return undefined;
  const name = /^Cannot find package '([^']+)'/.exec(error.message)?.[1];
  if (name === undefined || !Object.hasOwn(packageJson.optionalDependencies, name)) return undefined;
  return new FirebreakError(
    "SYSTEM_PART_MISSING",
    `this needs the package ${name}, which an install with --omit=optional leaves out: run \`npm install --include=optional\` where Firebreak is installed`,
  );
}
