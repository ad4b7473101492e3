/** Issues on a real Gitea. Needs the built forge. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openForge } from "../../../adapters/forge/open.ts";
import type { Forge as ForgePort, IssueState } from "../../../core/forge/forge.ts";
import { errorChain } from "../../../core/ground/error.ts";
import { issueBody, issueMarker, issueTitle } from "../../../core/text/issue.ts";
import { startForge, type Forge, type ForgeRepository } from "../../../testbed/forge.ts";
import { openRun, type Run } from "../../../testbed/run.ts";
import { HOSTILE, incident } from "../../support/incidents.ts";
import { notice } from "../../support/notices.ts";

const { signal } = new AbortController();
const MARKER = issueMarker("00112233445566ff");

interface Issue {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly state: string;
  readonly pull_request: unknown;
}

let run: Run;
let forge: Forge;
let repository: ForgeRepository;
let issues: Pick<ForgePort, "putIssue">;
let created = 0;

beforeAll(async () => {
  run = openRun();
  forge = await startForge({ run });
});

afterAll(async () => {
  await run?.close();
});

/** Issues without waiting between writes. */
function openIssues(options: {
  readonly url: string;
  readonly token: string;
  readonly repository: string;
  readonly timeoutMs?: number;
}): ForgePort {
  const { token, ...rest } = options;
  return openForge({ kind: "gitea", ...rest, credential: { token }, isPaced: false });
}

async function fresh(): Promise<void> {
  created += 1;
  repository = await forge.createRepo(`policies-${created}`);
  issues = openIssues({ url: forge.baseUrl, token: forge.token, repository: `${repository.owner}/${repository.name}` });
}

function text(summary: string, state: IssueState["state"] = "open"): IssueState {
  const told = notice({}, [incident({ summary })]);
  return { title: issueTitle(told), body: issueBody(told), state };
}

async function at(path: string): Promise<unknown> {
  return await forge.call("GET", `/repos/${repository.owner}/${repository.name}${path}`);
}

async function all(): Promise<readonly Issue[]> {
  return (await at("/issues?state=all&limit=50")) as readonly Issue[];
}

describe("one issue per cause", () => {
  it("is opened, edited, closed and opened again, always the same one", async () => {
    await fresh();
    const number = await issues.putIssue(undefined, MARKER, text("first"), signal);
    expect(await issues.putIssue(number, MARKER, text("second"), signal)).toBe(number);
    expect(await all()).toMatchObject([{ number, state: "open", title: "cluster/shop-eu: second", body: text("second").body }]);
    await issues.putIssue(number, MARKER, text("second", "closed"), signal);
    expect(await all()).toMatchObject([{ number, state: "closed" }]);
    await issues.putIssue(number, MARKER, text("third"), signal);
    expect(await all()).toMatchObject([{ number, state: "open", title: "cluster/shop-eu: third" }]);
  });

  it("is found by its marker when the number is lost, behind a page of others (the bug: Gitea's pages are smaller than asked for)", async () => {
    await fresh();
    const number = await issues.putIssue(undefined, MARKER, text("first"), signal);
    for (let other = 0; other < 60; other++)
      await forge.call("POST", `/repos/${repository.owner}/${repository.name}/issues`, { title: `other ${other}` });
    expect(await issues.putIssue(undefined, MARKER, text("second", "closed"), signal)).toBe(number);
    expect((await at(`/issues/${number}`)) as Issue).toMatchObject({ state: "closed", title: "cluster/shop-eu: second" });
  });

  it("is opened anew when a person deleted it", async () => {
    await fresh();
    const number = await issues.putIssue(undefined, MARKER, text("first"), signal);
    await forge.call("DELETE", `/repos/${repository.owner}/${repository.name}/issues/${number}`);
    const next = await issues.putIssue(number, MARKER, text("second"), signal);
    expect(next).not.toBe(number);
    expect(await all()).toMatchObject([{ number: next, title: "cluster/shop-eu: second" }]);
  });

  it("that is told only when it is over is there, closed", async () => {
    await fresh();
    await issues.putIssue(undefined, MARKER, text("brief", "closed"), signal);
    expect(await all()).toMatchObject([{ state: "closed", title: "cluster/shop-eu: brief" }]);
  });
});

describe("what is not ours", () => {
  it("a remembered number that is somebody else's issue is left alone (the bug: firebreak.yaml names another repository now)", async () => {
    await fresh();
    const theirs = (await forge.call("POST", `/repos/${repository.owner}/${repository.name}/issues`, {
      title: "theirs",
      body: "by hand",
    })) as Issue;
    const number = await issues.putIssue(theirs.number, MARKER, text("ours"), signal);
    expect(number).not.toBe(theirs.number);
    expect((await at(`/issues/${theirs.number}`)) as Issue).toMatchObject({ title: "theirs", body: "by hand" });
  });

  it("a pull request that quotes the marker is no issue, whether listed or remembered", async () => {
    await fresh();
    const base = `/repos/${repository.owner}/${repository.name}`;
    await forge.call("POST", `${base}/contents/a.txt`, {
      content: Buffer.from("a").toString("base64"),
      new_branch: "change",
      message: "a",
    });
    const pull = (await forge.call("POST", `${base}/pulls`, {
      title: "mend it",
      body: text("x").body,
      head: "change",
      base: "main",
    })) as Issue;
    const number = await issues.putIssue(undefined, MARKER, text("first"), signal);
    expect(number).not.toBe(pull.number);
    expect(await issues.putIssue(pull.number, MARKER, text("second"), signal)).toBe(number);
    expect((await at(`/pulls/${pull.number}`)) as Issue).toMatchObject({ title: "mend it", state: "open" });
  });
});

describe("failures", () => {
  it("a wrong token is for a person, and is not told", async () => {
    await fresh();
    const wrong = openIssues({
      url: forge.baseUrl,
      token: "0123456789012345678901234567890123456789",
      repository: `${repository.owner}/${repository.name}`,
    });
    const error = await wrong.putIssue(undefined, MARKER, text("x"), signal).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: "AUTH_DENIED" });
    expect(JSON.stringify([errorChain(error), error, (error as Error).cause])).not.toContain("0123456789012345");
  });

  it("a repository that is not there is FORGE_FAILED", async () => {
    const lost = openIssues({ url: forge.baseUrl, token: forge.token, repository: "firebreak/none" });
    await expect(lost.putIssue(7, MARKER, text("x"), signal)).rejects.toMatchObject({ code: "FORGE_FAILED" });
  });

  it.each([
    [500, {}, "FORGE_FAILED"],
    [429, {}, "RATE_LIMITED"],
    [403, {}, "AUTH_DENIED"],
    [403, { "x-ratelimit-remaining": "0" }, "RATE_LIMITED"],
    [403, { "retry-after": "60" }, "RATE_LIMITED"],
  ])("%i %j is %s, at once and without a word on the terminal", async (status, headers, code) => {
    const said = vi.spyOn(console, "error");
    const server = createServer((_request, response) => response.writeHead(status, headers).end("{}"));
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", resolve);
    await promise;
    try {
      const there = openIssues({
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        token: "t",
        repository: "a/b",
      });
      await expect(there.putIssue(1, MARKER, text("x"), signal)).rejects.toMatchObject({ code });
      expect(said).not.toHaveBeenCalled();
    } finally {
      said.mockRestore();
      server.closeAllConnections();
      server.close();
    }
  });

  it("a forge that is down or does not answer fails within the deadline", async () => {
    const away = openIssues({ url: "http://127.0.0.1:9", token: "t", repository: "a/b" });
    await expect(away.putIssue(undefined, MARKER, text("x"), signal)).rejects.toMatchObject({ code: "FORGE_FAILED" });
    const server = createServer(() => undefined);
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", resolve);
    await promise;
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const startedAt = performance.now();
      const silent = openIssues({ url, token: "t", repository: "a/b", timeoutMs: 200 });
      await expect(silent.putIssue(undefined, MARKER, text("x"), signal)).rejects.toMatchObject({ code: "FORGE_FAILED" });
      expect(performance.now() - startedAt).toBeLessThan(5_000);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe("as the forge shows it", () => {
  it("nothing that strangers wrote became a link, a mention, an image or a tag", async () => {
    await fresh();
    await forge.call("POST", "/admin/users", {
      username: "everyone",
      email: "e@firebreak.test",
      password: "Long-enough-1",
      must_change_password: false,
    });
    await forge.call("POST", `/repos/${repository.owner}/${repository.name}/issues`, { title: "number one" });
    for (const words of HOSTILE) {
      const effect = { verdict: "both", opened: [words], closed: [words] } as const;
      const one = incident({
        target: words,
        subject: words,
        summary: words,
        who: words,
        effect,
        at: { file: words, line: 1, column: 1 },
      });
      const told = notice({}, [one, one]);
      const html = await rendered(issueBody(told));
      const tags = html.match(/<[^>]*>/g) ?? [];
      const foreign = tags.filter((tag) => !SHAPE.has(/^<\/?([a-z0-9]+)/i.exec(tag)?.[1] ?? tag));
      expect(foreign).toEqual([]);
      expect(tags.join("")).not.toMatch(/href|src|onerror|class/);
    }
  });

  it("takes every title, and mentions nobody", async () => {
    await fresh();
    for (const words of HOSTILE.slice(0, 30)) {
      const told = notice({}, [incident({ summary: words })]);
      const number = await issues.putIssue(
        undefined,
        issueMarker(`${created}-${words.length}-${Math.random()}`),
        { title: issueTitle(told), body: issueBody(told), state: "open" },
        signal,
      );
      expect(((await at(`/issues/${number}`)) as Issue).title).toBe(issueTitle(told).trim());
    }
  });
});

/** What our own text is made of. */
const SHAPE = new Set(["p", "strong", "code", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"]);

async function rendered(body: string): Promise<string> {
  const response = await fetch(`${forge.baseUrl}/markup`, {
    method: "POST",
    headers: { authorization: `token ${forge.token}`, "content-type": "application/json" },
    body: JSON.stringify({ Text: body, Mode: "comment", Context: `${repository.owner}/${repository.name}` }),
    signal: AbortSignal.timeout(10_000),
  });
  expect(response.status).toBe(200);
  return await response.text();
}
