import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { API, type StatusAnswer } from "../../core/api/shapes.ts";
import { findingAnswers, statusAnswer } from "../cli/answers.ts";
import { FakeService } from "../cli/fake-service.ts";
import { readWorkflow } from "./files.ts";
import { openPolicyRepository, type PolicyRepository } from "./repository.ts";
import { runJob, type JobResult } from "./runner.ts";

let repository: PolicyRepository;
let jobs = 0;

beforeAll(async () => {
  repository = await openPolicyRepository();
});
afterAll(async () => {
  await repository[Symbol.asyncDispose]();
});

/** A workflow that asks the service, on the head of main. */
async function ask(
  name: "drift" | "apply",
  service: FakeService,
  token = service.environment.FIREBREAK_SERVICE_TOKEN,
): Promise<JobResult> {
  const workflow = readWorkflow(name);
  return await runJob(workflow, workflow.jobs[name]!, {
    folder: join(repository.folder, `job-${jobs++}`),
    expressions: {
      "github.token": "read-only",
      "vars.FIREBREAK_SERVICE_URL": service.environment.FIREBREAK_SERVICE_URL,
      "secrets.FIREBREAK_READ_TOKEN": token,
    },
    environment: { ...repository.environment, GITHUB_SHA: repository.main },
  });
}

const ANSWER = statusAnswer();
const TARGETS = ANSWER.targets.map((target) => ({ ...target, state: "in sync", revision: 4, wanted: 4, openFindings: 0 }) as const);

/** Everything is as Git says, at the head of main. */
function calm(): StatusAnswer {
  const revision = { ...ANSWER.revision!, commit: repository.main };
  return { ...ANSWER, revision, repository: { ...ANSWER.repository, refused: null }, targets: TARGETS };
}

// Bug: drift ends green, or a quiet night ends red.
test("drift: red with the findings when live is not what Git says, green when it is", async () => {
  await using drifted = await FakeService.start(({ path }) => ({ body: path === API.status ? ANSWER : findingAnswers() }));
  const red = await ask("drift", drifted);
  expect(red.failed).toMatchObject({
    name: "Compare live with Git",
    code: 2,
    stdout: expect.stringContaining("::error title=firebreak drift::") as string,
  });
  expect(red.summary).toMatch(/^ {4}\S/m);
  await using quiet = await FakeService.start(({ path }) => ({ body: path === API.status ? calm() : [] }));
  const green = await ask("drift", quiet);
  expect(green.failed).toBeUndefined();
  expect(green.summary).toBe("    no findings\n");
});

// Bug: nobody notices for weeks that the service or the secret is gone.
test("drift: red when the service does not answer, refuses the token, or no token was set", async () => {
  await using service = await FakeService.start(({ path }) => ({ body: path === API.status ? calm() : [] }));
  expect((await ask("drift", service, "another")).failed?.stderr).toContain("AUTH_DENIED");
  expect((await ask("drift", service, "")).failed?.stderr).toContain("FIREBREAK_SERVICE_TOKEN is not set");
  await service[Symbol.asyncDispose]();
  expect((await ask("drift", service)).failed?.stderr).toContain("API_UNREACHABLE");
});

// Bug: the merge is green before it is applied, or when it was refused.
test("apply: green when the commit is applied everywhere, red with the reason when it is refused", async () => {
  const before = { ...calm(), revision: { ...ANSWER.revision!, commit: "3".repeat(40) } };
  const answers = [before, calm()];
  await using service = await FakeService.start(() => ({ body: answers.shift() ?? calm() }));
  const green = await ask("apply", service);
  expect(green.failed).toBeUndefined();
  expect(service.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([`GET ${API.status}`, `GET ${API.status}`]);

  const refused = { commit: repository.main, code: "GUARDRAIL_VIOLATED", message: "1 guardrail would be broken", notes: [] };
  await using strict = await FakeService.start(() => ({ body: { ...before, repository: { ...before.repository, refused } } }));
  const red = await ask("apply", strict);
  expect(red.failed).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("GUARDRAIL_VIOLATED: 1 guardrail would be broken") as string,
  });
});
