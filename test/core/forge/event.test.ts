import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parseForgeEvent, type ForgeEvent } from "../../../core/forge/event.ts";

interface Definition {
  readonly name: string;
  readonly examples: readonly object[];
}

/** GitHub's own examples of every payload, of github.com and of five Enterprise servers. */
const EDITIONS = ["api.github.com", "ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35"];
const HEAD = "f".repeat(40);

function definitions(edition: string): readonly Definition[] {
  const folder = dirname(fileURLToPath(import.meta.resolve("@octokit/webhooks-examples/package.json")));
  return JSON.parse(readFileSync(join(folder, edition, "index.json"), "utf8")) as readonly Definition[];
}

describe("GitHub's examples", () => {
  it.each(EDITIONS)("%s: every payload is read without a crash, and those we act on are not ignored", (edition) => {
    const kinds = new Map<string, Set<string>>();
    for (const { name, examples } of definitions(edition)) {
      for (const example of examples) {
        const event = parseForgeEvent(name, example);
        if (event.kind === "ignored") expect(event.why, name).not.toMatch(/malformed/);
        kinds.set(name, (kinds.get(name) ?? new Set()).add(event.kind));
      }
    }
    expect(kinds.size).toBeGreaterThan(30);
    expect([...kinds.get("pull_request")!]).toContain("pull-opened");
    expect([...kinds.get("issue_comment")!]).toContain("comment-created");
    expect([...kinds.get("push")!]).toContain(edition === EDITIONS[0] ? "push" : "ignored"); // a tag's, on a server
    expect([...kinds.get("pull_request_review")!]).toContain("review-submitted");
    expect([...kinds.get("ping")!]).toEqual(["ping"]);
  });

  it("any payload under any name is read without a crash", () => {
    const examples = definitions("api.github.com").flatMap((definition) => definition.examples.slice(0, 1));
    for (const name of ["pull_request", "issue_comment", "push", "pull_request_review", "pull_request_approved"])
      for (const example of examples) expect(parseForgeEvent(name, example).kind).toBeTypeOf("string");
  });
});

const PULL = {
  repository: { full_name: "acme/policies" },
  sender: { login: "ann" },
  pull_request: { number: 7, merged: false, head: { sha: HEAD }, base: { ref: "main" } },
};
const READ = { repository: "acme/policies", pull: 7, head: HEAD, base: "main", sender: "ann" };

describe("what is read", () => {
  it.each<[string, string, object, ForgeEvent | { kind: string }]>([
    ["opened", "pull_request", { ...PULL, action: "opened" }, { kind: "pull-opened", ...READ }],
    ["new commits, GitHub", "pull_request", { ...PULL, action: "synchronize" }, { kind: "pull-pushed", ...READ }],
    ["new commits, Gitea", "pull_request", { ...PULL, action: "synchronized" }, { kind: "pull-pushed", ...READ }],
    ["closed", "pull_request", { ...PULL, action: "closed" }, { kind: "pull-closed", ...READ }],
    [
      "merged",
      "pull_request",
      { ...PULL, action: "closed", pull_request: { ...PULL.pull_request, merged: true } },
      { kind: "pull-merged", ...READ },
    ],
    ["no action of ours", "pull_request", { ...PULL, action: "constructor" }, { kind: "ignored", why: "pull request constructor" }],
    [
      "approved, Gitea",
      "pull_request_approved",
      { ...PULL, action: "reviewed" },
      { kind: "review-submitted", repository: "acme/policies", pull: 7, head: HEAD, sender: "ann" },
    ],
    [
      "a push",
      "push",
      { repository: PULL.repository, ref: "refs/heads/a/b", before: "0", after: HEAD },
      { kind: "push", repository: "acme/policies", branch: "a/b", before: "0", after: HEAD },
    ],
    ["a tag", "push", { repository: PULL.repository, ref: "refs/tags/v1", before: "0", after: HEAD }, { kind: "ignored" }],
  ])("%s", (_, name, payload, event) => {
    expect(parseForgeEvent(name, payload)).toMatchObject(event);
  });

  it("an edited comment is told as such (the bug: a command edited into somebody's comment)", () => {
    const comment = { id: 5, body: "/firebreak approve", user: { login: "ann" } };
    const payload = { ...PULL, action: "edited", issue: { number: 7, pull_request: {} }, comment };
    expect(parseForgeEvent("issue_comment", payload)).toMatchObject({ kind: "comment-edited", isOnPull: true, author: "ann" });
  });

  it.each([undefined, null, 7, "x", [], {}, { action: {} }, { ...PULL, action: "opened", pull_request: null }])(
    "malformed: %j",
    (payload) => {
      for (const name of ["pull_request", "issue_comment", "push", "pull_request_review", "unknown", ""])
        expect(parseForgeEvent(name, payload)).toMatchObject({ kind: "ignored" });
    },
  );

  it("what is wrong is told by its place, never by its value", () => {
    const event = parseForgeEvent("push", { repository: PULL.repository, ref: { secret: "hunter2" }, before: "0", after: "1" });
    expect(event).toEqual({ kind: "ignored", why: "malformed payload at ref" });
  });
});
