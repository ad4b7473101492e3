/** The systemd unit that users copy, read by systemd's own tools. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { hasSystemd } from "../support/systemd-machine.ts";
import { WORKFLOWS_FOLDER } from "./files.ts";

const run = promisify(execFile);
const UNIT = readFileSync(join(WORKFLOWS_FOLDER, "systemd/firebreak.service"), "utf8");

// Bug: a directive that systemd does not know, or a unit that anybody who breaks in can do much with.
test.skipIf(!hasSystemd)("systemd understands the unit, and finds little to attack", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fb-unit-"));
  try {
    const file = join(folder, "firebreak.service");
    writeFileSync(file, UNIT.replace("ExecStart=/usr/local/bin/firebreak", "ExecStart=/bin/true"));
    const verified = await run("systemd-analyze", ["verify", file]);
    expect(verified.stderr).toBe("");
    // 2.0 of 10: services that nobody hardened have more than 9.
    const { stdout } = await run("systemd-analyze", ["security", "--offline=true", "--threshold=20", "--no-pager", file]);
    expect(stdout).toContain("Overall exposure level");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
