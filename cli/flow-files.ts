import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { FirebreakError } from "../core/ground/error.ts";
import { readFlows } from "../core/flow/file.ts";
import type { FlowTable } from "../core/flow/flow.ts";
import { FORMATS } from "../core/flow/formats/index.ts";
import type { FlowFormat, LineRead } from "../core/flow/sighting.ts";

/** Characters of a line that are read; no source of flows writes longer ones. */
const LONGEST_LINE = 65_536;

/** Lines that are looked at to find out how a file is written. */
const LINES_TO_TELL = 50;

/** Reads what `flows import` wrote. @throws FirebreakError USAGE */
export async function readFlowFile(file: string): Promise<FlowTable> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    throw new FirebreakError("USAGE", `read the flows ${file}; \`firebreak flows import\` writes such a file`, { cause });
  }
  return readFlows(value, file);
}

/**
 * Every line of a log of flows, read.
 *
 * @param named the format; undefined: the one that the first lines are written in
 * @throws FirebreakError USAGE when there is no such file, or nobody can tell how it is written
 */
export async function* readFlowLines(
  file: string,
  named: string | undefined,
): AsyncGenerator<{ readonly format: string; readonly read: LineRead }> {
  const format = FORMATS.find(({ name }) => name === named) ?? (await formatOf(file));
  for await (const line of linesOf(file)) {
    if (line.trim() === "") continue;
    const isLong = line.length > LONGEST_LINE;
    const read: LineRead = isLong ? { kind: "broken", why: `is longer than ${LONGEST_LINE} characters` } : format.read(line);
    yield { format: format.name, read };
  }
}

async function formatOf(file: string): Promise<FlowFormat> {
  let left = LINES_TO_TELL;
  for await (const line of linesOf(file)) {
    const found = line.length > LONGEST_LINE ? undefined : FORMATS.find(({ isLike }) => isLike(line));
    if (found !== undefined) return found;
    left -= 1;
    if (left === 0) break;
  }
  const names = FORMATS.map(({ name }) => name).join(", ");
  throw new FirebreakError(
    "USAGE",
    `${file}: its first lines are written in no format that is known; say which with --format: ${names}`,
  );
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const stream = createReadStream(file, "utf8");
  // Waits for the first bytes, so that a file that is not there is an error here and not one of the process.
  const failed = new Promise<never>((_, reject) => stream.once("error", reject));
  failed.catch(() => undefined);
  try {
    await Promise.race([failed, new Promise<void>((resolve) => stream.once("ready", () => resolve()))]);
    yield* createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (cause) {
    throw new FirebreakError("USAGE", `read ${file}`, { cause });
  } finally {
    stream.destroy();
  }
}
