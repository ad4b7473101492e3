import { FirebreakError } from "../ground/error.ts";
import { suggest } from "./parse/suggest.ts";

/** What somebody may name. */
type Kind = "target" | "cluster" | "segment" | "finding" | "revision" | "commit" | "plan" | "host" | "channel" | "policy";

/** Names up to so many are told; of more there is a way to list them. */
const FEW = 5;

/**
 * The error for a name that nothing has, with what was probably meant, or what there is, or how to list it:
 * `there is no target cluster/clincal. Did you mean cluster/clinical?`
 *
 * @param lists the way to what there is, as a sentence without its end; it follows where no name is near
 */
export function unknownName(kind: Kind, asked: string, known: Iterable<string>, lists: string): FirebreakError {
  const names = [...new Set(known)].sort();
  const said = /^[\w./:@^~-]+$/.test(asked) ? asked : JSON.stringify(asked);
  return new FirebreakError("NOT_FOUND", `there is no ${kind} ${said}. ${advice(asked, names, lists)}`);
}

/** The error for a target that is not there. */
export function unknownTarget(asked: string, known: readonly string[]): FirebreakError {
  return unknownName("target", asked, known, "firebreak status lists them");
}

function advice(asked: string, names: readonly string[], lists: string): string {
  const inside = names.find((name) => name.endsWith(`/${asked}`));
  const last = new Map(names.map((name) => [name.slice(name.lastIndexOf("/") + 1), name]));
  const near = inside ?? suggest(asked, names) ?? last.get(suggest(asked, last.keys()) ?? "");
  if (near !== undefined) return `Did you mean ${near}?`;
  const there = names.length > 0 && names.length <= FEW ? `There ${names.length === 1 ? "is" : "are"} ${names.join(", ")}; ` : "";
  return `${there}${lists}`;
}
