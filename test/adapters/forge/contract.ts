/** What every forge must do alike: run on a real Gitea and on the double of GitHub. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openForge } from "../../../adapters/forge/open.ts";
import { commentMarker } from "../../../core/forge/comment.ts";
import type { Check, Forge, NewPull } from "../../../core/forge/forge.ts";
import { approversOf } from "../../../core/forge/review.ts";
import type { ForgeWorld } from "./world.ts";

const { signal } = new AbortController();
const MARKER = commentMarker("plan", "main");

const WISH: NewPull = {
  title: "Adopt: web may reach db on 5432/tcp",
  body: "what was found",
  head: "firebreak/adopt/0123",
  base: "main",
  isDraft: true,
  labels: ["firebreak", "widens"],
};

const CHECK: Check = { state: "failure", title: "2 connections opened", summary: "**2** opened", annotations: [] };

/** Defines the tests of the contract against the worlds that `open` makes. */
export function contract(open: () => Promise<ForgeWorld>): void {
  let world: ForgeWorld;
  let forge: Forge;

  beforeEach(async () => {
    world = await open();
    ({ forge } = world);
  });

  afterEach(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  /** A branch of ours with one commit on main, and its head. */
  async function branch(name = WISH.head): Promise<string> {
    const main = (await forge.readBranch("main", signal))!;
    await forge.createBranch(name, main, signal);
    const files = [{ path: "policies/web.yaml", text: "kind: Policy\n" }];
    const made = await forge.commitFiles({ branch: name, parent: main, message: "Adopt a rule", files }, signal);
    if (made.kind !== "committed") throw new Error(`not committed but ${made.kind}`);
    return made.sha;
  }

  async function openPull(change: Partial<NewPull> = {}): Promise<number> {
    await branch(change.head ?? WISH.head);
    return (await forge.openPull({ ...WISH, ...change }, signal)).pull.number;
  }

  describe("branches and files", () => {
    it("a branch that is there stays where it is (the bug: commits by others are lost)", async () => {
      const head = await branch();
      const main = (await forge.readBranch("main", signal))!;
      expect(await forge.createBranch(WISH.head, main, signal)).toEqual({ head, isNew: false });
      expect(await forge.readBranch(WISH.head, signal)).toBe(head);
      expect(await forge.readBranch("firebreak/none", signal)).toBeUndefined();
    });

    it("several files are one commit: made, changed and deleted, read back byte for byte", async () => {
      const parent = await branch();
      const text = "# Köln — \u{1f512}\n\tindented:  odd\r\nlast line without an end";
      const files = [
        { path: "a/new file.yaml", text },
        { path: "policies/web.yaml", text: "kind: Policy # changed\n" },
        { path: "README.md", text: undefined },
      ];
      const made = await forge.commitFiles({ branch: WISH.head, parent, message: "Adopt more", files }, signal);
      expect(made).toEqual({ kind: "committed", sha: await forge.readBranch(WISH.head, signal) });
      expect(await forge.readFile("a/new file.yaml", WISH.head, signal)).toBe(text);
      expect(await forge.readFile("README.md", WISH.head, signal)).toBeUndefined();
      expect(await forge.readFile("README.md", "main", signal)).toBeDefined();
      expect(await forge.readFile("policies", WISH.head, signal)).toBeUndefined();
      expect((await forge.listCommits("main", WISH.head, signal)).map(({ subject }) => subject)).toEqual([
        "Adopt a rule",
        "Adopt more",
      ]);
    });

    it("the same files again are no commit (the bug: an empty pull request)", async () => {
      const parent = await branch();
      const files = [
        { path: "policies/web.yaml", text: "kind: Policy\n" },
        { path: "gone.yaml", text: undefined },
      ];
      expect(await forge.commitFiles({ branch: WISH.head, parent, message: "again", files }, signal)).toEqual({
        kind: "unchanged",
      });
      expect(await forge.readBranch(WISH.head, signal)).toBe(parent);
    });

    it("nothing is written on a branch that somebody moved, nor on one that is gone", async () => {
      const parent = await branch();
      const theirs = await world.push(WISH.head, { "policies/web.yaml": "kind: Policy # theirs\n" }, world.people.writer);
      const files = [{ path: "policies/web.yaml", text: "kind: Policy # ours\n" }];
      const moved = await forge.commitFiles({ branch: WISH.head, parent, message: "mine", files }, signal);
      expect(moved).toEqual({ kind: "moved", head: theirs });
      expect(await forge.readFile("policies/web.yaml", WISH.head, signal)).toBe("kind: Policy # theirs\n");
      const gone = await forge.commitFiles({ branch: "firebreak/gone", parent, message: "mine", files }, signal);
      expect(gone).toEqual({ kind: "moved", head: undefined });
    });

    it("tells commits of others on our branch", async () => {
      await branch();
      await world.push(WISH.head, { "b.yaml": "b" }, world.people.writer);
      const commits = await forge.listCommits("main", WISH.head, signal);
      const self = await forge.readSelf(signal);
      expect(commits.map(({ authorLogin }) => authorLogin)).toEqual([self, world.people.writer]);
    });

    it("a branch is deleted only where it was left", async () => {
      const head = await branch();
      const theirs = await world.push(WISH.head, { "b.yaml": "b" }, world.people.writer);
      expect(await forge.deleteBranch(WISH.head, head, signal)).toBe(false);
      expect(await forge.deleteBranch(WISH.head, theirs, signal)).toBe(true);
      expect(await forge.readBranch(WISH.head, signal)).toBeUndefined();
      expect(await forge.deleteBranch(WISH.head, theirs, signal)).toBe(true);
    });

    it("a ref or a repository that is away is an error, no missing file or branch (the bug: absence taken for emptiness)", async () => {
      await expect(forge.readFile("README.md", "no-such-ref", signal)).rejects.toMatchObject({ code: "FORGE_FAILED" });
      const lost = openForge({ ...world.options, repository: "firebreak/none" });
      await expect(lost.readMerged("0".repeat(40), signal)).rejects.toMatchObject({ code: "FORGE_FAILED" });
      await expect(lost.readFile("README.md", "main", signal)).rejects.toMatchObject({ code: "FORGE_FAILED" });
      await expect(lost.readBranch("main", signal)).rejects.toMatchObject({ code: "FORGE_FAILED" });
      await expect(lost.readPull(1, signal)).rejects.toMatchObject({ code: "FORGE_FAILED" });
      await expect(lost.readPermission(world.people.writer, signal)).rejects.toMatchObject({ code: "FORGE_FAILED" });
    });

    it("reads CODEOWNERS", async () => {
      expect(await forge.readCodeowners("main", signal)).toBeUndefined();
      await world.push("main", { "docs/CODEOWNERS": "* @wanda\n" }, world.people.writer);
      expect(await forge.readCodeowners("main", signal)).toBe("* @wanda\n");
    });
  });

  describe("pull requests", () => {
    it("is opened once: asked again, it is the same one", async () => {
      const head = await branch();
      const first = await forge.openPull(WISH, signal);
      expect(first).toMatchObject({
        isNew: true,
        pull: {
          title: WISH.title,
          body: WISH.body,
          author: await forge.readSelf(signal),
          state: "open",
          isDraft: true,
          head: { sha: head, ref: WISH.head, repository: world.options.repository },
          base: { ref: "main", sha: await forge.readBranch("main", signal) },
          isFork: false,
        },
      });
      const again = await forge.openPull({ ...WISH, title: "other" }, signal);
      expect(again).toMatchObject({ isNew: false, pull: { number: first.pull.number, title: WISH.title } });
      const pulls = await forge.listPulls("main", signal);
      expect(pulls).toHaveLength(1);
      expect(pulls[0]!.labels.toSorted()).toEqual(["firebreak", "widens"]);
      expect(await forge.listPulls("other", signal)).toEqual([]);
    });

    it("one without a difference is refused, not opened (the bug: an empty pull request)", async () => {
      await forge.createBranch("firebreak/empty", (await forge.readBranch("main", signal))!, signal);
      const wish = forge.openPull({ ...WISH, head: "firebreak/empty" }, signal);
      // Gitea takes one; the caller asks commitFiles first, which says "unchanged".
      if (forge.kind === "github") await expect(wish).rejects.toMatchObject({ code: "FORGE_FAILED" });
      else await wish;
    });

    it("is edited in place, made a draft and ready again", async () => {
      const number = await openPull();
      const ready = await forge.updatePull(number, { title: "Adopt: less", isDraft: false, labels: ["late"] }, signal);
      expect(ready).toMatchObject({ title: "Adopt: less", body: WISH.body, isDraft: false });
      expect(ready.labels.toSorted()).toEqual(["firebreak", "late", "widens"]);
      expect(await forge.updatePull(number, { isDraft: true, body: "new" }, signal)).toMatchObject({
        title: "Adopt: less",
        body: "new",
        isDraft: true,
      });
      expect(await forge.updatePull(number, {}, signal)).toMatchObject({ title: "Adopt: less", body: "new", isDraft: true });
    });

    it("tells which files it changes", async () => {
      const number = await openPull();
      expect(await forge.readChangedFiles(number, signal)).toEqual({ paths: ["policies/web.yaml"], isWhole: true });
    });

    it("is closed with one comment, however often that is said", async () => {
      const number = await openPull();
      const why = { marker: commentMarker("closed", "0123"), body: "The drift is gone." };
      await forge.closePull(number, why, signal);
      await forge.closePull(number, why, signal);
      expect(await forge.readPull(number, signal)).toMatchObject({ state: "closed" });
      expect(await forge.listComments(number, undefined, signal)).toHaveLength(1);
    });

    it("one that a person closed, or merged, is found from its branch", async () => {
      const first = await openPull();
      await world.close(first);
      expect(await forge.listPullsFrom(WISH.head, signal)).toMatchObject([{ number: first, state: "closed" }]);
      const { pull } = await forge.openPull({ ...WISH, isDraft: false }, signal);
      await world.merge(pull.number);
      expect(await forge.listPullsFrom(WISH.head, signal)).toMatchObject([
        { number: pull.number, state: "merged" },
        { number: first, state: "closed" },
      ]);
      expect(await forge.listPullsFrom("firebreak/other", signal)).toEqual([]);
    });

    it("is found from the commit that it put on its branch, and from no other", async () => {
      const number = await openPull({ isDraft: false });
      const before = (await forge.readBranch("main", signal))!;
      const open = (await forge.readPull(number, signal))!;
      expect(open.mergeCommit).toBeUndefined();
      expect(await forge.countCommits(number, signal)).toBe(1);
      expect(await forge.readMerged(open.head.sha, signal)).toBeUndefined();
      await world.merge(number);
      const merged = (await forge.readBranch("main", signal))!;
      const found = await forge.readMerged(merged, signal);
      expect(found).toMatchObject({ number, state: "merged", mergeCommit: merged, head: { sha: open.head.sha } });
      expect(await forge.readMerged(before, signal)).toBeUndefined();
      expect(await forge.readMerged("0".repeat(40), signal)).toBeUndefined();
      const [commit] = await forge.listCommits(before, open.head.sha, signal);
      expect(commit?.committerLogin).toBe(await forge.readSelf(signal));
    });

    it("one from a fork is told as such, also when its branch is named as one of ours", async () => {
      const number = await world.openFromFork(WISH.head);
      expect(await forge.readPull(number, signal)).toMatchObject({ isFork: true, author: world.people.stranger });
      expect(await forge.listPullsFrom(WISH.head, signal)).toEqual([]);
      expect(await openPull()).not.toBe(number);
    });

    it("one that is not there is undefined", async () => {
      expect(await forge.readPull(404, signal)).toBeUndefined();
    });

    it("tells reviews; an approval of an earlier head approves nothing", async () => {
      const number = await openPull({ isDraft: false });
      const { writer, stranger } = world.people;
      const head = (await forge.readBranch(WISH.head, signal))!;
      await world.review(number, "comment", stranger);
      await world.review(number, "approve", writer);
      await world.review(number, "comment", writer);
      const reviews = await forge.listReviews(number, signal);
      expect(reviews.map(({ author, state, commit }) => [author, state, commit])).toEqual([
        [stranger, "commented", head],
        [writer, "approved", head],
        [writer, "commented", head],
      ]);
      expect(approversOf(reviews, head)).toEqual([writer]);
      const next = await world.push(WISH.head, { "b.yaml": "b" }, writer);
      expect(approversOf(await forge.listReviews(number, signal), next)).toEqual([]);
      await world.review(number, "refuse", writer);
      expect(approversOf(await forge.listReviews(number, signal), head)).toEqual([]);
    });

    it("asks those for reviews who can be asked, and tells the others", async () => {
      const number = await openPull({ isDraft: false });
      const self = (await forge.readSelf(signal))!;
      const { refused } = await forge.requestReviewers(
        number,
        { users: ["nobody-at-all", world.people.writer, self], teams: [] },
        signal,
      );
      expect(refused).toEqual(["nobody-at-all", self]);
      expect(await world.reviewersOf(number)).toEqual([world.people.writer]);
    });
  });

  describe("comments", () => {
    it("one per marker: made, edited in place, left alone when it says so already", async () => {
      const number = await openPull();
      const first = await forge.putComment(number, { marker: MARKER, body: "plan 1" }, signal);
      expect(first.kind).toBe("created");
      expect(await forge.putComment(number, { marker: MARKER, body: "plan 1" }, signal)).toEqual({
        id: first.id,
        kind: "unchanged",
      });
      expect(await forge.putComment(number, { marker: MARKER, body: "plan 2" }, signal)).toEqual({ id: first.id, kind: "edited" });
      expect(await forge.putComment(number, { marker: MARKER, body: "plan 3", known: first.id }, signal)).toEqual({
        id: first.id,
        kind: "edited",
      });
      const other = await forge.putComment(number, { marker: commentMarker("plan", "other"), body: "plan" }, signal);
      expect(other.kind).toBe("created");
      const bodies = (await forge.listComments(number, undefined, signal)).map(({ body }) => body.trim());
      expect(bodies).toEqual([`${MARKER}\nplan 3`, `${commentMarker("plan", "other")}\nplan`]);
    });

    it("deleted by a person it is made again, once", async () => {
      const number = await openPull();
      const { id } = await forge.putComment(number, { marker: MARKER, body: "plan 1" }, signal);
      await world.deleteComment(id);
      const next = await forge.putComment(number, { marker: MARKER, body: "plan 2", known: id }, signal);
      expect(next.kind).toBe("created");
      expect(await forge.putComment(number, { marker: MARKER, body: "plan 3", known: id }, signal)).toEqual({
        id: next.id,
        kind: "edited",
      });
      expect(await forge.listComments(number, undefined, signal)).toHaveLength(1);
    });

    it("a stranger's comment that begins with the marker is not ours (the bug: its author may rewrite the plan later)", async () => {
      const number = await openPull();
      const theirs = await world.comment(number, `${MARKER}\nall is well`, world.people.stranger);
      const ours = await forge.putComment(number, { marker: MARKER, body: "plan 1" }, signal);
      expect(ours).toMatchObject({ kind: "created" });
      const comments = await forge.listComments(number, undefined, signal);
      expect(comments.find(({ id }) => id === theirs)).toMatchObject({
        author: world.people.stranger,
        body: `${MARKER}\nall is well`,
      });
      expect(comments.find(({ id }) => id === ours.id)).toMatchObject({ author: await forge.readSelf(signal), isEdited: false });
    });

    it("a remembered comment of another pull request is left alone", async () => {
      const first = await openPull();
      const second = await openPull({ head: "firebreak/adopt/4567" });
      const { id } = await forge.putComment(first, { marker: MARKER, body: "first" }, signal);
      expect(await forge.putComment(second, { marker: MARKER, body: "second", known: id }, signal)).toMatchObject({
        kind: "created",
      });
      expect((await forge.listComments(first, undefined, signal)).map(({ body }) => body.trim())).toEqual([`${MARKER}\nfirst`]);
    });

    it("a text beyond the limit is cut, and is still found", async () => {
      const number = await openPull();
      const body = `<details>\n${"a line of it\n".repeat(8_000)}`;
      const { id } = await forge.putComment(number, { marker: MARKER, body }, signal);
      expect(await forge.putComment(number, { marker: MARKER, body }, signal)).toEqual({ id, kind: "unchanged" });
    });

    it("are found beyond a page, and since a time", async () => {
      const number = await openPull();
      for (let index = 0; index < 31; index++) await world.comment(number, `words ${index}`, world.people.writer);
      const { id } = await forge.putComment(number, { marker: MARKER, body: "plan" }, signal);
      const all = await forge.listComments(number, undefined, signal);
      expect(all).toHaveLength(32);
      const since = await forge.listComments(number, all.at(-1)!.updatedAt, signal);
      expect(since.map((comment) => comment.id)).toContain(id);
      const later = new Date(Date.parse(all.at(-1)!.updatedAt) + 60_000).toISOString();
      expect(await forge.listComments(number, later, signal)).toEqual([]);
      expect(await forge.putComment(number, { marker: MARKER, body: "plan 2" }, signal)).toEqual({ id, kind: "edited" });
    });
  });

  it("a check says the same thing once, and a new thing when it changes", async () => {
    const head = await branch();
    const name = "firebreak/plan";
    const texts = [
      CHECK,
      CHECK,
      { ...CHECK, state: "success" as const, title: "x".repeat(300) },
      { ...CHECK, state: "neutral" as const },
    ];
    for (const check of texts) await forge.putCheck(head, name, check, signal);
    await forge.putCheck(
      head,
      "firebreak/other",
      { ...CHECK, state: "pending", detailsUrl: "https://firebreak.test/plan/1" },
      signal,
    );
    const said = await world.said(head, name);
    expect(said.map(({ state }) => state)).toEqual(["failure", "success", expect.stringMatching(/^(?:neutral|success)$/)]);
    expect(await world.said(head, "firebreak/other")).toMatchObject([{ state: "pending" }]);
  });

  it("asks the forge for rights; who is unknown has none", async () => {
    expect(await forge.readPermission(world.people.writer, signal)).toBe("write");
    expect(await forge.readPermission(world.people.stranger, signal)).toBe("read");
    expect(await forge.readPermission("nobody-at-all", signal)).toBe("none");
  });

  describe("issues", () => {
    const marker = "<!-- firebreak finding 0123456789abcdef -->";
    const text = {
      title: "cluster/shop-eu: widened",
      body: `${marker}\nfirst`,
      state: "open",
      labels: ["drift", "critical"],
    } as const;

    it("one per incident: opened with labels, edited, closed, opened again", async () => {
      const number = await forge.putIssue(undefined, marker, text, signal);
      await forge.putIssue(number, marker, { ...text, body: `${marker}\nsecond`, labels: ["drift", "again"] }, signal);
      await forge.putIssue(undefined, marker, { ...text, state: "closed" }, signal);
      expect(await world.issues()).toMatchObject([{ number, state: "closed", title: text.title }]);
      await forge.putIssue(undefined, marker, text, signal);
      const [issue] = await world.issues();
      expect(issue).toMatchObject({ number, state: "open" });
      expect(issue!.labels.toSorted()).toEqual(["again", "critical", "drift"]);
    });

    it("labels of ours that hold no more are taken away, those of others stay", async () => {
      const wish = { ...text, labels: ["firebreak", "firebreak/critical"], ownLabels: "firebreak/" };
      await forge.putIssue(undefined, marker, { ...wish, labels: [...wish.labels, "drift"] }, signal);
      await forge.putIssue(undefined, marker, { ...wish, labels: ["firebreak", "firebreak/low"] }, signal);
      expect((await world.issues())[0]!.labels.toSorted()).toEqual(["drift", "firebreak", "firebreak/low"]);
    });

    it("an edit leaves a person's close as it is (the bug: Firebreak and a person closing and opening in turn)", async () => {
      const number = await forge.putIssue(undefined, marker, { ...text, state: "closed" }, signal);
      const edit = { ...text, body: `${marker}\nedited`, state: undefined };
      expect(await forge.putIssue(number, marker, edit, signal)).toBe(number);
      expect(await world.issues()).toMatchObject([{ number, state: "closed" }]);
    });

    it("one that was closed too long ago is left alone, and another is opened once", async () => {
      const old = await forge.putIssue(undefined, marker, { ...text, state: "closed" }, signal);
      const long = { ...text, anewAfterMs: -60_000 }; // a minute from now on
      const next = await forge.putIssue(old, marker, long, signal);
      expect(next).not.toBe(old);
      expect(await forge.putIssue(next, marker, { ...long, body: `${marker}\nmore` }, signal)).toBe(next);
      expect(await forge.putIssue(undefined, marker, long, signal)).toBe(next); // the newest, when its number is lost
      expect((await world.issues()).map(({ state }) => state).toSorted()).toEqual(["closed", "open"]);
    });

    it("somebody else's issue that quotes the marker is never ours (the bug: its author could change what we said)", async () => {
      const theirs = await world.openIssue("theirs", `${marker}\nby hand`);
      expect(await forge.putIssue(undefined, marker, text, signal)).not.toBe(theirs);
      expect(await forge.putIssue(theirs, marker, text, signal)).not.toBe(theirs);
    });

    it("somebody else's issue is left alone", async () => {
      const theirs = await world.openIssue("theirs", "by hand");
      const ours = await forge.putIssue(theirs, marker, text, signal);
      expect(ours).not.toBe(theirs);
    });
  });
}
