import { defineConfig } from "vitest/config";
import { leftOut } from "./scripts/left-out.mjs";

/** Folders whose tests start servers, build namespaces or run as root; everything else is fast and touches nothing outside itself. */
const REAL = ["adapters", "testbed", "services", "e2e", "workflows"].map((folder) => `test/${folder}/**/*.test.ts`);

const unit = {
  extends: true as const,
  test: { name: "unit", include: ["test/**/*.test.ts"], exclude: REAL, testTimeout: 20_000, sequence: { groupOrder: 0 } },
};

/** Real servers share two cores: one or two files at a time, and time to boot. */
const real = {
  extends: true as const,
  test: {
    name: "real",
    include: REAL,
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    // A machine shared with others can stall any server for longer than a deadline. CI tries once more and names what needed it.
    retry: process.env["CI"] === undefined ? 0 : 1,
    sequence: { groupOrder: 1 },
  },
};

export default defineConfig({
  test: {
    pool: "forks",
    globalSetup: ["./scripts/left-out.mjs"],
    // `npm test` on a machine that lacks a part of the real world runs the fast tests, and says first and last what it went without.
    projects: leftOut().length === 0 ? [unit, real] : [unit],
  },
});
