/** The loop over pull requests on the double of GitHub, which has checks, and with everything going wrong. */
import { generateKeyPairSync } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Repository } from "../../adapters/git/index.ts";
import type { SourceFile } from "../../core/model/source.ts";
import { openDoubleWorld, type DoubleWorld } from "../adapters/forge/world.ts";
import { openPullWorld, type PullWorld } from "../support/pull-world.ts";
import type { Fault } from "../support/github-double/server.ts";
import type { GitStore } from "../support/github-double/git.ts";

const HEAD = "apiVersion: firebreak.dev/v1alpha1\n";
const segment = (app: string): string => `${HEAD}kind: Segment
metadata: {name: ${app}}
spec:
  members: [{pods: {matchLabels: {app: ${app}}}, namespaces: {matchLabels: {team: shop}}, clusters: {}}]
  isolate: {ingress: enforce, egress: off}
`;
const FILES = {
  "policies/targets.yaml": `${HEAD}kind: Cluster\nmetadata: {name: eu}\nspec: {mode: apply, context: eu, enforcer: calico, podNetwork: routed, podRanges: [10.244.0.0/16]}\n`,
  "policies/web.yaml": segment("web"),
  "policies/db.yaml": segment("db"),
};
const RULE = "{from: [web], to: [db], ports: [5432/tcp]}";
const POLICY = (rule: string): string =>
  `${HEAD}kind: Policy\nmetadata: {name: flow}\nspec: {owner: me, reason: because, rules: [${rule}]}\n`;
/** The same opening as a pull request, and one that is wrong in line 4. */
const GOOD = { "policies/flow.yaml": POLICY(RULE) };
const WRONG = { "policies/flow.yaml": POLICY("{from: [wob], to: [db], ports: [5432/tcp]}") };

let world: DoubleWorld;
let pulls: PullWorld;
let count = 0;

beforeEach(async () => {
  world = await openDoubleWorld({ app: { id: "1", installationId: "2", privateKey: privateKey() } });
  await world.push("main", FILES, "wanda");
  const { url, repository } = world.options;
  const git = { url: "/nowhere" };
  const repositoryOf = gitOf(world.double.state.git);
  pulls = await openPullWorld({ kind: "github", url, repository, credential: world.options.credential, git, repositoryOf });
  expect(await pulls.follow()).toMatchObject({ kind: "accepted" });
});

afterEach(async () => {
  await pulls?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

function privateKey(): string {
  return generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs1", format: "pem" }) as string;
}

/** The double's commits as the service reads a repository. */
function gitOf(git: GitStore): Repository {
  const filesOf = (commit: string): readonly SourceFile[] =>
    [...(git.at(commit)?.files ?? [])]
      .filter(([path]) => path.startsWith("policies/"))
      .map(([path, text]) => ({ path: path.slice("policies/".length), bytes: Buffer.from(text), mode: "100644" }));
  const info = (commit: string) => ({
    commit,
    tree: commit,
    parents: git.at(commit)?.parents ?? [],
    author: "a",
    committer: "c",
    committedAt: 0,
    message: "m",
    signature: "none" as const,
  });
  return {
    fetchHead: async () => await Promise.resolve(git.at("main")!.sha),
    fetchPull: async () => await Promise.resolve(),
    fetchAsked: async () => await Promise.resolve(),
    keepPulls: async () => await Promise.resolve(),
    readDefinitions: async (commit) => await Promise.resolve(filesOf(commit)),
    bundle: async () => await Promise.resolve(new Uint8Array()),
    commitInfo: async (commit) => await Promise.resolve(info(commit)),
    isAncestor: async (ancestor, commit) => await Promise.resolve(git.ancestors(commit).has(ancestor)),
    mergeBases: async (a, b) => await Promise.resolve([...git.ancestors(b)].filter((one) => git.ancestors(a).has(one)).slice(0, 1)),
    async log(from, to) {
      const line = [];
      for (let at: string | undefined = to; at !== undefined && at !== from; at = git.at(at)?.parents[0]) line.push(info(at));
      return await Promise.resolve(line);
    },
  };
}

async function open(files: Readonly<Record<string, string>>): Promise<number> {
  count += 1;
  const branch = `change-${count}`;
  await world.push(branch, files, "wanda");
  const { state } = world.double;
  const number = state.nextNumber();
  const text = { title: "a change", body: "", author: "wanda", draft: false, state: "open" as const, mergedAt: null, labels: [] };
  state.pulls.push({ number, ...text, head: branch, headRepository: world.double.repository, base: "main", reviewers: [] });
  return number;
}

describe("the check on GitHub", () => {
  it("stands on the head, with annotations on the lines", async () => {
    const number = await open(WRONG);
    await pulls.look();
    const { state } = world.double;
    const head = state.git.at(state.pulls.find((pull) => pull.number === number)!.head)!.sha;
    const runs = state.checkRuns.filter((run) => run.head === head);
    expect(runs).toMatchObject([
      { name: "firebreak", conclusion: "failure", title: "cannot be planned: 1 error in the definitions" },
    ]);
    expect(runs[0]?.annotations).toContainEqual(expect.objectContaining({ path: "policies/flow.yaml", start_line: 4 }));
    const ok = await open(GOOD);
    await pulls.look();
    // The cluster was never seen: nobody can say more.
    expect(state.checkRuns.at(-1)).toMatchObject({ conclusion: "neutral" });
    expect(state.comments.filter((comment) => comment.number === ok)).toHaveLength(1);
  });
});

describe("a forge that fails", () => {
  const FAULTS: Readonly<Record<string, Fault>> = {
    "answers 500": { kind: "error", status: 500 },
    "refuses the credential": { kind: "error", status: 401 },
    "is asked too often": { kind: "primary", resetSeconds: 30 },
    "asks for a pause": { kind: "secondary", retryAfterSeconds: 7 },
    "is away": { kind: "down" },
    "does it, and its answer is lost": { kind: "lost" },
  };

  it.each(Object.entries(FAULTS))(
    "%s, at each request of a look in turn: in the end one comment and one check, nothing twice",
    async (_, fault) => {
      const number = await open(GOOD);
      const { double } = world;
      await world.comment(number, "/firebreak hold wait", "adam");
      // One request after another fails once, over as many rounds as it takes.
      for (let failing = 1; failing < 40; failing += 1) {
        let left = failing;
        let hasFailed = false;
        double.fault = () => {
          left -= 1;
          hasFailed ||= left === 0;
          return left === 0 ? fault : undefined;
        };
        await pulls.look().catch(() => undefined);
        double.fault = () => undefined;
        if (failing % 3 === 0) pulls.restart();
        if (!hasFailed) break;
      }
      await pulls.look();
      const { state } = double;
      const ours = state.comments.filter((comment) => comment.number === number && comment.author.startsWith("firebreak"));
      expect(ours).toHaveLength(1);
      expect(ours[0]?.body).toContain("**On hold** by `adam`: `wait`");
      const runs = state.checkRuns.filter(({ conclusion }) => conclusion !== "cancelled");
      expect(new Set(runs.map(({ conclusion }) => conclusion))).toEqual(new Set(["failure"]));
      expect(pulls.entries.filter(({ type }) => type === "plan.reviewed")).toHaveLength(1);
      expect(pulls.entries.filter(({ type }) => type === "plan.held")).toHaveLength(1);
    },
  );
});
