import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startForge, type Forge } from "../../testbed/forge.ts";
import { git } from "../../testbed/git-repository.ts";
import { openRun, type Run } from "../../testbed/run.ts";
import { openDoubleWorld } from "../adapters/forge/world.ts";
import { readWorkflow } from "./files.ts";
import { exampleText, openPolicyRepository, type PolicyRepository } from "./repository.ts";
import { runJob, type JobResult } from "./runner.ts";

const workflow = readWorkflow("plan");
const IS_OURS = "github.event.pull_request.head.repo.full_name == github.repository";

let repository: PolicyRepository;
let jobs = 0;

beforeAll(async () => {
  repository = await openPolicyRepository();
});
afterAll(async () => {
  await repository[Symbol.asyncDispose]();
});

interface Pull {
  readonly head: string;
  readonly number: number;
  readonly isFork?: true;
  readonly token: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** The workflow on a pull request. */
async function plan({ head, number, isFork, token, environment }: Pull): Promise<JobResult> {
  return await runJob(workflow, workflow.jobs["plan"]!, {
    folder: join(repository.folder, `job-${jobs++}`),
    expressions: {
      "github.token": token,
      "github.event.pull_request.base.ref": "main",
      "github.event.pull_request.head.sha": head,
      "github.event.pull_request.number": String(number),
      [IS_OURS]: isFork === true ? "false" : "true",
    },
    environment: { ...repository.environment, ...environment },
  });
}

/** order-flow.yaml with something else in place of one rule's origin. */
async function orderFlow(from: string): Promise<Record<string, string>> {
  const text = await exampleText("policies/order-flow.yaml");
  return {
    "policies/policies/order-flow.yaml": text.replace("from: [order-input], to: [cust-record]", `from: ${from}, to: [cust-record]`),
  };
}

// Bug: every push adds a comment.
test("one comment says what opens, edited with the change", async () => {
  await using world = await openDoubleWorld();
  const number = await world.openIssue("a pull request", "");
  const on = { number, token: "installation-token", environment: { GITHUB_API_URL: world.double.url } };
  const comments = () => world.double.state.comments.filter((comment) => comment.number === number).map(({ body }) => body);

  const head = await repository.commit({ files: await orderFlow("[order-input, geo-location]") });
  const first = await plan({ ...on, head });
  expect(first.failed).toBeUndefined();
  expect(first.summary).toMatch(/geo-location/);
  expect(comments()).toEqual([expect.stringContaining(first.summary.trim())]);

  const bad = await plan({ ...on, head: await repository.commit({ files: await orderFlow("[order-input, dev]") }) });
  expect(bad.failed).toBeUndefined(); // the check says no; this only tells
  expect(bad.summary).toMatch(/production/);
  expect(comments()).toEqual([expect.stringContaining(bad.summary.trim())]);
});

// Bug: a fork's run fails because it may not write; a mistake in a definition leaves the comment of before.
test("a mistake is in the comment too; a fork's plan is in the summary only", async () => {
  await using world = await openDoubleWorld();
  const number = await world.openIssue("a pull request", "");
  const on = { number, token: "installation-token", environment: { GITHUB_API_URL: world.double.url } };
  const comments = () => world.double.state.comments.filter((comment) => comment.number === number).map(({ body }) => body);

  const head = await repository.commit({ files: await orderFlow("[order-inptu]") });
  const fork = await plan({ ...on, head, isFork: true });
  expect(fork.failed).toBeUndefined();
  expect(fork.summary).toMatch(/order-inptu/);
  expect(comments()).toEqual([]);

  const mistake = await plan({ ...on, head });
  expect(mistake.failed).toBeUndefined();
  expect(mistake.summary).toBe(fork.summary);
  expect(comments()).toEqual([expect.stringContaining(mistake.summary.trim())]);
});

// Bug: a token that may not write is taken for success.
test("a comment that the forge refuses fails the step, with the reason", async () => {
  await using world = await openDoubleWorld();
  world.double.fault = (method) => (method === "POST" ? { kind: "error", status: 403 } : undefined);
  const head = await repository.commit({ files: await orderFlow("[order-input, geo-location]") });
  const number = await world.openIssue("a pull request", "");
  const { failed } = await plan({ head, number, token: "installation-token", environment: { GITHUB_API_URL: world.double.url } });
  expect(failed).toMatchObject({ name: "Comment", stderr: expect.stringContaining("AUTH_DENIED") as string });
});

// Bug: text of a pull request ends a code block, mentions people or is obeyed by the shell.
test("what a stranger writes is shown, not obeyed", async () => {
  await using world = await openDoubleWorld();
  const number = await world.openIssue("a pull request", "");
  const text = (await exampleText("policies/order-flow.yaml")).replace(
    "[order-input], to: [cust-record]",
    "[any], to: [cust-record]",
  );
  const hostile = text.replace(
    /reason: .*/,
    'reason: "```\\n</details> @everyone $(touch ran) <!channel> <img src=x> ${{ github.token }}"',
  );
  const head = await repository.commit({
    files: { "policies/policies/order-flow.yaml": hostile, "policies/policies/@everyone$(touch ran)`.yaml": hostile },
  });
  const { failed, summary } = await plan({
    head,
    number,
    token: "installation-token",
    environment: { GITHUB_API_URL: world.double.url },
  });
  expect(failed).toBeUndefined();
  const outside = summary.replaceAll(/^(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\1\s*$/gm, "").replaceAll(/`[^`\n]*`/g, "");
  expect(outside).not.toMatch(/@everyone|<img|<!channel/);
});

/** The same file on a forge that is not GitHub. */
async function withGitea(work: (gitea: Forge) => Promise<void>): Promise<void> {
  const run: Run = openRun();
  try {
    await work(await startForge({ run }));
  } finally {
    await run.close();
  }
}

// Bug: what is copied works on GitHub only: its Git server, its API or its token are not like the others'.
test("on a real Gitea, with a private repository", async () => {
  await withGitea(async (gitea) => {
    const { owner, name, cloneUrl } = await gitea.createRepo("policies");
    const at = `/repos/${owner}/${name}`;
    await gitea.call("PATCH", at, { private: true });
    const head = await repository.commit({ files: await orderFlow("[order-input, geo-location]"), branch: "change" });
    const remote = cloneUrl.replace("://", `://${owner}:${gitea.token}@`);
    await git(repository.path, ["push", "--quiet", "--force", remote, "main", "change"]);
    const wish = { title: "`$(touch ran)`", head: "change", base: "main" };
    const { number } = (await gitea.call("POST", `${at}/pulls`, wish)) as { readonly number: number };
    const environment = {
      GITHUB_SERVER_URL: gitea.url,
      GITHUB_REPOSITORY: `${owner}/${name}`,
      GITHUB_API_URL: gitea.baseUrl,
      GITEA_ACTIONS: "true",
    };
    for (let round = 0; round < 2; round++)
      expect(await plan({ head, number, token: gitea.token, environment })).toMatchObject({ failed: undefined });
    const comments = (await gitea.call("GET", `${at}/issues/${number}/comments`)) as readonly { readonly body: string }[];
    expect(comments.map(({ body }) => body)).toEqual([expect.stringContaining("geo-location")]);
    expect(await plan({ head, number, token: "0".repeat(40), environment })).toMatchObject({
      failed: { name: "Fetch the base branch and the change" },
    });
  });
});
