/** A small disk of its own for a state folder, so that it can be full or take no writes without hurting the machine. */
import { mkdirSync, rmSync, writeFileSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { command, tryCommand } from "../../testbed/command.ts";
import type { Run } from "../../testbed/run.ts";

const SIZE_MB = 256;

export interface Disk {
  readonly folder: string;
  fill(): Promise<void>;
  readonly(on: boolean): Promise<void>;
  /** Room again. */
  free(): Promise<void>;
  remove(): Promise<void>;
}

/** Mounts it; it is unmounted at the end of the run, also when that crashed. */
export async function mountDisk(run: Run, name: string): Promise<Disk> {
  const point = run.makeFolder(name);
  await command(["mount", "-t", "tmpfs", "-o", `size=${SIZE_MB}m,mode=0700`, "firebreak-faults", point]);
  const remove = async (): Promise<void> => {
    await tryCommand(["umount", "--lazy", point]);
    rmSync(point, { recursive: true, force: true });
  };
  run.defer(remove);
  const folder = join(point, "state");
  mkdirSync(folder, { mode: 0o700 });
  const ballast = join(point, "ballast");
  return {
    folder,
    async fill() {
      // In two steps: what other processes give back in between must not leave room.
      for (let time = 0; time < 2; time++) {
        const { bavail, bsize } = statfsSync(point);
        await tryCommand(["dd", "if=/dev/zero", `of=${ballast}${time}`, `bs=${bsize}`, `count=${bavail + 16}`]);
      }
    },
    async readonly(on) {
      // A mount with files open for writing cannot be made read-only; folders that take no new files refuse the same writes.
      await tryCommand(["find", folder, "-type", "d", "-exec", "chattr", on ? "+i" : "-i", "{}", "+"]);
    },
    async free() {
      for (let time = 0; time < 2; time++) rmSync(`${ballast}${time}`, { force: true });
      writeFileSync(join(point, "room"), "");
    },
    remove,
  };
}
