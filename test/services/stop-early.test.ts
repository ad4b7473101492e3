import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { once } from "node:events";
import { expect, test } from "vitest";
import { ENTRY, scratchFolder } from "../cli/run-cli.ts";
import { until } from "../support/until.ts";

// Bug: Ctrl-C while it starts is reported as a mistake in Firebreak, with a stack, and the exit code of a failure.
test("a service that is asked to stop while it starts stops, and says nothing else", async () => {
  await using scratch = await scratchFolder({
    "firebreak.yaml": 'repository: {url: "http://127.0.0.1:9/p.git"}\nlisten: 127.0.0.1:0\n',
  });
  const env = { PATH: process.env["PATH"] ?? "", HOME: scratch.folder };
  const child = spawn(process.execPath, [ENTRY, "up"], { cwd: scratch.folder, env, stdio: ["ignore", "pipe", "pipe"] });
  try {
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    child.stdout.resume();
    const closed = once(child, "close");
    // The store takes seconds to open; its folder is there from the beginning.
    await until(() => existsSync(scratch.file(".firebreak/store")), 60_000);
    child.kill("SIGTERM");
    expect(await closed).toEqual([0, null]);
    expect(said).not.toContain("error");
  } finally {
    child.kill("SIGKILL");
  }
});
