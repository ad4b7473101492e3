import { z } from "zod";

/** Why a text was refused, in the parts of a note. */
export interface Refusal {
  readonly code: string;
  readonly summary: string;
  readonly detail?: string | undefined;
}

/** A text that leaves as a domain value, or with a refusal that becomes a note at its place. */
export function parsedText<T>(
  meta: { readonly description: string; readonly pattern?: string; readonly examples?: string[]; readonly maxLength?: number },
  parse: (text: string) => { readonly ok: T } | Refusal,
) {
  return z
    .string()
    .meta(meta)
    .transform((text, context): T => {
      const parsed = parse(text);
      if ("ok" in parsed) return parsed.ok;
      refuse(context, text, parsed);
      return z.NEVER;
    });
}

/** Adds a refusal to what zod collects; `path` is relative to the value being checked. */
export function refuse(
  context: { issues: { push(issue: z.core.$ZodRawIssue): unknown } },
  input: unknown,
  { code, summary, detail }: Refusal,
  path: readonly PropertyKey[] = [],
): void {
  context.issues.push({ code: "custom", message: summary, input, params: { code, detail }, path: [...path] });
}

/** A text in quotes, cut when it is long, for a note; what would change how a reader sees the note is written as an escape. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text).replace(
    HIDDEN,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** DEL, C1, and what changes the direction or the visibility of text ("Trojan Source"); an escape in quotes can bring it in. */
const HIDDEN = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
