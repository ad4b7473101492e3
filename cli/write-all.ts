import { once } from "node:events";

/** Characters gathered before they are written. */
const CHUNK = 65_536;

/** Writes pieces of text to standard output, waiting when the reader is slow: a big listing is never held whole. */
export async function writeAll(pieces: Iterable<string>): Promise<void> {
  let chunk = "";
  const flush = async (): Promise<void> => {
    if (!process.stdout.write(chunk)) await once(process.stdout, "drain");
    chunk = "";
  };
  for (const piece of pieces) {
    chunk += piece;
    if (chunk.length >= CHUNK) await flush();
  }
  await flush();
}
