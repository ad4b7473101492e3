import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startReceiver } from "../support/http-receiver.ts";
import { readWorkflow } from "./files.ts";
import { exampleText, openPolicyRepository, TOOL, type PolicyRepository } from "./repository.ts";
import { runJob, type JobResult } from "./runner.ts";

const workflow = readWorkflow("check");

let repository: PolicyRepository;
let jobs = 0;

beforeAll(async () => {
  repository = await openPolicyRepository();
});
afterAll(async () => {
  await repository[Symbol.asyncDispose]();
});

/** The workflow on a pull request with this head. */
async function check(head: string, job = "check", environment: Readonly<Record<string, string>> = {}): Promise<JobResult> {
  const folder = join(repository.folder, `job-${jobs++}`);
  return await runJob(workflow, workflow.jobs[job]!, {
    folder,
    expressions: {
      "github.token": "read-only",
      "github.event.pull_request.base.ref": "main",
      "github.event.pull_request.head.sha": head,
    },
    environment: { ...repository.environment, ...environment },
  });
}

/** order-flow.yaml with something else in place of one rule's origin. */
async function orderFlow(from: string): Promise<Record<string, string>> {
  const text = await exampleText("policies/order-flow.yaml");
  const changed = text.replace("from: [order-input], to: [cust-record]", `from: ${from}, to: [cust-record]`);
  expect(changed).not.toBe(text);
  return { "policies/policies/order-flow.yaml": changed };
}

// Bug: a good change cannot be merged.
test("a good pull request passes, and says what was checked", async () => {
  const { failed, steps, summary } = await check(
    await repository.commit({ files: await orderFlow("[order-input, geo-location]") }),
  );
  expect(failed).toBeUndefined();
  expect(steps.map(({ name }) => name)).toEqual(workflow.jobs["check"]!.steps.map(({ name }) => name));
  expect(summary).toMatch(/^ {4}2 claims of guardrails, 4 tests, .*: 6 passed, 0 failed$/m);
});

// Bug: a change that no policy may make is green, or the pull request does not say where it is made.
test("a guardrail that is broken fails the step, at the line of the rule", async () => {
  const { failed, summary } = await check(await repository.commit({ files: await orderFlow("[order-input, dev]") }));
  expect(failed).toMatchObject({ name: "Guardrails and the tests of policies hold", code: 1 });
  expect(failed?.stdout).toMatch(/^::error file=policies\/policies\/order-flow\.yaml,line=\d+,col=\d+,title=[^:]+::.*dev/m);
  expect(summary).toMatch(/^ {4}FAILED +production\/never\/0/m);
});

// Bug: a definition that the service will refuse is merged.
test("a mistake in a definition fails the step, at its line", async () => {
  const { failed } = await check(await repository.commit({ files: await orderFlow("[order-inptu]") }));
  expect(failed).toMatchObject({ name: "Every definition is valid", code: 1 });
  expect(failed?.stdout).toMatch(/^::error file=policies\/policies\/order-flow\.yaml,line=12,col=\d+,/m);
});

// Bug: the branch is checked as its author left it, and the merge of two good branches is bad.
test("what is checked is the merge", async () => {
  const file = {
    "policies/segments/new.yaml":
      "apiVersion: firebreak.dev/v1alpha1\nkind: Segment\nmetadata: {name: gone}\nspec:\n  members: [{addresses: [10.99.0.0/24]}]\n",
  };
  const before = await repository.commit({ files: file, branch: "main" });
  const head = await repository.commit({ files: await orderFlow("[order-input, gone]"), parent: before });
  expect((await check(head)).failed).toBeUndefined();
  await repository.commit({ remove: Object.keys(file), parent: before, branch: "main" });
  expect((await check(head)).failed).toMatchObject({ name: "Every definition is valid" });
  const conflict = await repository.commit({ files: { "policies/segments/new.yaml": "---\n" }, parent: before });
  expect((await check(conflict)).failed).toMatchObject({
    name: "Merge into the base branch",
    stdout: expect.stringContaining("::error::this does not merge") as string,
  });
  await repository.commit({ parent: repository.main, branch: "main" });
});

// Bug: a pull request brings settings of its own, and what holds is checked by them (L7).
test("obeys no settings of a pull request, and those of the base branch", async () => {
  const wide = { "firebreak.yaml": "repository: {url: /x}\nlifeline: {from: [0.0.0.0/0], ports: [1-65535/tcp]}\n" };
  const brought = await check(await repository.commit({ files: { ...wide, ...(await orderFlow("[order-input, geo-location]")) } }));
  expect(brought.failed).toBeUndefined();
  expect(brought.summary).toMatch(/: 6 passed, 0 failed$/m);
  const base = await repository.commit({ files: wide, branch: "main" });
  const taken = await check(await repository.commit({ remove: ["firebreak.yaml"], parent: base }));
  expect(taken.failed).toMatchObject({ name: "Guardrails and the tests of policies hold" });
  await repository.commit({ parent: repository.main, branch: "main" });
});

// Bug: attributes turn what is checked out into something better than what the service will read.
test("what is checked is the commit, not what its attributes make of it", async () => {
  const text = (await exampleText("policies/order-flow.yaml")).replace(/reason: .*/, 'reason: "$Id: \\q $"');
  const head = await repository.commit({
    files: { "policies/policies/order-flow.yaml": text, ".gitattributes": "*.yaml ident\n" },
  });
  expect((await check(head)).failed).toMatchObject({ name: "Every definition is valid", code: 1 });
});

// Bug: a pull request brings its own program, or settings for npm, and has it run.
test("nothing of a pull request is run", async () => {
  const proof = join(repository.folder, "ran");
  const script = `touch ${proof}; exit 0`;
  const manifest = JSON.stringify({ private: true, scripts: { preinstall: script, prepare: script }, bin: { firebreak: "x.sh" } });
  const head = await repository.commit({
    files: {
      [`${TOOL}/package.json`]: manifest,
      [`${TOOL}/package-lock.json`]: "{}",
      [`${TOOL}/firebreak-0.1.0.tgz`]: "no tarball",
      [`${TOOL}/.npmrc`]: `script-shell=${proof}\nignore-scripts=false\n`,
      ".npmrc": "registry=http://127.0.0.1:9/\nignore-scripts=false\n",
      "package.json": manifest,
      "policies/firebreak": `#!/bin/sh\n${script}\n`,
      "policies/link.yaml": "/etc/passwd",
      "firebreak.yaml": "repository: {url: 'ext::sh -c \"touch x\"', token: 'file:/etc/passwd'}\n",
      ".gitattributes": "* filter=evil diff=evil merge=evil\n",
      ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "touch x"\n',
    },
    modes: { "policies/firebreak": "100755", "policies/link.yaml": "120000" },
  });
  const { failed } = await check(head);
  expect(failed).toMatchObject({
    name: "Every definition is valid",
    stdout: expect.stringContaining("policies/link.yaml") as string,
  });
  expect(failed?.stdout).not.toContain("root:");
  expect(existsSync(proof)).toBe(false);
  expect(await readdir(join(repository.folder, `job-${jobs - 1}`, "workspace"))).toEqual([]);
});

// Bug: the name of the base branch is read as a command or as an option.
test("the name of a branch is only a name", async () => {
  const name = "a$(touch${IFS}ran)`id`;'\"&|--upload-pack=x";
  await repository.commit({ branch: name });
  const head = await repository.commit({});
  const folder = join(repository.folder, `job-${jobs++}`);
  const { failed } = await runJob(workflow, workflow.jobs["check"]!, {
    folder,
    expressions: { "github.token": "t", "github.event.pull_request.base.ref": name, "github.event.pull_request.head.sha": head },
    environment: repository.environment,
  });
  expect(failed).toBeUndefined();
  expect((await readdir(folder, { recursive: true })).filter((path) => /(^|\/)ran$/.test(path))).toEqual([]);
});

// Bug: code scanning is sent something that it cannot read, or for another commit.
test("results reach code scanning, also when a guardrail is broken", async () => {
  await using forge = await startReceiver();
  forge.answer = () => ({ status: 202, body: '{"id": "1"}' });
  const head = await repository.commit({ files: await orderFlow("[order-input, dev]") });
  const { failed } = await check(head, "code-scanning", {
    GITHUB_API_URL: forge.url,
    GITHUB_SHA: head,
    GITHUB_REF: "refs/pull/7/merge",
  });
  expect(failed).toBeUndefined();
  expect(forge.received).toMatchObject([
    { path: "/repos/acme/policies/code-scanning/sarifs", headers: { authorization: "Bearer read-only" } },
  ]);
  const body = JSON.parse(forge.received[0]!.body) as { readonly commit_sha: string; readonly ref: string; readonly sarif: string };
  expect(body).toMatchObject({ commit_sha: head, ref: "refs/pull/7/merge" });
  const sarif: unknown = JSON.parse(gunzipSync(Buffer.from(body.sarif, "base64")).toString("utf8"));
  expect(sarif).toMatchObject({ version: "2.1.0", runs: [{ results: [{ level: "error" }] }] });
  forge.answer = () => ({ status: 403, body: "{}" });
  expect(
    (await check(head, "code-scanning", { GITHUB_API_URL: forge.url, GITHUB_SHA: head, GITHUB_REF: "refs/pull/7/merge" })).failed
      ?.code,
  ).not.toBe(0);
});
