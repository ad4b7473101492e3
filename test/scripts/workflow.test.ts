import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: unknown;
  readonly jobs: Readonly<Record<string, { readonly permissions?: unknown; readonly steps: readonly Step[] }>>;
}

const workflow = parse(readFileSync(resolve(import.meta.dirname, "../../workflows/github/validate.yml"), "utf8")) as Workflow;
const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

// Bug: a check that runs a stranger's pull request with the right to write, or with the repository's secrets.
test("a pull request is checked with read-only rights and without secrets", () => {
  expect(Object.keys(workflow.on)).toEqual(["pull_request"]);
  expect(workflow.permissions).toEqual({ contents: "read" });
  expect(Object.values(workflow.jobs).map((job) => job.permissions)).toEqual([undefined]);
  expect(JSON.stringify(workflow)).not.toMatch(/secrets\.|GITHUB_TOKEN/);
  expect(steps.find((step) => step.uses?.startsWith("actions/checkout@"))?.with).toEqual({ "persist-credentials": false });
});

// Bug: an action that follows a branch, and changes under its users' feet.
test("each action is pinned to a version", () => {
  for (const { uses } of steps) if (uses !== undefined) expect(uses).toMatch(/@(v\d+(\.\d+)*|[0-9a-f]{40})$/);
});

// Bug: text of a pull request pasted into a shell.
test("no shell line contains an expression", () => {
  for (const { run } of steps) expect(run ?? "").not.toContain("${{");
});
