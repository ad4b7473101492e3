import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { startOf } from "../../testbed/build/lock.mjs";
import { isAlive, newRunId, ownerOf } from "../../testbed/names.ts";

describe("run names", () => {
  it("finds its own process as the living owner (the bug: a sweep that removes a run that stands)", () => {
    const owner = ownerOf(`${newRunId()}-host-ldap-blue-1`);
    expect(owner?.pid).toBe(process.pid);
    expect(owner !== undefined && isAlive(owner)).toBe(true);
  });

  it("takes no name that is not ours (the bug: a sweep that removes a stranger's namespace)", () => {
    for (const name of ["fb-notes", "fb", "cni-1.2.3", "fb-1.2", "xfb-1.2.3"])
      expect({ name, owner: ownerOf(name) }).toEqual({ name, owner: undefined });
  });

  it("tells a pid that is used again from the process that had it (the bug: leftovers that are never removed)", () => {
    const owner = ownerOf(newRunId());
    expect(owner).toBeDefined();
    if (owner !== undefined) expect(isAlive({ pid: owner.pid, start: "1" })).toBe(false);
  });

  it("sees a process end", async () => {
    const child = spawn("sleep", ["60"], { stdio: "ignore" });
    const pid = child.pid ?? 0;
    expect(startOf(pid)).toBeDefined();
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(startOf(pid)).toBeUndefined();
  });

  it("gives every run of a process a name of its own", () => {
    expect(newRunId()).not.toBe(newRunId());
  });
});
