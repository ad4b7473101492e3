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
    `this needs the package ${name}, which npm leaves out with --omit=optional, and when it runs on a Node that is too old for it: run \`npm install --include=optional\`, with Node ${packageJson.engines.node}, where Firebreak is installed`,
  );
}
