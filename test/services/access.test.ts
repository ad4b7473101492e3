import { createHmac } from "node:crypto";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseSettings } from "../../core/config/settings.ts";
import { apiToken } from "../../services/api-token.ts";
import { accessOf, isOurHost, isSameSecret } from "../../services/console/access.ts";
import { readinessLines } from "../../services/console/readiness.ts";
import { pullOf, readSigned } from "../../services/console/webhook.ts";

describe("the API's token", () => {
  it("is made once, readable by its owner alone (the bug: a second start locks the first one's users out)", async () => {
    const folder = await mkdtemp(join(tmpdir(), "fb-token-"));
    try {
      const settings = { ...parseSettings("repository: {url: /x}", {}), stateFolder: folder };
      const first = await apiToken(settings, {});
      expect(first.length).toBeGreaterThan(30);
      expect(await apiToken(settings, {})).toBe(first);
      expect((await stat(join(folder, "api.token"))).mode & 0o777).toBe(0o600);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("that may only read is told from the one that may do everything, and is none when it is not set", () => {
    const tokens = { full: "full", read: "read" };
    expect([undefined, "full", "read", "other", ""].map((given) => accessOf(given, tokens))).toEqual([
      "none",
      "full",
      "read",
      "none",
      "none",
    ]);
    expect(["read", "undefined", ""].map((given) => accessOf(given, { full: "full", read: undefined }))).toEqual([
      "none",
      "none",
      "none",
    ]);
  });

  it("is compared whole", () => {
    expect(isSameSecret("secret", "secret")).toBe(true);
    expect(isSameSecret("secre", "secret")).toBe(false);
    expect(isSameSecret("", "secret")).toBe(false);
  });
});

// Would catch: /readyz, which needs no token, names clusters, commits and addresses of servers (L3).
it("readiness names kinds and counts to strangers, and the rest to whoever has a token", () => {
  const troubles = [
    { need: "store", since: 0, error: { code: "STORE_UNAVAILABLE", message: "connect ECONNREFUSED 10.9.8.7:5432" }, isSlow: false },
  ] as const;
  const reasons = [
    { brief: "stale watches of clusters: 1", detail: "stale watches of clusters: 1 (cluster/secret)" },
    { brief: "no revision is in force yet" },
  ];
  const brief = ["the store is away: STORE_UNAVAILABLE", "stale watches of clusters: 1", "no revision is in force yet"];
  expect(readinessLines(troubles, reasons, false)).toEqual(brief);
  const told = readinessLines(troubles, reasons, true).join("\n");
  expect(told).toContain("cluster/secret");
  expect(told).toContain("10.9.8.7");
});

describe("the Host header", () => {
  it.each([
    ["127.0.0.1:7373", true],
    ["localhost", true],
    ["[::1]:7373", true],
    ["firebreak.example:443", true],
    ["evil.example:7373", false],
    ["127.0.0.1.evil.example", false],
    [undefined, false],
  ])("%s", (header, expected) => {
    expect(isOurHost(header, "127.0.0.1:7373", ["firebreak.example"])).toBe(expected);
  });
});

async function* streamOf(chunks: readonly Buffer[]): AsyncGenerator<Buffer, void, void> {
  yield* chunks;
  await Promise.resolve();
}

/** In two pieces, as a network may bring it. */
const piecesOf = (body: Buffer) => streamOf([body.subarray(0, 5), body.subarray(5)]);

describe("a push that a forge announces", () => {
  const body = Buffer.from('{"ref":"refs/heads/main"}');
  const signature = createHmac("sha256", "s3cret").update(body).digest("hex");

  it.each([
    ["GitHub's header", { "x-hub-signature-256": `sha256=${signature}` }, true],
    ["Gitea's header", { "x-gitea-signature": signature }, true],
    ["no signature", {}, false],
    ["a wrong one", { "x-gitea-signature": signature.replaceAll("a", "b") }, false],
    ["an empty one", { "x-hub-signature-256": "sha256=" }, false],
  ])("%s", async (_name, headers, expected) => {
    expect((await readSigned(headers, piecesOf(body), "s3cret")) !== undefined).toBe(expected);
  });

  it("is refused when its body was changed, and read no further than its headers when it has no signature", async () => {
    expect(await readSigned({ "x-gitea-signature": signature }, piecesOf(Buffer.from("{}")), "s3cret")).toBeUndefined();
    // A body that fails when it is read.
    const unread = { [Symbol.asyncIterator]: () => ({ next: async () => await Promise.reject(new Error("read")) }) };
    expect(await readSigned({}, unread, "s3cret")).toBeUndefined();
  });

  // Would catch: a push of many commits refused with 413 and seen by the poll only (L4); or one of any size kept in memory.
  it("of 20 MB is a hint about everything, and one that is longer than forges send is refused", async () => {
    const long = (megabytes: number): readonly Buffer[] => Array.from({ length: megabytes }, () => Buffer.alloc(1024 * 1024, 32));
    const signed = (chunks: readonly Buffer[]) => {
      const hmac = createHmac("sha256", "s3cret");
      for (const chunk of chunks) hmac.update(chunk);
      return { "x-gitea-event": "pull_request", "x-hub-signature-256": `sha256=${hmac.digest("hex")}` };
    };
    const headers = signed(long(20));
    const delivery = await readSigned(headers, streamOf(long(20)), "s3cret");
    expect(delivery).toEqual({ body: undefined });
    expect(pullOf(headers, delivery!)).toBeUndefined();
    await expect(readSigned(signed(long(26)), streamOf(long(26)), "s3cret")).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
  });
});
