import { parsePrefix } from "../address/index.ts";
import type { Prefix } from "../address/index.ts";
import type { Problems } from "./json.ts";

/** Host bits are masked and IPv4-mapped blocks are IPv4, as Kubernetes and kernels do; anything else that is no CIDR is a problem. */
export function readCidr(value: unknown, at: string, problems: Problems): Prefix | undefined {
  const parsed = typeof value === "string" ? parsePrefix(value) : { error: `${String(value)} is not a text` };
  if ("ok" in parsed) return parsed.ok;
  if (parsed.corrected === undefined) problems.push(`${at}: ${parsed.error}; the block matches nothing here`);
  return parsed.corrected;
}

/** Present and not null, as the API server reads optional fields. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
