import canonicalize from "canonicalize";
import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import type { RequestRow } from "../adapters/store/index.ts";
import type { SettingsFile } from "../core/config/settings-schema.ts";
import { apiToken } from "./api-token.ts";

/** What is sealed of a request: all that is asked, by whom and when. */
export type SealedRequest = Pick<RequestRow, "id" | "kind" | "args" | "actor" | "createdAt">;

/** An older request is not answered any more: its asker is gone, and a copy of its row must not be one. Room for clocks that differ. */
const LONGEST_MS = 10 * 60_000;

/**
 * The key that requests are sealed with: derived from the API's token, which whoever has the database does not have. Console and syncer
 * agree on it by having one token.
 */
export async function requestKey(
  settings: SettingsFile,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Uint8Array> {
  const token = (await apiToken(settings, environment)).trim();
  return new Uint8Array(hkdfSync("sha256", token, "", "firebreak requests v1", 32));
}

/** The seal of a request, for its row. */
export function sealRequest(key: Uint8Array, { id, kind, args, actor, createdAt }: SealedRequest): string {
  const text = canonicalize([id, kind, args ?? null, actor, createdAt]) ?? "";
  return createHmac("sha256", key).update(text).digest("base64url");
}

/** Why a row is no request of somebody who may ask, in words; undefined when it is one. */
export function whyRefused(key: Uint8Array, row: SealedRequest & Pick<RequestRow, "mac">, now: number): string | undefined {
  const expected = Buffer.from(sealRequest(key, row));
  const given = Buffer.from(row.mac ?? "");
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    return "it does not carry the seal of the API: give console and syncer the same api.token (firebreak.yaml), or find out who wrote to the database";
  if (Math.abs(now - row.createdAt) > LONGEST_MS) return "it was asked too long ago; ask again";
  return undefined;
}
