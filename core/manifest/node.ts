import { parsePrefix } from "../address/index.ts";
import type { Checker, Json } from "./check.ts";
import { show } from "./check.ts";
import type { Path } from "./manifest-file.ts";

/** `podCIDR` and `podCIDRs` of a Node: where its pods get their addresses; one block for each family. Where they differ, `podCIDR` is it. */
export function nodeRanges(check: Checker, value: Json): readonly string[] {
  const spec = check.record(value["spec"], ["spec"]) ?? {};
  const path = ["spec", "podCIDRs"];
  const one = readRange(check, spec["podCIDR"], ["spec", "podCIDR"]);
  const listed = check.list(spec["podCIDRs"], path);
  if (one !== undefined && listed[0] !== one) return [one];
  const several = listed.map((item, index) => readRange(check, item, [...path, index]));
  const families = several.flatMap((range) => (range === undefined ? [] : [range.includes(":") ? 6 : 4]));
  if (new Set(families).size < families.length) check.error(path, "invalid-block", " must not hold two blocks of one family");
  return several.filter((range) => range !== undefined);
}

function readRange(check: Checker, value: unknown, path: Path): string | undefined {
  const text = check.text(value, path);
  if (text === undefined || text === "") return undefined;
  const parsed = parsePrefix(text);
  if (!text.includes("/")) check.error(path, "invalid-block", `: ${show(text)} is not a CIDR block, such as 10.0.0.0/24`);
  else if ("error" in parsed && parsed.corrected === undefined) check.error(path, "invalid-block", `: ${parsed.error}`);
  return text;
}

/** The addresses by which a Node is reached. */
export function nodeAddresses(check: Checker, value: Json): readonly string[] {
  const status = check.record(value["status"], ["status"]) ?? {};
  return check.list(status["addresses"], ["status", "addresses"]).flatMap((item, index) => {
    const entry = check.record(item, ["status", "addresses", index]);
    const isAddress = entry?.["type"] === "InternalIP" || entry?.["type"] === "ExternalIP";
    return isAddress && typeof entry["address"] === "string" ? [entry["address"]] : [];
  });
}
