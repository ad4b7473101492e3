/** A disk that is really full; needs root for a tmpfs. */
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openTrail } from "../../../adapters/trail/open.ts";
import { verifyTrail } from "../../../adapters/trail/verify.ts";
import { storedError } from "../../../services/stored-error.ts";
import { findings, optionsIn, temporaryFolder } from "./fixture.ts";

// Would catch: an append that says it is durable and is not, half a batch, a log that does not go on when there is room again.
test("a full disk refuses appends, says that it is full, and leaves nothing half; with room the log goes on by itself", async () => {
  await using folder = await temporaryFolder();
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder.path]);
  expect(mounted.status, mounted.stderr.toString()).toBe(0);
  try {
    const trail = await openTrail(optionsIn(folder.path));
    await trail.append(findings("before", 10));
    const ballast = join(folder.path, "ballast");
    fill(ballast);
    for (const name of ["full", "again"]) {
      const failed = await trail.append(findings(name, 200)).catch((error: unknown) => error);
      expect(failed).toMatchObject({ code: "AUDIT_UNAVAILABLE" });
      expect(storedError(failed).message).toContain("no space left on device");
    }
    rmSync(ballast);
    const [receipt] = await trail.append(findings("after", 1));
    expect(receipt?.seq).toBe(11);
    expect(await verifyTrail(trail.folder, { verifierKey: trail.verifierKey })).toMatchObject({ verdict: "verified" });
    await trail.close();
  } finally {
    spawnSync("umount", ["--lazy", folder.path]);
  }
});

/** Writes until nothing more fits, in ever smaller pieces. */
function fill(path: string): void {
  for (let piece = 65_536; piece >= 1; piece = Math.floor(piece / 4)) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(piece), { flag: "a" });
    } catch (error) {
      if ((error as { code?: string }).code !== "ENOSPC") throw error;
    }
  }
}
