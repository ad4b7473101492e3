import { formatPrefix, type Prefix } from "../address/index.ts";

/**
 * A value of a definition in short text, for people to compare: `2`, `[alert, heal]`, `{kind: context, context: eu}`. Where it stands in its
 * file is left out, and so is what is not set.
 */
export function said(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(said).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  if (isPrefix(value)) return formatPrefix(value);
  const fields = Object.entries(value).filter(([key, one]) => key !== "at" && one !== undefined);
  return `{${fields.map(([key, one]) => `${key}: ${said(one)}`).join(", ")}}`;
}

function isPrefix(value: object): value is Prefix {
  return "family" in value && "first" in value && "length" in value;
}
