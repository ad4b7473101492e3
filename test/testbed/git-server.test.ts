/** Needs git. */
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { command } from "../../testbed/command.ts";
import { GIT_ENV } from "../../testbed/git-repository.ts";
import { startGitServer, type GitServer } from "../../testbed/git-server.ts";
import { openRun, type Run } from "../../testbed/run.ts";
import { waitFor } from "../../testbed/wait.ts";

let run: Run;
let server: GitServer;
let authenticated: string;

const git = (cwd: string, ...args: readonly string[]): Promise<string> => command(["git", "-C", cwd, ...args], { env: GIT_ENV });

beforeAll(async () => {
  run = openRun();
  server = await startGitServer({ run });
  authenticated = server.url.replace("://", `://${server.username}:${server.token}@`);
});

afterAll(async () => {
  await run?.close();
});

describe("the Git server", () => {
  it("serves what was pushed, with modes, and takes a push from git itself", async () => {
    await server.pushFiles({ "policies/a.yaml": "kind: Segment\n", "run.sh": "#!/bin/sh\n" }, "first", {
      modes: { "run.sh": "100755" },
    });
    const second = await server.deleteFiles(["run.sh"], "second");
    expect(await git(run.folder, "ls-remote", authenticated, "refs/heads/main")).toContain(second);
    await git(run.folder, "clone", "--quiet", authenticated, "clone");
    const clone = `${run.folder}/clone`;
    expect(await git(clone, "log", "--format=%s %an", "--name-status")).toContain("D\trun.sh");
    await git(clone, "-c", "user.name=A", "-c", "user.email=a@b.test", "commit", "--quiet", "--allow-empty", "-m", "third");
    await git(clone, "push", "--quiet", "origin", "main");
    expect(await server.head()).toBe((await git(clone, "rev-parse", "HEAD")).trim());
  });

  it("refuses who does not know the token (the bug: a test that proves nothing about credentials)", async () => {
    for (const url of [server.url, server.url.replace("://", "://firebreak:wrong@")]) {
      await expect(git(run.folder, "ls-remote", url)).rejects.toThrow(/could not read|Authentication failed/);
    }
    const response = await fetch(`${server.url}/info/refs?service=git-upload-pack`, {
      headers: { authorization: `Bearer ${server.token}` },
    });
    expect(response.status).toBe(200);
  });

  it("rewrites a branch", async () => {
    const before = await server.head();
    const rewritten = await server.forcePush({ "only.yaml": "x: 1\n" }, "rewritten");
    expect(await git(server.path, "ls-tree", "-r", "--name-only", rewritten)).toBe("only.yaml\n");
    await expect(git(server.path, "merge-base", "--is-ancestor", String(before), rewritten)).rejects.toThrow();
    await server.reset(String(before));
    expect(await server.head()).toBe(before);
  });

  it("is away while it is stopped and back on the same port", async () => {
    await server.stop();
    await expect(fetch(server.url)).rejects.toThrow();
    const sha = await server.pushFiles({ "meanwhile.yaml": "" }, "made while the server was away");
    await server.start();
    expect(await git(run.folder, "ls-remote", authenticated, "refs/heads/main")).toContain(sha);
  });

  it("tells a webhook of every push, signed, and survives one that is not there", async () => {
    const heard: { body: string; signature: string | undefined }[] = [];
    const hook = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        heard.push({ body, signature: request.headers["x-hub-signature-256"] as string | undefined });
        response.end();
      });
    });
    await new Promise<void>((resolve) => hook.listen(0, "127.0.0.1", resolve));
    try {
      server.setWebhook({ url: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/hook`, secret: "s3cret" });
      const sha = await server.pushFiles({ "hook.yaml": "" }, "tells");
      await waitFor(() => heard.length > 0, { what: "the webhook hears" });
      const [first] = heard;
      expect(JSON.parse(first?.body ?? "")).toMatchObject({ ref: "refs/heads/main", after: sha });
      expect(first?.signature).toBe(
        `sha256=${createHmac("sha256", "s3cret")
          .update(first?.body ?? "")
          .digest("hex")}`,
      );
    } finally {
      hook.closeAllConnections();
      await new Promise((resolve) => hook.close(resolve));
    }
    expect(await server.pushFiles({ "deaf.yaml": "" }, "nobody hears")).toMatch(/^[0-9a-f]{40}$/);
    server.setWebhook(undefined);
  });
});
