import { expect, test } from "vitest";
import { API, type StatusAnswer } from "../../core/api/shapes.ts";
import { statusAnswer } from "./answers.ts";
import { FakeService } from "./fake-service.ts";
import { runCli, scratchFolder } from "./run-cli.ts";

const COMMIT = "4".repeat(40);

const ANSWER = statusAnswer();
/** In force, and applied on every target that is written. */
const CONVERGED: StatusAnswer = {
  ...ANSWER,
  targets: ANSWER.targets.map((target) => ({ ...target, revision: 4, wanted: 4 })),
  repository: { ...ANSWER.repository, refused: null },
};

// Bug: a runner of workflows needs the operator's settings to ask the service anything.
test("the environment names a service elsewhere, and no settings are read", async () => {
  await using service = await FakeService.start(({ path }) => (path === API.status ? { body: ANSWER } : undefined));
  await using scratch = await scratchFolder({ "firebreak.yaml": "no: settings\n" });
  const { code, stdout } = await runCli(["status", "-o", "json"], { cwd: scratch.folder, env: service.environment });
  expect({ code, answer: JSON.parse(stdout) as unknown }).toEqual({ code: 0, answer: ANSWER });
});

// Bug: behind a proxy that serves it below a path it is not found.
test("the URL may have a path", async () => {
  await using service = await FakeService.start(({ path }) => (path === `/firebreak${API.findings}` ? { body: [] } : undefined));
  const env = { ...service.environment, FIREBREAK_SERVICE_URL: `${service.environment.FIREBREAK_SERVICE_URL}/firebreak/` };
  expect(await runCli(["findings"], { env })).toMatchObject({ code: 0, stderr: "" });
});

// Bug: a secret that the forge did not hand out leads to another service, or to one without a token.
test.each([
  [{ FIREBREAK_SERVICE_URL: "https://firebreak.example", FIREBREAK_SERVICE_TOKEN: "" }, "FIREBREAK_SERVICE_TOKEN is not set"],
  [{ FIREBREAK_SERVICE_TOKEN: "hunter2" }, "FIREBREAK_SERVICE_URL is not set"],
  [{ FIREBREAK_SERVICE_URL: "ftp://firebreak.example", FIREBREAK_SERVICE_TOKEN: "hunter2" }, "must be an http(s) URL"],
  [{ FIREBREAK_SERVICE_URL: "https://me:hunter2@firebreak.example", FIREBREAK_SERVICE_TOKEN: "x" }, "must be an http(s) URL"],
  [{ FIREBREAK_SERVICE_URL: "firebreak.example", FIREBREAK_SERVICE_TOKEN: "hunter2" }, "must be an http(s) URL"],
])("%j is refused", async (env, why) => {
  const { code, stdout, stderr } = await runCli(["status"], { env });
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain(`error CONFIG_INVALID: ${why}`.replace("must", "FIREBREAK_SERVICE_URL must"));
  expect(stderr).not.toContain("hunter2");
});

// Bug: `--config test.yaml` and a variable that was left set from before: the other service is told to release a target.
test("settings that are named and a service elsewhere are not taken together", async () => {
  await using service = await FakeService.start(() => ({ body: ANSWER }));
  const { code, stderr } = await runCli(["status", ...service.config], { env: service.environment });
  expect(code).toBe(1);
  expect(stderr).toContain("name two services");
  expect(service.requests).toEqual([]);
});

// Bug: the token goes over the network in the clear and nobody says so; or the words of a proxy are taken for an answer.
test("a token over http is told, and a redirect is not followed", async () => {
  await using service = await FakeService.start(() => ({ status: 302, body: "<html>log in</html>" }));
  const env = { ...service.environment, FIREBREAK_SERVICE_URL: "http://firebreak.invalid:1" };
  expect((await runCli(["status"], { env })).stderr).toContain("is not https");
  const { code, stderr } = await runCli(["status"], { env: service.environment });
  expect(code).toBe(1);
  expect(stderr).toContain("error API_REFUSED: the service answered HTTP 302");
});

// Bug: the merge is reported as live while targets still have the revision before it.
test("status --wait ends when the commit is in force and applied everywhere", async () => {
  const [first, ...others] = CONVERGED.targets;
  const before = { ...CONVERGED, revision: { ...CONVERGED.revision!, sequence: 3, commit: "3".repeat(40) } };
  const behind = { ...CONVERGED, targets: [{ ...first!, state: "pending", revision: 3 } as const, ...others] };
  const answers = [before, behind, CONVERGED];
  await using service = await FakeService.start(() => ({ body: answers.shift() ?? CONVERGED }));
  const { code, stdout, stderr } = await runCli(["status", "--wait", COMMIT, "-o", "json"], { env: service.environment });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual(CONVERGED);
  expect(stderr.trim().split("\n")).toEqual([
    "waiting: revision 3 (3333333333) is in force, 4444444444 is not",
    `waiting: revision 4 is not applied yet on ${first!.target} (pending)`,
  ]);
});

// Bug: a service that is restarted while the workflow waits fails it; or a wrong token is tried until time is up.
test("status --wait outlives what passes, and no more than that", async () => {
  const answers = [{ status: 503, body: { code: "STORE_UNAVAILABLE", message: "the store is away" } }, { body: CONVERGED }];
  await using service = await FakeService.start(() => answers.shift());
  const args = ["status", "--wait", COMMIT];
  const { code, stderr } = await runCli(args, { env: service.environment });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "waiting: the store is away\n" });
  const denied = await runCli(args, { env: { ...service.environment, FIREBREAK_SERVICE_TOKEN: "another" } });
  expect(denied).toMatchObject({ code: 1, stderr: expect.stringContaining("AUTH_DENIED") as string });
  expect(service.requests).toHaveLength(3);
});

// Bug: a refused merge ends green, or only after minutes, without the reason.
test("status --wait fails at once when the commit is refused, with the reason", async () => {
  await using service = await FakeService.start(() => ({ body: ANSWER }));
  const { code, stdout, stderr } = await runCli(["status", "--wait", "5".repeat(40)], { env: service.environment });
  expect(code).toBe(1);
  expect(stdout).toContain('unknown key "podz"');
  expect(stderr).toContain("error REVISION_INVALID: 1 definition holds an error");
  expect(service.requests).toHaveLength(1);
});

// Bug: it waits for ever.
test("status --wait ends when time is up, and says what is missing", async () => {
  await using service = await FakeService.start(() => ({ body: CONVERGED }));
  const args = ["status", "--wait", "6".repeat(40), "--timeout", "1ms"];
  const { code, stderr } = await runCli(args, { env: service.environment });
  expect(code).toBe(1);
  expect(stderr).toContain("error WAIT_TIMED_OUT: after 1ms revision 4 (4444444444) is in force, 6666666666 is not");
  for (const wrong of [
    ["--wait", "main"],
    ["--wait", COMMIT, "--timeout", "soon"],
    ["--wait", COMMIT, "--watch"],
  ])
    expect((await runCli(["status", ...wrong], { env: service.environment })).code, wrong.join(" ")).toBe(1);
});
