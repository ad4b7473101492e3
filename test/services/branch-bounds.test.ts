/** A commit of the branch whose guardrails take more work than a check may: refused, and never taken for fine. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openRepository } from "../../adapters/git/index.ts";
import { startGit, type GitFixture } from "../support/git-fixture.ts";
import { openPullWorld, type PullWorld } from "../support/pull-world.ts";

const V = "apiVersion: firebreak.dev/v1alpha1\n";
const WORLD = `${V}kind: Cluster\nmetadata: {name: eu}\nspec: {mode: apply, context: eu, enforcer: calico, podNetwork: routed, podRanges: [10.0.0.0/8]}\n---\n${V}kind: Workspace\nspec: {internal: [10.0.0.0/8]}\n---\n${V}kind: Segment\nmetadata: {name: s}\nspec: {members: [{namespaces: {}}], isolate: {ingress: enforce, egress: off}}\n`;
const GUARDRAIL = `${V}kind: Guardrail\nmetadata: {name: g}\nspec: {never: [{from: [internet], to: [s], ports: [any]}]}\n`;
const OPENS = `${V}kind: Policy\nmetadata: {name: p}\nspec: {owner: me, reason: test, rules: [{from: [internet], to: [s], ports: [80/tcp]}]}\n`;

let git: GitFixture;
let folder: string;
let world: PullWorld;

beforeEach(async () => {
  git = await startGit();
  folder = mkdtempSync(join(tmpdir(), "fb-branch-bounds-"));
  git.push({ "policies/a.yaml": WORLD, "policies/g.yaml": GUARDRAIL });
  const repository = openRepository({ url: git.url, branch: "main", path: "policies", folder, auth: { kind: "none" } });
  world = await openPullWorld({
    kind: "gitea",
    url: "http://127.0.0.1:1/api/v1",
    repository: "a/b",
    credential: { token: "x" },
    git: { url: git.url },
    repositoryOf: repository,
  });
  Object.assign(world.context, { forge: undefined });
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await git[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test("guardrails are checked in a worker: what breaks one is refused, what breaks none is accepted", async () => {
  expect((await world.follow()).kind).toBe("accepted");
  git.push({ "policies/p.yaml": OPENS });
  const outcome = await world.follow();
  expect(outcome).toMatchObject({ kind: "refused", problems: [{ code: "GUARDRAIL_VIOLATED" }] });
});

const OVER = [
  { kind: "timed-out", afterMs: 120_000 },
  { kind: "out-of-memory", limitMb: 2_048 },
  { kind: "too-large", why: "too many segments" },
] as const;

/** Workers answer this task so from now on. */
function endsWith(name: string, outcome: (typeof OVER)[number]): void {
  const { workers } = world.context;
  const run = async (task: string, ...rest: readonly unknown[]): Promise<unknown> =>
    task === name ? outcome : await (workers.run as (...args: readonly unknown[]) => Promise<unknown>).call(workers, task, ...rest);
  Object.assign(world.context, { workers: { run } });
}

// Bug: a commit whose guardrails nobody could check in time is accepted, or holds up the syncer while they are.
test.each(OVER)(
  "a commit whose guardrails are over the budget ($kind) is refused, and firebreak accept leads out",
  async (outcome) => {
    endsWith("guardrails", outcome);
    const refused = await world.follow();
    expect(refused).toMatchObject({ kind: "refused", problems: [{ code: "GUARDRAIL_UNDECIDED" }] });
    expect(JSON.stringify(refused)).toMatch(/not decided: too large.*firebreak accept/);
    expect(world.context.inForce).toBeUndefined();
  },
);

const MANY = Array.from(
  { length: 700 },
  (_, at) =>
    `${V}kind: Segment\nmetadata: {name: m${at}}\nspec: {members: [{pods: {matchLabels: {a: v${at}}}, namespaces: {}}], isolate: {ingress: enforce, egress: off}}\n`,
).join("---\n");

// Bug: how many workloads a large commit un-isolates is worked out in the service, which stands still meanwhile; or nobody knows, and it passes.
test("the limits are checked in a worker where the commit is large: what breaks one is refused, what breaks none is accepted", async () => {
  await world.follow();
  git.push({ "policies/many.yaml": MANY });
  expect((await world.follow()).kind).toBe("accepted");
  git.push({ "policies/many.yaml": MANY.replaceAll("ingress: enforce", "ingress: observe") });
  const refused = await world.follow();
  expect(refused).toMatchObject({ kind: "refused" });
  expect(JSON.stringify(refused)).toMatch(/would un-isolate [0-9]+ workload/);
});

test.each(OVER)("a commit whose limits are over the budget ($kind) is refused, and firebreak accept leads out", async (outcome) => {
  await world.follow();
  endsWith("limits", outcome);
  git.push({ "policies/many.yaml": MANY });
  const refused = await world.follow();
  expect(refused).toMatchObject({ kind: "refused", problems: [{ code: "LIMIT_EXCEEDED" }] });
  expect(JSON.stringify(refused)).toMatch(/not decided: too large.*firebreak accept/);
  expect(world.context.inForce?.sequence).toBe(1);
});
