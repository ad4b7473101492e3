import { execFile } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { buildProgram } from "../../cli/program.ts";
import { ERRORS } from "../../core/ground/error.ts";
import { buildPart } from "../../testbed/build.mjs";
import { readWorkflows, WORKFLOW_FILES, WORKFLOWS_FOLDER, type Step } from "./files.ts";

const run = promisify(execFile);

const workflows = readWorkflows();
const named = [...workflows].map(([name, workflow]) => ({ name, workflow, jobs: Object.values(workflow.jobs) }));
const steps: readonly Step[] = named.flatMap(({ jobs }) => jobs.flatMap((job) => job.steps));

// Bug: a workflow that the forge refuses, or an expression that is empty there.
test("actionlint finds nothing in the workflows", async () => {
  const built = await buildPart("actionlint", { log: () => undefined });
  if ("missing" in built) throw new Error(built.missing);
  // Without the linters that it would find on one machine and not on the other.
  const { stdout } = await run(built.binary, ["-shellcheck=", "-pyflakes=", "-no-color", ...WORKFLOW_FILES]);
  expect(stdout).toBe("");
});

// Bug: the linter is called in a way that finds nothing in anything.
test("actionlint does find a mistake", async () => {
  const built = await buildPart("actionlint", { log: () => undefined });
  if ("missing" in built) throw new Error(built.missing);
  const lint = run(built.binary, ["-shellcheck=", "-pyflakes=", "-no-color", "-"]);
  lint.child.stdin?.end("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ github.evnt }}\n");
  await expect(lint).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringContaining('property "evnt" is not defined') as string,
  });
});

// Bug: text of a pull request (a title, the name of a branch) pasted into a shell.
test("no shell line contains an expression", () => {
  for (const { run: lines } of steps) expect(lines ?? "").not.toContain("${{");
});

// Bug: a stranger's pull request runs with the rights and the secrets of the base branch.
test("pull requests run as pull_request", () => {
  const events = named.flatMap(({ workflow }) => (typeof workflow.on === "string" ? [workflow.on] : Object.keys(workflow.on)));
  expect(events.filter((event) => !["pull_request", "push", "schedule", "workflow_dispatch"].includes(event))).toEqual([]);
});

// Bug: a job that a stranger's text reaches holds a secret or may write; rights that nothing needs.
test("what pull requests reach has no secret; rights are these and no others", () => {
  const rights = Object.fromEntries(
    named.flatMap(({ name, workflow }) =>
      Object.entries(workflow.jobs).map(([job, { permissions }]) => [`${name}.${job}`, permissions ?? workflow.permissions]),
    ),
  );
  const read = { contents: "read" };
  expect(rights).toEqual({
    "check.check": read,
    "check.code-scanning": { ...read, "security-events": "write" },
    "plan.plan": { ...read, "pull-requests": "write" },
    "drift.drift": read,
    "apply.apply": read,
  });
  for (const { name, workflow } of named)
    if (workflow.on === "pull_request") expect(JSON.stringify(workflow), name).not.toContain("secrets.");
});

// Bug: an action that follows a branch, and changes under its users' feet.
test("nobody else's action is used", () => {
  expect(steps.filter(({ uses }) => uses !== undefined)).toEqual([]);
});

// Bug: a shell in which a step goes on after a command of it has failed.
test("every shell is bash, which stops at the first failure, also in a pipe", () => {
  for (const { name, workflow } of named) expect(workflow.defaults, name).toEqual({ run: { shell: "bash" } });
});

// Bug: one of the copies of a step is mended and the other is not.
test("steps of one name are one text", () => {
  for (const [name, same] of Map.groupBy(steps, (step) => step.name))
    expect(new Set(same.map((step) => JSON.stringify([step.env, step.run]))).size, name).toBe(1);
});

const pages = readdirSync(WORKFLOWS_FOLDER, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".md"))
  .map((path) => ({ path, text: readFileSync(join(WORKFLOWS_FOLDER, path), "utf8") }));

// Bug: somebody follows a page at night, and the verb or the option on it is called otherwise by now.
test("verbs, options and codes of the runbooks are there", () => {
  const calls = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/(?:\$|&&|`) ?firebreak ([a-z][^`\n#]*)/g)].map(([, call = ""]) => ({ path, call })),
  );
  expect(calls.length).toBeGreaterThan(15);
  for (const { path, call } of calls) {
    const [verb = "", below = ""] = call.split(" ");
    const command = buildProgram().commands.find((each) => each.name() === verb);
    expect(command, `${path}: ${call}`).toBeDefined();
    const options = (command?.commands.find((each) => each.name() === below) ?? command)?.options.map(({ long }) => long);
    for (const [option] of call.matchAll(/--[a-z]+(?:-[a-z]+)*/g)) expect(options, `${path}: ${call}`).toContain(option);
  }
  const codes = pages.flatMap(({ text }) => text.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? []);
  const known = [...Object.keys(ERRORS), "PID_OF_FIREBREAK_UP"];
  expect(codes.filter((code) => !/^(FIREBREAK|GITHUB|NODE)_/.test(code) && !known.includes(code))).toEqual([]);
});

// Bug: a link to a page that was renamed.
test("links between the pages lead somewhere", () => {
  for (const { path, text } of pages) {
    for (const [, target = ""] of text.matchAll(/\]\(([^)#]+)\)/g)) {
      expect(() => statSync(join(WORKFLOWS_FOLDER, path, "..", target)), `${path}: ${target}`).not.toThrow();
    }
  }
});
