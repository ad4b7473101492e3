import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");

/** One line of code in one file; `rule` is what must refuse it, undefined when it is allowed. */
interface Case {
  readonly file: string;
  readonly code: string;
  readonly rule?: "boundaries" | "pure-core";
}

const REFUSED: readonly Case[] = [
  // core: nothing from outside, in any form of import
  { file: "core/plan/io.ts", code: 'import { readFile } from "node:fs/promises";\nexport const x = readFile;', rule: "boundaries" },
  { file: "core/plan/io-bare.ts", code: 'import { connect } from "net";\nexport const x = connect;', rule: "boundaries" },
  { file: "core/plan/io-late.ts", code: 'export const x = () => import("node:child_process");', rule: "boundaries" },
  { file: "core/plan/io-again.ts", code: 'export { request } from "node:http";', rule: "boundaries" },
  { file: "core/plan/io-all.ts", code: 'export * from "node:fs";', rule: "boundaries" },
  { file: "core/plan/library.ts", code: 'import { Redis } from "ioredis";\nexport const x = Redis;', rule: "boundaries" },
  {
    file: "core/plan/adapter.ts",
    code: 'import { x } from "../../adapters/git/read.ts";\nexport const y = x;',
    rule: "boundaries",
  },
  {
    file: "core/plan/type.ts",
    code: 'import type { T } from "../../services/syncer/main.ts";\nexport type Y = T;',
    rule: "boundaries",
  },
  { file: "core/verdict/evaluate.ts", code: 'import { x } from "../render/nft.ts";\nexport const y = x;', rule: "boundaries" },
  // what reads rendered rules back shares nothing with what wrote them, in any form of import
  {
    file: "core/verdict/nft/list.ts",
    code: 'import { TABLE } from "../../render/nft-names.ts";\nexport const y = TABLE;',
    rule: "boundaries",
  },
  {
    file: "core/verdict/nft/type.ts",
    code: 'import type { T } from "../../render/nft-types.ts";\nexport type Y = T;',
    rule: "boundaries",
  },
  { file: "core/verdict/nft/late.ts", code: 'export const y = () => import("../../render/nft.ts");', rule: "boundaries" },
  { file: "core/enforced/host.ts", code: 'import { x } from "../render/nft.ts";\nexport const y = x;', rule: "boundaries" },
  { file: "core/enforced/cluster.ts", code: 'export { x } from "../render/networkpolicy.ts";', rule: "boundaries" },
  { file: "core/enforced/want.ts", code: 'import type { T } from "../compile/want.ts";\nexport type Y = T;', rule: "boundaries" },
  { file: "core/enforced/plan.ts", code: 'import { x } from "../plan/host.ts";\nexport const y = x;', rule: "boundaries" },
  // core has floors, for types as for values
  { file: "core/selector/up.ts", code: 'import { x } from "../model/kinds.ts";\nexport const y = x;', rule: "boundaries" },
  { file: "core/guardrail/up.ts", code: 'import type { T } from "../text/basis.ts";\nexport type Y = T;', rule: "boundaries" },
  { file: "core/unknown/new.ts", code: 'import { x } from "../ground/error.ts";\nexport const y = x;', rule: "boundaries" },
  // core: no clock, no chance, no process
  { file: "core/plan/clock.ts", code: "export const x = () => Date.now();", rule: "pure-core" },
  { file: "core/plan/date.ts", code: "export const x = () => new Date();", rule: "pure-core" },
  { file: "core/plan/chance.ts", code: "export const x = () => Math.random();", rule: "pure-core" },
  { file: "core/plan/uuid.ts", code: 'import { randomUUID } from "node:crypto";\nexport const x = randomUUID;', rule: "pure-core" },
  { file: "core/plan/env.ts", code: 'export const x = () => process.env["HOME"];', rule: "pure-core" },
  { file: "core/plan/timer.ts", code: "export const x = (f: () => void) => setTimeout(f, 1);", rule: "pure-core" },
  // adapters: core only, never another adapter, from whatever depth
  { file: "adapters/git/other.ts", code: 'import { x } from "../kubernetes/client.ts";\nexport const y = x;', rule: "boundaries" },
  { file: "adapters/git/deep/other.ts", code: 'import { x } from "../../store/open.ts";\nexport const y = x;', rule: "boundaries" },
  { file: "adapters/git/service.ts", code: 'import { x } from "../../services/log.ts";\nexport const y = x;', rule: "boundaries" },
  // services and cli: nothing of the test world
  { file: "services/drift/cli.ts", code: 'import { x } from "../../cli/output.ts";\nexport const y = x;', rule: "boundaries" },
  { file: "services/drift/bed.ts", code: 'import { x } from "../../testbed/build.mjs";\nexport const y = x;', rule: "boundaries" },
  { file: "cli/bed.ts", code: 'import { x } from "../testbed/build.mjs";\nexport const y = x;', rule: "boundaries" },
  { file: "cli/tested.ts", code: 'import { x } from "../test/support/x.ts";\nexport const y = x;', rule: "boundaries" },
  { file: "testbed/tested.ts", code: 'import { x } from "../test/support/x.ts";\nexport const y = x;', rule: "boundaries" },
];

const ALLOWED: readonly Case[] = [
  {
    file: "core/plan/fine.ts",
    code: 'import { createHash } from "node:crypto";\nimport { z } from "zod";\nimport { x } from "../model/kinds.ts";\nexport const y = [createHash, z, x];',
  },
  { file: "core/plan/equal.ts", code: 'import { x } from "../enforced/source.ts";\nexport const y = x;' },
  { file: "core/enforced/fine.ts", code: 'import { x } from "../verdict/nft.ts";\nexport const y = x;' },
  { file: "core/plan/given.ts", code: "export const x = (now: number) => new Date(now);" },
  { file: "core/plan/named.ts", code: "export const x = (process: { readonly name: string }) => process.name;" },
  {
    file: "adapters/store/fine.ts",
    code: 'import { x } from "../../core/model/kinds.ts";\nimport { z } from "./deep/own.ts";\nexport const y = [x, z, process.pid];',
  },
  { file: "adapters/store/deep/fine.ts", code: 'import { x } from "../open.ts";\nexport const y = x;' },
  {
    file: "services/drift/fine.ts",
    code: 'import { x } from "../../adapters/git/read.ts";\nimport { z } from "../../core/model/kinds.ts";\nexport const y = [x, z, Date.now()];',
  },
  {
    file: "cli/fine.ts",
    code: 'import { x } from "../services/log.ts";\nimport pkg from "../package.json" with { type: "json" };\nexport const y = [x, pkg];',
  },
  { file: "testbed/fine.ts", code: 'import { x } from "../services/log.ts";\nexport const y = x;' },
  { file: "test/core/fine.test.ts", code: 'import { x } from "../../testbed/world.ts";\nexport const y = x;' },
];

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
}

let folder: string;
let diagnostics: readonly Diagnostic[];

/** Lints all cases at once with the repository's own configuration, in a folder of the same shape. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "firebreak-lint-"));
  for (const name of [".oxlintrc.json", "scripts", "node_modules", "package.json"])
    await symlink(join(root, name), join(folder, name));
  for (const { file, code } of [...REFUSED, ...ALLOWED]) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), `${code}\n`);
  }
  const areas = [...new Set([...REFUSED, ...ALLOWED].map(({ file }) => file.split("/")[0] ?? ""))];
  const oxlint = join(root, "node_modules", ".bin", "oxlint");
  const { stdout } = await run(oxlint, ["--format=json", ...areas], { cwd: folder, maxBuffer: 1e7 }).catch(
    (failed: { readonly stdout: string }) => failed, // oxlint leaves with 1 when it found something
  );
  diagnostics = (JSON.parse(stdout) as { readonly diagnostics: readonly Diagnostic[] }).diagnostics;
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

function ruleHits(file: string): readonly string[] {
  return diagnostics.filter(({ filename, code }) => filename === file && code.startsWith("firebreak(")).map(({ code }) => code);
}

// Bug: a boundary that exists on paper only; the next wrong import goes in unseen.
describe("is refused", () => {
  test.each(REFUSED)("$file: $code", ({ file, rule }) => {
    expect(ruleHits(file)).toEqual([`firebreak(${rule})`]);
  });
});

// Bug: a rule so broad that people switch it off.
describe("is allowed", () => {
  test.each(ALLOWED)("$file: $code", ({ file }) => {
    expect(ruleHits(file)).toEqual([]);
  });
});
