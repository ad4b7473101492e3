import { describe, expect, it } from "vitest";
import { causeOf } from "../../../core/finding/cause.ts";
import { branchOf } from "../../../services/syncer/proposals/context.ts";
import type { ForgeWorld } from "../../adapters/forge/world.ts";
import { ADOPTED, CLOSED, DAY, Desk, drift, NARROWED, PATH, POLICY, WIDENED } from "./world.ts";

const WIDE = drift(WIDENED);
const NARROW = drift(CLOSED);
const { signal } = new AbortController();

/** What is so on every forge. */
export function stories(openWorld: () => Promise<ForgeWorld>): void {
  async function start(text = POLICY): Promise<{ readonly world: ForgeWorld; readonly desk: Desk } & AsyncDisposable> {
    const world = await openWorld();
    await world.push("main", { [PATH]: text, CODEOWNERS: `${PATH} @${world.people.writer}\n` }, world.people.writer);
    const desk = await Desk.open(world.forge);
    return {
      world,
      desk,
      async [Symbol.asyncDispose]() {
        await world[Symbol.asyncDispose]();
      },
    };
  }

  describe("a live change becomes one pull request", () => {
    // Bug: an undrafted change that opens; a second one at the next look; a question that goes with the hole it asks about.
    it("one that widens is a draft titled by what it opens, stays when the hole is healed, and ends when it is merged", async () => {
      await using start_ = await start();
      const { world, desk } = start_;
      await desk.found(WIDE);
      await desk.look();
      expect(await desk.pulls(WIDE)).toMatchObject([
        {
          title: "Opens geo → only: 9000/tcp",
          isDraft: true,
          state: "open",
          labels: expect.arrayContaining(["firebreak", "drift"]),
        },
      ]);
      const [pull] = await desk.pulls(WIDE);
      expect(await desk.text(WIDE)).toBe(ADOPTED);
      expect(await world.reviewersOf(pull!.number)).toEqual([world.people.writer]);
      expect(pull!.body).toContain("**It is live now**");
      await desk.over(WIDE, true);
      await desk.later();
      await desk.later();
      const [healed, ...more] = await desk.pulls(WIDE);
      expect(more).toEqual([]);
      expect(healed).toMatchObject({ number: pull!.number, state: "open" });
      expect(healed!.body).toContain("Meanwhile it is put back");
      expect(await desk.commits(WIDE)).toHaveLength(1);
      await world.forge.updatePull(pull!.number, { isDraft: false }, signal);
      await world.merge(pull!.number);
      await desk.later();
      expect(await desk.rows()).toMatchObject([{ state: "ended", memory: { end: "merged" } }]);
      expect(desk.types()).toEqual(["proposal.opened", "proposal.updated", "proposal.closed"]);
    });

    it("one that narrows is ready for review, and is closed with a comment when live is as it was", async () => {
      await using start_ = await start();
      const { desk, world } = start_;
      await desk.found(NARROW);
      await desk.look();
      expect(await desk.pulls(NARROW)).toMatchObject([{ title: "Closes web → only: 81/tcp", isDraft: true }]); // closed elsewhere too
      expect(await desk.text(NARROW)).toBe(NARROWED);
      await desk.over(NARROW, false);
      await desk.later();
      const [pull] = await desk.pulls(NARROW);
      expect(pull).toMatchObject({ state: "closed" });
      const comments = await world.forge.listComments(pull!.number, undefined, signal);
      expect(comments.map(({ body }) => body)).toEqual([expect.stringContaining("live says what Git says")]);
      expect(await world.forge.readBranch(branchOf(causeOf(NARROW)), signal)).toBeUndefined();
      expect(await desk.rows()).toMatchObject([{ state: "ended", memory: { end: "gone" } }]);
      // Back again: a question of its own, on the same branch.
      await desk.found(NARROW);
      await desk.look();
      expect((await desk.pulls(NARROW)).map(({ state }) => state)).toEqual(["open", "closed"]);
    });

    it("many targets with one cause are one pull request, which ends with the last of them", async () => {
      await using start_ = await start();
      const { desk } = start_;
      const other = drift(WIDENED, { fingerprint: "f2", target: "cluster/us" });
      await desk.found(WIDE);
      await desk.found(other);
      await desk.look();
      const [pull] = await desk.pulls(WIDE);
      expect(pull!.body).toContain("`cluster/eu`");
      expect(pull!.body).toContain("`cluster/us`");
      await desk.over(WIDE, false);
      await desk.later();
      expect(await desk.pulls(WIDE)).toMatchObject([{ state: "open", body: expect.stringContaining("| gone |") }]);
      await desk.over(other, false);
      await desk.later();
      expect(await desk.pulls(WIDE)).toMatchObject([{ state: "closed" }]);
    });

    it("nothing is opened for what Git says already, or cannot say", async () => {
      await using start_ = await start(ADOPTED);
      const { desk } = start_;
      await desk.found(WIDE);
      await desk.look();
      expect(await desk.pulls(WIDE)).toEqual([]);
      expect(await desk.rows()).toMatchObject([{ state: "ended", memory: { end: "said" } }]);
      const left = drift(
        { kind: "sayable", opened: [{ from: ["left"], to: ["only"], ports: ["1/tcp"] }], closed: [], scopes: [] },
        { fingerprint: "f3", who: "x" },
      );
      await desk.found(left);
      await desk.look();
      expect(await desk.pulls(left)).toEqual([]);
      expect((await desk.rows()).find(({ cause }) => cause === causeOf(left))).toMatchObject({
        memory: { end: "unsayable", why: "there is no segment left any more" },
      });
    });
  });

  describe("updated, not repeated", () => {
    it("a moved base is one more commit, on the file as the base has it now", async () => {
      await using start_ = await start();
      const { desk, world } = start_;
      await desk.found(WIDE);
      await desk.look();
      const moved = `# a new head\n${POLICY}`;
      await world.push("main", { [PATH]: moved }, world.people.writer);
      await desk.later();
      expect(await desk.text(WIDE)).toBe(`# a new head\n${ADOPTED}`);
      expect(await desk.commits(WIDE)).toHaveLength(2);
      await desk.later();
      expect(await desk.commits(WIDE)).toHaveLength(2);
      expect(await desk.pulls(WIDE)).toHaveLength(1);
    });

    it("a finding that changes changes its pull request", async () => {
      await using start_ = await start();
      const { desk } = start_;
      await desk.found(WIDE);
      await desk.look();
      const more = { ...WIDENED, opened: [{ from: ["geo"], to: ["only"], ports: ["9000/tcp", "9001/tcp"] }] };
      const changed = drift(more, { effect: { ...WIDE.effect, opened: ["geo → only: more"] } });
      await desk.found(changed);
      await desk.later();
      expect(await desk.pulls(WIDE)).toMatchObject([{ title: "Opens geo → only: 9000/tcp, 9001/tcp", state: "open" }]);
      expect(await desk.pulls(changed)).toEqual([]);
      expect(await desk.text(WIDE)).toContain("ports: [9000/tcp, 9001/tcp]");
    });

    it("a person's close is respected while its cause comes and goes", async () => {
      await using start_ = await start();
      const { desk, world } = start_;
      await desk.found(WIDE);
      await desk.look();
      const [pull] = await desk.pulls(WIDE);
      await world.close(pull!.number);
      await desk.later();
      for (const round of [1, 2, 3]) {
        await desk.over(WIDE, round % 2 === 0);
        await desk.later(DAY / 2);
        await desk.found(WIDE);
        await desk.later();
      }
      expect(await desk.pulls(WIDE)).toHaveLength(1);
      expect(await desk.rows()).toMatchObject([{ memory: { end: "declined" } }]);
    });

    it("commits by others are never overwritten, and their branch is never deleted", async () => {
      await using start_ = await start();
      const { desk, world } = start_;
      await desk.found(WIDE);
      await desk.look();
      const theirs = ADOPTED.replace("9000/tcp", "9000-9001/tcp");
      await world.push(branchOf(causeOf(WIDE)), { [PATH]: theirs }, world.people.writer);
      await world.push("main", { [PATH]: `# moved\n${POLICY}` }, world.people.writer);
      await desk.over(WIDE, true);
      await desk.later();
      expect(await desk.text(WIDE)).toBe(theirs);
      expect(await desk.pulls(WIDE)).toMatchObject([{ state: "open", body: expect.stringContaining("Others committed") }]);
      await desk.found(WIDE);
      await desk.over(WIDE, false);
      await desk.later();
      expect(await desk.pulls(WIDE)).toMatchObject([{ state: "closed" }]);
      expect(await desk.text(WIDE)).toBe(theirs);
    });

    it("what strangers wrote is shown, never obeyed", async () => {
      await using start_ = await start();
      const { desk } = start_;
      const evil = drift(WIDENED, {
        who: "`@everyone` <!-- --> [x](http://y) | ```\n# big",
        subject: "a <img src=x> @team\n| b |",
      });
      await desk.found(evil);
      await desk.look();
      const [pull] = await desk.pulls(evil);
      const row = pull!.body.split("\n").filter((line) => line.includes("everyone"));
      expect(row).toHaveLength(1);
      expect(row[0]!.match(/(?<!¦)\|/g)).toHaveLength(7);
      expect(pull!.body.replaceAll(/`[^`]*`/g, "")).not.toMatch(/@|<img|\]\(|```/);
    });
  });
}
