import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Job, Step, Workflow } from "./files.ts";

/** What a step left. */
export interface StepResult {
  readonly name: string;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface JobResult {
  readonly steps: readonly StepResult[];
  /** The step that failed; later ones did not run. */
  readonly failed: StepResult | undefined;
  readonly summary: string;
}

export interface Runner {
  /** A folder of its own, for files and the home of the job. */
  readonly folder: string;
  /** Values of expressions, by their text: a step that uses another one is a mistake of the test. */
  readonly expressions: Readonly<Record<string, string>>;
  /** What the forge tells every step: GITHUB_SERVER_URL and so on. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Runs every step of a job as a runner would: bash with its options, files for summary and PATH, nothing else of this machine. */
export async function runJob(workflow: Workflow, job: Job, runner: Runner): Promise<JobResult> {
  const place = (name: string): string => join(runner.folder, name);
  for (const name of ["temp", "workspace", "home"]) await mkdir(place(name), { recursive: true });
  for (const name of ["path", "summary", "env", "output"]) await writeFile(place(name), "");
  const results: StepResult[] = [];
  for (const step of job.steps) {
    if (step.if !== undefined && valueOf(step.if, runner) !== "true") continue;
    const result = await runStep(step, {
      ...runner.environment,
      ...evaluated({ ...workflow.env, ...job.env, ...step.env }, runner),
      CI: "true",
      GITHUB_ACTIONS: "true",
      GITHUB_STEP_SUMMARY: place("summary"),
      GITHUB_PATH: place("path"),
      GITHUB_ENV: place("env"),
      GITHUB_OUTPUT: place("output"),
      GITHUB_WORKSPACE: place("workspace"),
      RUNNER_TEMP: place("temp"),
      HOME: place("home"),
      PATH: await pathOf(place("path")),
    });
    results.push(result);
    if (result.code !== 0) break;
  }
  const last = results.at(-1);
  return { steps: results, failed: last?.code === 0 ? undefined : last, summary: await readFile(place("summary"), "utf8") };
}

/** What steps added goes first; then the Node that runs this test, as the container has it. */
async function pathOf(file: string): Promise<string> {
  const added = (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
  return [...added.toReversed(), dirname(process.execPath), "/usr/local/bin", "/usr/bin", "/bin"].join(":");
}

function evaluated(env: Readonly<Record<string, string>>, runner: Runner): Record<string, string> {
  const inside = (text: string): string =>
    text.replaceAll(/\$\{\{\s*(.*?)\s*\}\}/g, (_, expression: string) => valueOf(expression, runner));
  return Object.fromEntries(Object.entries(env).map(([name, text]) => [name, inside(String(text))]));
}

function valueOf(expression: string, { expressions }: Runner): string {
  const value = expressions[expression];
  if (value === undefined) throw new Error(`the test has no value for \${{ ${expression} }}`);
  return value;
}

/** `shell: bash` of the runner: docs.github.com, "Workflow syntax", jobs.<job_id>.steps[*].shell. */
async function runStep({ name, run }: Step, env: Readonly<Record<string, string>>): Promise<StepResult> {
  const script = join(env["HOME"] ?? "", "step.sh");
  await writeFile(script, run ?? "");
  return await new Promise((resolve, reject) => {
    const child = spawn("bash", ["--noprofile", "--norc", "-eo", "pipefail", script], {
      cwd: env["GITHUB_WORKSPACE"],
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ name, code, stdout, stderr }));
  });
}
