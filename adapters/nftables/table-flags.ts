import { FAMILY, TABLE } from "../../core/render/nft-names.ts";
import { isRecord } from "../../core/render/nft-table.ts";

/**
 * A listed object; where it is our table, with the flags that the text listing tells (`flags dormant`, or any other line). nft 1.0.6
 * prints garbage for them in JSON: there, and not told in the text, they are unknown.
 */
export function withFlags(object: unknown, line: string): unknown {
  if (!isRecord(object) || !isRecord(object["table"])) return object;
  const { flags, ...table } = object["table"];
  if (table["family"] !== FAMILY || table["name"] !== TABLE) return object;
  return tableOf(table, readFlags(line) ?? (flags === undefined ? undefined : ["unknown"]));
}

/** A table with these flags, or without any. */
export function tableOf(table: Readonly<Record<string, unknown>>, flags: readonly string[] | undefined): unknown {
  return { table: { ...table, ...(flags === undefined ? {} : { flags }) } };
}

/** The flags in a line of the text listing; undefined for another line. */
export function readFlags(line: string): readonly string[] | undefined {
  return /^\s*flags (.+)$/
    .exec(line)?.[1]
    ?.split(",")
    .map((flag) => flag.trim());
}
