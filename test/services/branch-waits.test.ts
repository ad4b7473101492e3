/** A commit that waits until a cluster is seen whole; a store, a folder of commits in memory, no forge and no cluster. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { repositoryState } from "../../adapters/store/index.ts";
import type { Repository } from "../../adapters/git/index.ts";
import type { ClusterInventory } from "../../core/membership/inventory.ts";
import { inventory, namespace, pod } from "../support/definitions.ts";
import { followBranch } from "../../services/syncer/branch.ts";
import { openPullWorld, type PullWorld } from "../support/pull-world.ts";

const V = "apiVersion: firebreak.dev/v1alpha1\n";
const document = (kind: string, name: string, spec: string): string =>
  `---\n${V}kind: ${kind}\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
const BASE = [
  document("Cluster", "eu", "{context: eu, mode: apply, enforcer: calico, podNetwork: routed, podRanges: [10.2.0.0/16]}"),
  document("Segment", "prod", "{members: [{namespaces: {matchLabels: {env: prod}}}], isolate: {ingress: enforce, egress: off}}"),
  document("Segment", "dev", "{members: [{namespaces: {matchLabels: {env: dev}}}], isolate: {ingress: off, egress: off}}"),
  document(
    "Segment",
    "helper",
    "{members: [{pods: {matchLabels: {app: db}}, namespaces: {}}], isolate: {ingress: off, egress: off}}",
  ),
  document("Guardrail", "g", "{never: [{from: [dev], to: [prod], ports: [any]}]}"),
].join("");
const policy = (ports: string): string => document("Policy", "p", `{rules: [{from: [dev], to: [helper], ports: [${ports}]}]}`);

const NAMESPACES = [namespace("dev", { env: "dev" }), namespace("prod", { env: "prod" })];
const [DEV, DB] = [pod("dev/d-1", { app: "x" }, "10.2.0.5"), pod("prod/db-1", { app: "db" }, "10.2.0.6")];
const FREE = pod("dev/db-1", { app: "db" }, "10.2.0.7");

let commits: Map<string, string>;
let head: string;
let seen: ClusterInventory;
let pulls: PullWorld;

beforeEach(async () => {
  commits = new Map();
  const info = (commit: string) => ({
    commit,
    tree: commit,
    parents: [],
    author: "a",
    committer: "c",
    committedAt: 0,
    message: "m",
    signature: "none" as const,
  });
  // The cast: nothing else of a repository is asked for here.
  const repositoryOf = {
    fetchHead: async () => await Promise.resolve(head),
    readDefinitions: async (commit: string) =>
      await Promise.resolve([{ path: "a.yaml", bytes: Buffer.from(commits.get(commit) ?? ""), mode: "100644" }]),
    commitInfo: async (commit: string) => await Promise.resolve(info(commit)),
    isAncestor: async () => await Promise.resolve(true),
  } as unknown as Repository;
  const credential = { token: "none" };
  pulls = await openPullWorld({
    kind: "github",
    url: "http://127.0.0.1:9",
    repository: "a/b",
    credential,
    git: { url: "/x" },
    repositoryOf,
  });
  see(inventory("eu", { namespaces: NAMESPACES, pods: [DEV, FREE] }));
  push("1", BASE);
  expect(await pulls.follow()).toMatchObject({ kind: "accepted" });
});

afterEach(async () => await pulls?.[Symbol.asyncDispose]());

function see(inventoryNow: ClusterInventory): void {
  seen = inventoryNow;
  pulls.see(seen);
}

function push(name: string, text: string): string {
  head = name.repeat(40);
  commits.set(head, text);
  return head;
}

const typesOf = (): readonly string[] => pulls.entries.map(({ type }) => type);

// Would catch: a commit accepted at the moment in which a watch was down, and never judged again (H2).
it("waits, says for what, and comes into force when the cluster is seen whole", async () => {
  see({ ...seen, complete: false });
  const commit = push("2", BASE + policy("5432/tcp"));
  expect(await pulls.follow()).toMatchObject({ kind: "waiting", commit, problems: [{ code: "GUARDRAIL_UNSEEN" }] });
  expect((await repositoryState(pulls.context.store)).candidate).toMatchObject({
    commit,
    code: "GUARDRAIL_UNSEEN",
    message: expect.stringContaining("cluster/eu is not seen whole") as string,
  });
  expect(await pulls.follow()).toEqual({ kind: "unchanged" });
  expect(typesOf().filter((type) => type === "revision.held")).toHaveLength(1);
  see({ ...seen, complete: true });
  expect(await pulls.follow()).toMatchObject({ kind: "accepted", commit });
  expect((await repositoryState(pulls.context.store)).candidate).toBeNull();
});

it("is refused when what comes into sight breaks the guardrail, gives way to a newer commit, and to a person", async () => {
  see({ ...seen, complete: false });
  push("2", BASE + policy("5432/tcp"));
  expect(await pulls.follow()).toMatchObject({ kind: "waiting" });
  see(inventory("eu", { namespaces: NAMESPACES, pods: [DEV, DB] }));
  expect(await pulls.follow()).toMatchObject({ kind: "refused", problems: [{ code: "GUARDRAIL_VIOLATED" }] });

  see({ ...seen, pods: [DEV, FREE], complete: false });
  push("3", BASE + policy("5433/tcp"));
  expect(await pulls.follow()).toMatchObject({ kind: "waiting" });
  push("4", `${BASE}# the rule is taken back\n`);
  expect(await pulls.follow()).toMatchObject({ kind: "accepted" });

  const commit = push("5", BASE + policy("5434/tcp"));
  expect(await pulls.follow()).toMatchObject({ kind: "waiting" });
  expect(await followBranch(pulls.context, { commit, actor: "api-token" })).toMatchObject({ kind: "accepted", commit });
});
