import { z } from "zod";
import { API_VERSION } from "../kinds.ts";
import { guidance } from "./later.ts";
import { parsedText, quote } from "./text.ts";

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** An RFC 1123 label: what names of definitions and hosts are. */
export const Name = parsedText(
  { description: "Lower-case letters, digits and `-`, at most 63 (RFC 1123 label).", pattern: LABEL.source, maxLength: 63 },
  (text) => {
    if (text.length <= 63 && LABEL.test(text)) return { ok: text };
    return {
      code: "bad-name",
      summary: `${quote(text)} is not a name`,
      detail: nameDetail(text),
    };
  },
);

function nameDetail(text: string): string {
  const rule = "A name has lower-case letters, digits and -, begins and ends with a letter or digit, and has at most 63 characters";
  const kebab = text
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 63)
    .replace(/-+$/, "");
  return kebab === "" || !LABEL.test(kebab) ? rule : `${rule}. For example: ${kebab}`;
}

const LABEL_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** A label key of Kubernetes: `[PREFIX/]NAME`. */
export const LabelKey = z.string().check((context) => {
  const problem = labelKeyProblem(context.value);
  if (problem === undefined) return;
  const detail = "A key is [PREFIX/]NAME: the name has at most 63 letters, digits, -, _ and ., the prefix is a DNS name";
  context.issues.push({
    code: "custom",
    message: `${quote(context.value)} is not a label key: ${problem}`,
    input: context.value,
    params: { code: "bad-label", detail },
  });
});

function labelKeyProblem(key: string): string | undefined {
  const slash = key.indexOf("/");
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  if (prefix !== undefined && (prefix.length > 253 || !SUBDOMAIN.test(prefix))) return "the prefix is not a DNS name";
  if (name.length > 63) return "the name is longer than 63 characters";
  return LABEL_NAME.test(name) ? undefined : "the name has other characters than it may";
}

/** A label value of Kubernetes: at most 63 characters, may be empty. */
export const LabelValue = parsedText(
  {
    description: "At most 63 letters, digits, `-`, `_` and `.`; may be empty.",
    pattern: `^(|${LABEL_NAME.source.slice(1, -1)})$`,
    maxLength: 63,
  },
  (text) => {
    if (text === "" || (text.length <= 63 && LABEL_NAME.test(text))) return { ok: text };
    const detail = "A value has at most 63 letters, digits, -, _ and ., and begins and ends with a letter or digit";
    return { code: "bad-label", summary: `${quote(text)} is not a label value`, detail };
  },
);

/** Labels: key to value. */
export const LabelMap = z.record(LabelKey, LabelValue).meta({ description: "Labels: [PREFIX/]NAME to value." });

const Labels = LabelMap.default({}).meta({ description: "Labels; they describe, and selectors choose by them." });

/** Metadata of every kind but Workspace. */
export const Metadata = z.strictObject({ name: Name, labels: Labels });

/** Metadata where no name is needed. */
export const OptionalMetadata = z.strictObject({ name: Name.optional(), labels: Labels });

/** The `apiVersion` of every definition. */
export const ApiVersion = z.literal(API_VERSION).meta({ description: "The version of these definitions." });

/** C0 but for line ends, DEL, C1, and what changes the direction or the visibility of text: escapes in quotes can bring them in. */
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

/** A description of at most `maxLength` characters that somebody reads; of one line unless `lines` is true. */
export function prose(description: string, maxLength: number, lines = false) {
  const text = parsedText<string>({ description, maxLength }, (given) => {
    if (given.trim() === "") return { code: "empty-text", summary: "an empty text", detail: "Say it, or leave the field out" };
    if (given.length > maxLength)
      return { code: "long-text", summary: `a text of ${given.length} characters; at most ${maxLength}` };
    const flat = given.trim();
    if (CONTROL.test(flat) || (!lines && flat.includes("\n"))) {
      return { code: "bad-text", summary: "a text with line breaks or control characters", detail: "Write it in one plain line" };
    }
    return { ok: flat };
  });
  return text.register(guidance, { hint: "Put it in quotes" });
}
