/** What only GitHub has, and what goes wrong with it: on the double, held to GitHub's own schemas. */
import { generateKeyPairSync } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { openForge } from "../../../adapters/forge/open.ts";
import { commentMarker } from "../../../core/forge/comment.ts";
import { mayWrite, type Check, type CheckAnnotation, type Forge } from "../../../core/forge/forge.ts";
import type { Fault } from "../../support/github-double/server.ts";
import { contract } from "./contract.ts";
import { openDoubleWorld, type DoubleWorld } from "./world.ts";

const { signal } = new AbortController();
const MARKER = commentMarker("plan", "main");
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const APP = { app: { id: "7", privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(), installationId: "42" } };

describe("GitHub, with a token", () => {
  contract(async () => await openDoubleWorld());
});

describe("GitHub, as an App", () => {
  contract(async () => await openDoubleWorld(APP));
});

let world: DoubleWorld | undefined;

afterEach(async () => {
  const last = world;
  world = undefined;
  await last?.[Symbol.asyncDispose]();
});

async function start(credential?: Parameters<typeof openDoubleWorld>[0]): Promise<DoubleWorld> {
  world = await openDoubleWorld(credential);
  return world;
}

function head({ double }: DoubleWorld): string {
  return double.state.git.branches.get("main")!;
}

function annotations(count: number): readonly CheckAnnotation[] {
  return Array.from({ length: count }, (_, index) => ({
    path: "policies/web.yaml",
    line: index + 1,
    level: "warning",
    title: "opens",
    message: `rule ${index}`,
  }));
}

describe("check runs", () => {
  const check: Check = {
    state: "failure",
    title: "opens",
    summary: "**opens**",
    annotations: annotations(120),
    detailsUrl: "https://firebreak.test/1",
  };

  it("annotations go in fifties, and only an App may: a token falls back to a status", async () => {
    const there = await start(APP);
    expect(await there.forge.putCheck(head(there), "firebreak/plan", check, signal)).toEqual({ kind: "check" });
    expect(there.double.state.checkRuns).toMatchObject([{ conclusion: "failure", title: "opens" }]);
    expect(there.double.state.checkRuns[0]!.annotations.map(({ message }) => message)).toEqual(
      check.annotations.map(({ message }) => message),
    );
    const person = openForge({ ...there.options, credential: { token: there.double.token } });
    expect(await person.putCheck(head(there), "firebreak/plan", { ...check, title: "more" }, signal)).toEqual({ kind: "status" });
    expect(there.double.state.statuses).toMatchObject([{ state: "failure", description: "more" }]);
  });

  it.each(["lost", "error"] as const)(
    "an answer that fails (%s) between the batches: gone on with, no annotation twice",
    async (kind) => {
      const there = await start(APP);
      for (let failing = 1; failing <= 6; failing++) {
        let writes = 0;
        there.double.fault = (method, path) => {
          if (!path.includes("/check-runs") || method === "GET") return undefined;
          writes += 1;
          return writes !== failing ? undefined : kind === "lost" ? { kind } : { kind, status: 502 };
        };
        const wish = { ...check, title: `try ${failing}` };
        const failed = await there.forge.putCheck(head(there), "firebreak/plan", wish, signal).catch((error: unknown) => error);
        if (failing <= 5) expect(failed).toMatchObject({ code: "FORGE_FAILED" });
        there.double.fault = () => undefined;
        await there.forge.putCheck(head(there), "firebreak/plan", wish, signal);
        const runs = there.double.state.checkRuns.filter(({ title }) => title === wish.title);
        expect(runs).toMatchObject([{ conclusion: "failure", annotations: { length: 120 } }]);
      }
    },
  );

  it("pending becomes the answer in the same run (the bug: a run that stays open for ever)", async () => {
    const there = await start(APP);
    await there.forge.putCheck(head(there), "firebreak/plan", { ...check, state: "pending", annotations: [] }, signal);
    await there.forge.putCheck(head(there), "firebreak/plan", { ...check, state: "neutral" }, signal);
    expect(there.double.state.checkRuns).toMatchObject([{ conclusion: "neutral", annotations: { length: 120 } }]);
  });
});

describe("drafts", () => {
  it("a repository that cannot have them gets a title that says so", async () => {
    const there = await start();
    there.double.state.hasDrafts = false;
    there.double.state.push("change", { "a.yaml": "a" }, "wanda");
    const wish = { title: "widens", body: "", head: "change", base: "main", isDraft: true, labels: [] };
    const { pull } = await there.forge.openPull(wish, signal);
    expect(pull).toMatchObject({ title: "widens", isDraft: true });
    expect(there.double.state.pulls).toMatchObject([{ title: "Draft: widens", draft: false }]);
    expect(await there.forge.updatePull(pull.number, { title: "widens more" }, signal)).toMatchObject({
      title: "widens more",
      isDraft: true,
    });
    expect(await there.forge.updatePull(pull.number, { isDraft: false }, signal)).toMatchObject({
      title: "widens more",
      isDraft: false,
    });
    expect(there.double.state.pulls).toMatchObject([{ title: "widens more", draft: false }]);
  });
});

it("a file beyond a megabyte is read from its blob", async () => {
  const there = await start();
  const text = "é".repeat(1_200_000);
  there.double.state.push("main", { "big.yaml": text }, "wanda");
  expect(await there.forge.readFile("big.yaml", "main", signal)).toBe(text);
});

it("rights: roles of GitHub", async () => {
  const there = await start();
  expect(await there.forge.readPermission("maria", signal)).toBe("maintain");
  expect(await there.forge.readPermission("adam", signal)).toBe("admin");
  there.double.state.roles.set("tria", "triage");
  expect(await there.forge.readPermission("tria", signal)).toBe("read");
  expect((["none", "read", "write", "maintain", "admin"] as const).filter(mayWrite)).toEqual(["write", "maintain", "admin"]);
});

/** Everything that one adopted change writes: what an outbox does again and again until it is through. */
async function story(forge: Forge): Promise<void> {
  const main = (await forge.readBranch("main", signal))!;
  const { head: at } = await forge.createBranch("firebreak/adopt/1", main, signal);
  const files = [{ path: "policies/web.yaml", text: "adopted\n" }];
  await forge.commitFiles({ branch: "firebreak/adopt/1", parent: at, message: "Adopt", files }, signal);
  const wish = { title: "Adopt", body: "why", head: "firebreak/adopt/1", base: "main", isDraft: true, labels: ["firebreak"] };
  // One that a person closed is respected, and so is ours.
  const [before] = await forge.listPullsFrom("firebreak/adopt/1", signal);
  const pull = before ?? (await forge.openPull(wish, signal)).pull;
  await forge.updatePull(pull.number, { body: "why, told better", labels: wish.labels }, signal);
  await forge.putComment(pull.number, { marker: MARKER, body: "the plan" }, signal);
  await forge.putCheck(
    pull.head.sha,
    "firebreak/plan",
    { state: "success", title: "ok", summary: "", annotations: annotations(60) },
    signal,
  );
  await forge.requestReviewers(pull.number, { users: ["wanda"], teams: [] }, signal);
  const marker = "<!-- firebreak finding 1 -->";
  await forge.putIssue(undefined, marker, { title: "drift", body: marker, state: "open", labels: ["firebreak"] }, signal);
  await forge.closePull(pull.number, { marker: commentMarker("closed", "1"), body: "It is gone." }, signal);
  await forge.putIssue(undefined, marker, { title: "drift", body: marker, state: "closed" }, signal);
}

/** One of each, whatever happened. */
function expectOnce({ double: { state } }: DoubleWorld): void {
  expect(state.pulls).toMatchObject([
    { title: "Adopt", body: "why, told better", state: "closed", draft: true, labels: ["firebreak"], reviewers: ["wanda"] },
  ]);
  expect(state.comments.map(({ body }) => body.split("\n").at(-1))).toEqual(["the plan", "It is gone."]);
  expect(state.checkRuns).toMatchObject([{ conclusion: "success", annotations: { length: 60 } }]);
  expect(state.issues).toMatchObject([{ title: "drift", state: "closed", labels: ["firebreak"] }]);
  expect(state.labels).toEqual(["bug", "firebreak"]);
  const adopted = state.git.between(state.git.branches.get("main")!, state.git.branches.get("firebreak/adopt/1")!);
  expect(adopted.map(({ message }) => message)).toEqual(["Adopt"]);
}

describe("faults: nothing is lost, nothing is doubled", () => {
  const lost: readonly [Fault, string] = [{ kind: "lost" }, "FORGE_FAILED"];
  const others: readonly (readonly [Fault, string])[] = [
    [{ kind: "error", status: 500 }, "FORGE_FAILED"],
    [{ kind: "error", status: 401 }, "AUTH_DENIED"],
    [{ kind: "primary", resetSeconds: 600 }, "RATE_LIMITED"],
    [{ kind: "secondary", retryAfterSeconds: 30 }, "RATE_LIMITED"],
    [{ kind: "down" }, "FORGE_FAILED"],
  ];

  it.each([
    ["done, and the answer lost", [lost]],
    ["500, 401, rate limits, connection cut", others],
  ])("%s: at every single request of the story in turn", async (_, faults) => {
    const calm = await start();
    const count = await requestsOf(calm);
    await calm[Symbol.asyncDispose]();
    for (let at = 0; at < count; at++) {
      const [fault, code] = faults[at % faults.length]!;
      const fresh = await start(APP_TOKEN);
      fresh.double.fault = failingOnceAt(at, fault);
      const failure = await story(fresh.forge).catch((error: unknown) => error);
      if (failure !== undefined) expect(failure).toMatchObject({ code });
      await story(fresh.forge);
      expectOnce(fresh);
      await fresh[Symbol.asyncDispose]();
      world = undefined;
    }
  });

  it("100 times the same story, interrupted at random: one of each", async () => {
    const there = await start(APP_TOKEN);
    let seed = 7;
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    there.double.fault = () => (random() < 0.04 ? { kind: random() < 0.5 ? "lost" : "down" } : undefined);
    let done = 0;
    for (let round = 0; round < 100; round++)
      done += await story(openForge(there.options)).then(
        () => 1,
        () => 0,
      );
    there.double.fault = () => undefined;
    await story(there.forge);
    expectOnce(there);
    expect(done).toBeGreaterThan(0);
  });

  it("tells how long to wait", async () => {
    const there = await start();
    const waitOf = async (fault: Fault): Promise<number> => {
      there.double.fault = () => fault;
      const error = await there.forge.listPulls("main", signal).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "RATE_LIMITED", next: "retry" });
      return (error as { retryAfterMs: number }).retryAfterMs;
    };
    expect(await waitOf({ kind: "secondary", retryAfterSeconds: 30 })).toBe(30_000);
    expect(await waitOf({ kind: "secondary" })).toBe(60_000);
    const primary = await waitOf({ kind: "primary", resetSeconds: 600 });
    expect(primary).toBeGreaterThan(590_000);
    expect(primary).toBeLessThanOrEqual(602_000);
    expect(await waitOf({ kind: "primary", resetSeconds: 86_400 })).toBe(3_600_000);
    expect(await waitOf({ kind: "primary", resetSeconds: -60 })).toBe(1_000);
    expect(await waitOf({ kind: "error", status: 429 })).toBe(60_000);
  });
});

describe("paced, as it runs", () => {
  it("a read is asked once more; a write never (the bug: a comment twice because the answer was lost)", async () => {
    const there = await start(APP_TOKEN);
    const number = await there.openIssue("theirs", "x");
    const paced = openForge({ ...there.options, isPaced: true });
    let failed = 0;
    there.double.fault = (method) => (method === "GET" && failed++ === 0 ? { kind: "error", status: 502 } : undefined);
    expect(await paced.listPulls("main", signal)).toEqual([]);
    there.double.fault = (method) => (method === "POST" ? { kind: "lost" } : undefined);
    await expect(paced.putComment(number, { marker: MARKER, body: "x" }, signal)).rejects.toMatchObject({ code: "FORGE_FAILED" });
    expect(there.double.state.comments).toHaveLength(1);
    there.double.fault = () => undefined;
    expect(await paced.putComment(number, { marker: MARKER, body: "x" }, signal)).toMatchObject({ kind: "unchanged" });
  });

  it.each<[Fault, string]>([
    [{ kind: "error", status: 409 }, "FORGE_FAILED"],
    [{ kind: "error", status: 405 }, "FORGE_FAILED"],
    [{ kind: "secondary", retryAfterSeconds: 600 }, "RATE_LIMITED"],
    [{ kind: "primary", resetSeconds: 600 }, "RATE_LIMITED"],
  ])("%j is told at once (the bug: it stalls for 14 s, or sleeps the limit away)", async (fault, code) => {
    const there = await start();
    there.double.fault = () => fault;
    await expect(openForge({ ...there.options, isPaced: true }).listPulls("main", signal)).rejects.toMatchObject({ code });
    expect(there.double.requests).toHaveLength(1);
  });

  it("who stops waits for nothing", async () => {
    const there = await start();
    const stop = new AbortController();
    there.double.fault = () => (stop.abort(), undefined);
    await expect(there.forge.listPulls("main", stop.signal)).rejects.toMatchObject({ code: "FORGE_FAILED" });
    await expect(there.forge.listPulls("main", AbortSignal.abort())).rejects.toMatchObject({ code: "FORGE_FAILED" });
  });
});

describe("what GitHub's times do not tell", () => {
  // Would catch: mallory edits rik's comment in the second in which he made it, and approves as rik (M3).
  it("knows a comment that was edited within its second, and asks about commands only", async () => {
    const there = await start();
    const number = await there.openFromFork("change");
    const edited = await there.comment(number, "/firebreak approve 0123456789ab", "wanda");
    const plain = await there.comment(number, "/firebreak approve 0123456789ab", "wanda");
    const { state } = there.double;
    const comment = state.comments.find(({ id }) => id === edited)!;
    comment.editedAt = comment.createdAt;
    const told = await there.forge.listComments(number, undefined, signal);
    expect(told.map(({ id, isEdited }) => [id, isEdited])).toEqual([
      [edited, true],
      [plain, false],
    ]);
    await there.deleteComment(edited);
    await there.deleteComment(plain);
    await there.comment(number, "thanks", "wanda");
    const before = there.double.requests.length;
    await there.forge.listComments(number, undefined, signal);
    expect(there.double.requests.length - before).toBe(1);
  });

  it("tells when a pull request last went to another base (M2)", async () => {
    const there = await start();
    const number = await there.openFromFork("change");
    expect(await there.forge.readMoved(number, signal)).toBeUndefined();
    there.double.state.pulls[0]!.moves = ["2027-01-02T00:00:00Z", "2027-01-03T00:00:00Z"];
    expect(await there.forge.readMoved(number, signal)).toBe("2027-01-03T00:00:00Z");
  });
});

/** An App's token, as a workflow has one: check runs without the detour over the App's key. */
const APP_TOKEN = { token: "installation-token" };

function failingOnceAt(at: number, fault: Fault): () => Fault | undefined {
  let count = 0;
  return () => (count++ === at ? fault : undefined);
}

/** How many requests the story takes when all goes well, as an App. */
async function requestsOf({ options, double }: DoubleWorld): Promise<number> {
  await story(openForge({ ...options, credential: APP_TOKEN }));
  return double.requests.length;
}
