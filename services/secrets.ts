import { readFile } from "node:fs/promises";
import { FirebreakError } from "../core/model/error.ts";

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
    if (value === undefined || value === "")
      throw new FirebreakError("CONFIG_INVALID", `the environment variable ${name} is not set`);
    return value;
  }
  try {
    return (await readFile(name, "utf8")).replace(/[\r\n]+$/, "");
  } catch (cause) {
    throw new FirebreakError("CONFIG_INVALID", `read the secret ${reference}`, { cause });
  }
}
