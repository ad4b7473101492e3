import type { SafeguardChange } from "../review/safeguards.ts";
import { code } from "../ground/inert.ts";

/** A value may be a whole route. */
const LONG = 400;

/** Short, for the first line: `changes how changes are judged (3)`. */
export function safeguardHeadline(safeguards: readonly SafeguardChange[]): string {
  return `changes how changes are judged (${safeguards.length})`;
}

/** What stands above the list. */
export const SAFEGUARDS_TITLE =
  "**Changes how changes are judged.** None of this is a connection, and every later change is judged by it:";

/** One line in Markdown for each; all that a definition says stands in code spans. */
export function safeguardItems(safeguards: readonly SafeguardChange[]): readonly string[] {
  return safeguards.map((safeguard) => `${subject(safeguard)}: ${words(safeguard)}`);
}

function subject({ kind, name }: SafeguardChange): string {
  return name === "" ? kind : `${kind} ${code(name)}`;
}

function words({ kind, field, how, before, after, through }: SafeguardChange): string {
  const value = (text: string | null): string => (text === null ? "nothing" : code(text, LONG));
  if (field === "") return how === "removed" ? `is removed (${value(before)})` : `is ${how}`;
  if (kind !== "Guardrail" || field === "severity") return `${code(field)} ${value(before)} → ${value(after)}`;
  const by = through.length === 0 ? "" : `, because ${through.map((name) => code(name)).join(", ")} may hold less`;
  if (after === null) return `${value(before)} is removed${by}`;
  const verb = how === "narrowed" ? "is narrowed" : "may be narrower";
  return before === after ? `${value(before)} ${verb}${by}` : `${value(before)} ${verb} as ${value(after)}${by}`;
}
