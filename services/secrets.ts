import { readFile } from "node:fs/promises";
import { FirebreakError } from "../core/ground/error.ts";

/**
 * The secret that a reference names: `env:NAME` or `file:PATH` (trailing newlines dropped).
 *
 * @throws FirebreakError CONFIG_INVALID when it is not there; the message names the reference, never the value
 */
export async function readSecret(reference: string, environment: Readonly<Record<string, string | undefined>>): Promise<string> {
  const separator = reference.indexOf(":");
  const kind = reference.slice(0, separator);
  const name = reference.slice(separator + 1);
  if (kind === "env") {
    const value = environment[name];
    if (value === undefined || value.trim() === "")
      throw new FirebreakError("CONFIG_INVALID", `the environment variable ${name} is not set`);
    return value;
  }
  const text = await readText(name, reference);
  // An empty key signs for everybody, an empty token may log in as nobody.
  if (text.trim() === "") throw new FirebreakError("CONFIG_INVALID", `the secret ${reference} is empty`);
  return text;
}

async function readText(path: string, reference: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).replace(/[\r\n]+$/, "");
  } catch (cause) {
    throw new FirebreakError("CONFIG_INVALID", `read the secret ${reference}`, { cause });
  }
}
