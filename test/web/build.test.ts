/** The console's pages as they are built: how heavy they are, and that they ask nobody else for anything. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildWeb } from "../../scripts/build-web.mjs";

const MOST_KB = 250;

let folder: string;
let taken: readonly string[];
let files: ReadonlyMap<string, Buffer>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "firebreak-web-"));
  taken = await buildWeb(folder);
  const names = await readdir(folder);
  files = new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)));
}, 120_000);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

// Bug: a library that somebody adds makes the first look take seconds on a slow line.
test(`the first load is at most ${MOST_KB} kB, compressed`, () => {
  const bytes = [...files.values()].reduce((sum, file) => sum + gzipSync(file).length, 0);
  expect(bytes / 1000).toBeGreaterThan(50); // it was built
  expect(bytes / 1000).toBeLessThanOrEqual(MOST_KB);
});

// Bug: the page works at / and not behind a prefix, asks another site, or holds a script that the policy does not let run.
test("the page loads what lies beside it, and nothing else", () => {
  const page = files.get("index.html")?.toString("utf8") ?? "";
  const loaded = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address);
  expect(loaded.filter((address) => address !== "data:,").every((address) => /^\.\/[\w.-]+\.(js|css)$/.test(address ?? ""))).toBe(
    true,
  );
  expect(loaded.length).toBeGreaterThan(2);
  expect(page).not.toMatch(/<style|style="|\son\w+="|<script(?![^>]* src=)/);
  const styles = [...files].filter(([name]) => name.endsWith(".css")).map(([, bytes]) => bytes.toString("utf8"));
  expect(styles.join("\n")).not.toMatch(/@import|url\((?!["']?data:)/);
});

// Bug: a module of core that only servers can run, or one that a reader has no need of, goes into the pages.
test("of the rest of Firebreak only what the API says and how text is shown is taken in", () => {
  const ours = taken.filter((file) => !file.startsWith("node_modules/") && !file.startsWith("web/"));
  expect(ours.toSorted()).toEqual(["core/api/shapes.ts", "core/ground/visible.ts"]);
});
