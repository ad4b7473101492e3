export const OUTPUT_FORMATS = ["table", "json", "yaml"] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** Prints one of many results: JSON in a line of its own, YAML as a document. */
export async function printNext(format: OutputFormat, value: unknown, table: () => string): Promise<void> {
  if (format === "json") process.stdout.write(`${JSON.stringify(value)}\n`);
  else process.stdout.write(`${format === "yaml" ? "---\n" : ""}${await formatResult(format, value, table)}\n`);
}

/** Prints a result on standard output: as JSON or YAML, or as the text that `table` makes. */
export async function printResult(format: OutputFormat, value: unknown, table: () => string): Promise<void> {
  process.stdout.write(`${await formatResult(format, value, table)}\n`);
}

async function formatResult(format: OutputFormat, value: unknown, table: () => string): Promise<string> {
  if (format === "json") return JSON.stringify(value, undefined, 2);
  if (format === "table") return table();
  const { stringify } = await import("yaml"); // late: the formats are needed for help, the library is not
  return stringify(value).trimEnd();
}

/** Prints what is no result (what is missing, what was applied) on standard error. */
export function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}
