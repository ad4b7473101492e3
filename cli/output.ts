import { stringify } from "yaml";

export const OUTPUT_FORMATS = ["table", "json", "yaml"] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** Prints a result on standard output: as JSON or YAML, or as the text that `table` makes. */
export function printResult(format: OutputFormat, value: unknown, table: () => string): void {
  const text = format === "json" ? JSON.stringify(value, undefined, 2) : format === "yaml" ? stringify(value).trimEnd() : table();
  process.stdout.write(`${text}\n`);
}
