import { createHash, timingSafeEqual } from "node:crypto";
import type { SettingsFile } from "../../core/config/settings-schema.ts";
import { readSecret } from "../secrets.ts";

/** The token that may only read; undefined when the settings name none. */
export async function readOnlyToken(
  { api }: SettingsFile,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  return api.readToken === undefined ? undefined : (await readSecret(api.readToken, environment)).trim();
}

/** What a token allows: everything, reading, or nothing. */
export type Access = "full" | "read" | "none";

/** @param given what the request brought */
export function accessOf(given: string | undefined, tokens: { readonly full: string; readonly read: string | undefined }): Access {
  if (given === undefined) return "none";
  if (isSameSecret(given, tokens.full)) return "full";
  return tokens.read !== undefined && isSameSecret(given, tokens.read) ? "read" : "none";
}

/** Compares without telling by its time how much was right. */
export function isSameSecret(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/**
 * True when the Host header names us: a page elsewhere that resolves its own name to our address (DNS rebinding) does not.
 *
 * @param listen ADDRESS:PORT of the setting
 */
export function isOurHost(header: string | undefined, listen: string, hostnames: readonly string[]): boolean {
  if (header === undefined) return false;
  const name = header.replace(/:\d+$/, "").toLowerCase();
  const own = listen.replace(/:\d+$/, "").toLowerCase();
  return ["localhost", "127.0.0.1", "[::1]", own, ...hostnames.map((hostname) => hostname.toLowerCase())].includes(name);
}
