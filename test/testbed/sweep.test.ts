/** Needs root and iproute2. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { startOf } from "../../testbed/build/lock.mjs";
import { command } from "../../testbed/command.ts";
import { openRun } from "../../testbed/run.ts";
import { waitFor } from "../../testbed/wait.ts";

const CRASH = fileURLToPath(new URL("./fixtures/crash.ts", import.meta.url));

describe("a crashed run", () => {
  it("is swept at the start of the next; one that lives is left alone (the bug: leftovers, or a neighbour's world torn down)", async () => {
    const child = spawn(process.execPath, [CRASH], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "exit").then(([code]) => Promise.reject(new Error(`the crash fixture ended with ${String(code)}`)));
    const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), "line"), ended])) as [string];
    const made = JSON.parse(line) as { id: string; folder: string; daemon: number; inside: number };
    await using neighbour = openRun();
    expect(neighbour.swept).not.toContain(made.id);
    expect(await command(["ip", "netns", "list"])).toContain(`${made.id}-test`);

    child.kill("SIGKILL");
    await expect(ended).rejects.toThrow("ended");
    await waitFor(() => startOf(made.daemon) === undefined, {
      what: "the kernel ends the daemon of a dead owner",
      timeoutMs: 5_000,
    });
    expect(existsSync(made.folder)).toBe(true);

    await using next = openRun();
    expect(next.swept).toContain(made.id);
    expect(existsSync(made.folder)).toBe(false);
    expect(await command(["ip", "netns", "list"])).not.toContain(made.id);
    await waitFor(() => startOf(made.inside) === undefined, {
      what: "a process that had left its owner ends with its namespace",
      timeoutMs: 5_000,
    });
    expect(existsSync(neighbour.folder)).toBe(true);
  });

  it("leaves nothing when a run is closed", async () => {
    const run = openRun();
    const daemon = run.start({ label: "sleep", argv: ["sleep", "600"] });
    await run.close();
    expect(startOf(daemon.pid)).toBeUndefined();
    expect(existsSync(run.folder)).toBe(false);
  });

  it("is told what ended: a daemon that stops early is not waited for (the bug: a minute of silence, then a time-out)", async () => {
    await using run = openRun();
    const daemon = run.start({ label: "short", argv: ["sh", "-c", "echo out of order >&2; exit 3"] });
    const started = performance.now();
    const never = waitFor(() => (daemon.check(), false as const), { what: "it answers", timeoutMs: 30_000 });
    await expect(never).rejects.toThrow(/short ended with 3[\s\S]*out of order/);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
