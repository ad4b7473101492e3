import { FirebreakError } from "../ground/error.ts";
import type { TargetId } from "./kinds.ts";
import { suggest } from "./parse/suggest.ts";

/** The error for a target that is not there: `there is no target cluster/clincal. Did you mean cluster/clinical?` */
export function unknownTarget(asked: string, known: readonly TargetId[]): FirebreakError {
  const inside = known.find((id) => id.endsWith(`/${asked}`));
  const near = inside ?? suggest(asked, known);
  const advice = near === undefined ? "firebreak status lists them" : `Did you mean ${near}?`;
  return new FirebreakError("NOT_FOUND", `there is no target ${asked}. ${advice}`);
}
