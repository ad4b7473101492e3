import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "vitest";

/** Compares a text with `test/golden/NAME`; `UPDATE_GOLDEN=1` writes it instead. A missing file is a failure, never a new truth. */
export function expectGolden(name: string, actual: string): void {
  const path = join(import.meta.dirname, "..", "golden", name);
  const text = actual.endsWith("\n") ? actual : `${actual}\n`;
  if (process.env["UPDATE_GOLDEN"] === "1") {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  expect(existsSync(path), `no golden file ${name}: run with UPDATE_GOLDEN=1 and review it`).toBe(true);
  expect(text).toBe(readFileSync(path, "utf8"));
}
