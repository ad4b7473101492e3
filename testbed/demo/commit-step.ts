/** A step in which somebody pushes a commit: ways that were closed open, and close again when the commit is taken back. */
import { expect, type Step } from "./step.ts";
import type { Stage } from "./stage.ts";
import { watchPackets, type Way } from "./packets.ts";

export interface CommitStep {
  readonly title: string;
  /** File of the policy in the repository. */
  readonly path: string;
  readonly text: string;
  readonly message: string;
  readonly ways: readonly Way[];
}

export function commitStep({ title, path, text, message, ways }: CommitStep): Step<Stage> {
  return {
    title,
    async run({ world, service, voice, signal }) {
      const { git } = world;
      const targets = (await service.status()).targets.length;
      await using watches = new AsyncDisposableStack();
      const watched = ways.map((way) => ({ way, watch: watches.use(watchPackets(way, signal)) }));
      for (const { watch } of watched) await watch.first(false, 0);

      const pushed = Date.now();
      const commit = await git.pushFiles({ [path]: text }, message);
      voice.detail("pushed", `commit ${commit.slice(0, 10)}: ${message}`);
      for (const rule of rulesOf(text)) voice.detail("rule", rule);
      const { revision } = await service.inForce(commit, targets);
      voice.detail(
        "applied",
        `revision ${revision?.sequence ?? 0} read back on ${targets} targets after ${Date.now() - pushed} ms`,
      );
      for (const { way, watch } of watched) {
        const opened = (await watch.first(true, pushed)) - pushed;
        voice.detail("packets", `${way.name}  closed, open ${opened} ms after the push`);
      }

      const reverted = Date.now();
      const back = await git.deleteFiles([path], `Revert "${message}"`);
      voice.detail("reverted", `commit ${back.slice(0, 10)}`);
      await service.inForce(back, targets);
      const settled = Date.now();
      voice.detail("applied", `read back on ${targets} targets after ${settled - reverted} ms`);
      for (const { way, watch } of watched) {
        await watch.first(false, settled);
        const open = watch.openSince(settled);
        expect(open === undefined, `${way.name} stays closed once the revert is read back`);
        voice.detail("packets", `${way.name}  closed`);
      }
    },
  };
}

/** The lines of a policy that are its rules. */
function rulesOf(text: string): readonly string[] {
  return text
    .split("\n")
    .filter((line) => line.includes("- {from"))
    .map((line) => line.trim().replace(/^- /, ""));
}
