import { describe, expect, it } from "vitest";
import { parseDurationMs } from "../../../core/ground/duration.ts";
import { allowOf, lifelineFloor } from "../../../core/config/operator.ts";
import { ENVIRONMENT, parseSettings } from "../../../core/config/settings.ts";
import { errorChain } from "../../../core/ground/error.ts";
import { expectGolden } from "../../support/golden.ts";

const LEAST = "repository: {url: https://git.test/policies.git}\n";

function problemOf(text: string, environment: Record<string, string> = {}): string {
  try {
    parseSettings(text, environment);
  } catch (error) {
    expect(error).toMatchObject({ code: "CONFIG_INVALID" });
    return errorChain(error).join("\n  because ");
  }
  return "accepted";
}

describe("defaults", () => {
  it("are those of this file (golden: a changed default is a changed contract)", () => {
    expectGolden("config/defaults.json", JSON.stringify(parseSettings(LEAST, {}), null, 2));
  });

  it("are safe: definitions may name nothing, and the API is local", () => {
    const settings = parseSettings(LEAST, {});
    expect(settings.allow).toEqual({ contexts: [], hosts: [], users: [], local: false });
    expect(settings.listen).toBe("127.0.0.1:7373");
    expect([settings.database, settings.redis, settings.forge]).toEqual([undefined, undefined, undefined]);
    expect(settings.channels).toEqual({});
  });
});

/** Title → file, environment. */
const BAD: Readonly<Record<string, readonly [text: string, environment?: Record<string, string>]>> = {
  "nothing at all": [""],
  "no YAML, with a secret in the line": ["repository: {url: x, token: hunter2\n"],
  "a list": ["- a\n"],
  "no YAML": ["repository: {url: [\n"],
  "two documents": [`${LEAST}---\n${LEAST}`],
  "a key twice": [`${LEAST}${LEAST}`],
  "an alias": ["repository: &r {url: x}\nforge: *r\n"],
  "unknown settings, near and far": [`${LEAST}alow: {}\nLISTEN: a\nzzz: 1\n`],
  "an unknown setting inside": [
    "repository: {url: x, brnch: main}\nhosts: {deadman: 3s}\nchannels: {siem: {webhook: {uri: http://x, secret: env:A}}}\n",
  ],
  "a prototype": [`${LEAST}__proto__: {listen: "0.0.0.0:1"}\n`],
  "wrong types": ["repository: text\nallow: [a]\nconcurrency: many\nlogLevel: loud\n"],
  "numbers that are none": [`${LEAST}concurrency: 0.5\n`],
  "too many": [`${LEAST}concurrency: 257\n`],
  "a secret in the file": [`${LEAST}database: postgres://user:hunter2@db/firebreak\napi: {token: hunter2}\n`],
  "credentials in URLs": [
    'repository: {url: "https://bot:hunter2@git.test/p.git"}\nforge: {kind: gitea, url: "https://hunter2@x/api/v1", repository: a/b, token: env:A}\n' +
      'channels: {a: {webhook: {url: "https://u:hunter2@x/hook"}}}\n',
  ],
  "credentials in a URL of the environment": ["", { FIREBREAK_REPOSITORY_URL: "https://bot:hunter2@git.test/p.git" }],
  durations: [
    "repository: {url: x, poll: 30}\nhosts: {settle: soon, deadMan: 0s, readEvery: 0ms}\nclusters: {readEvery: 9999999h}\n",
  ],
  "addresses to listen on": [`${LEAST}listen: "7373"\n`],
  "a port too high": [`${LEAST}listen: "127.0.0.1:70000"\n`],
  "an IPv6 address without brackets": [`${LEAST}listen: "::1:7373"\n`],
  "a forge": [`${LEAST}forge: {kind: gitlab, url: "javascript:alert(1)", repository: name, token: abc}\n`],
  "a forge without a credential": [`${LEAST}forge: {kind: gitea, url: "http://x", repository: a/b}\n`],
  "a forge with two, and an app that is GitHub's": [
    `${LEAST}forge: {kind: gitea, url: "http://x", repository: a/b, token: env:A, app: {id: 12, privateKey: abc, installationId: "3"}}\n`,
  ],
  "an app for Gitea": [
    `${LEAST}forge: {kind: gitea, url: "http://x", repository: a/b, app: {id: "12", privateKey: "file:k", installationId: "3"}}\n`,
  ],
  "a webhook": [`${LEAST}channels: {siem: {webhook: {url: hook, secret: abc}}}\n`],
  "a channel of two kinds, one of none, a name that is none": [
    `${LEAST}channels: {a: {alertmanager: {url: "http://x"}, slack: {webhook: env:A}}, b: {}, C_D: {alertmanager: {url: "http://x"}}}\n`,
  ],
  "mail to nobody": [`${LEAST}channels: {mail: {email: {smtp: env:A, from: nobody, to: []}}}\n`],
  "a webhook to two places": [`${LEAST}channels: {a: {webhook: {url: "http://x", urlFrom: env:A}}}\n`],
  "no lifeline ports": [`${LEAST}lifeline: {ports: []}\n`],
  "unknown variables": [LEAST, { FIREBREAK_REPO_URL: "x", FIREBREAK_LISTN: "y", FIREBREAK_PASSWORD: "hunter2" }],
  "a bad variable over a good file": [LEAST, { FIREBREAK_DATABASE: "postgres://user:hunter2@db/firebreak" }],
  "a variable over a section that is none": ["repository: text\n", { FIREBREAK_REPOSITORY_URL: "https://git.test/p.git" }],
};

describe("what is refused", () => {
  it("is told all at once, with the place and the nearest known name (golden)", () => {
    expectGolden(
      "config/refused.txt",
      Object.entries(BAD)
        .map(([title, [text, env]]) => `== ${title}\n${problemOf(text, env)}`)
        .join("\n\n"),
    );
  });

  it.each(Object.entries(BAD))("%s: is refused, and no secret is repeated", (_title, [text, environment]) => {
    const problem = problemOf(text, environment);
    expect(problem).not.toBe("accepted");
    expect(problem).not.toContain("hunter2");
  });
});

describe("the environment", () => {
  it("lies over the file, and may be enough alone", () => {
    const settings = parseSettings("listen: 127.0.0.1:1\n", {
      FIREBREAK_REPOSITORY_URL: "https://git.test/p.git",
      FIREBREAK_LISTEN: "[::1]:2",
      FIREBREAK_REDIS: "env:REDIS_URL",
      FIREBREAK_LOG_LEVEL: "",
      FIREBREAK_SECRET_ANYTHING: "hush",
      FIREBREAK_CACHE: "/var/cache",
      PATH: "/bin",
    });
    expect(settings).toMatchObject({
      listen: "[::1]:2",
      redis: "env:REDIS_URL",
      logLevel: "info",
      repository: { url: "https://git.test/p.git", branch: "main" },
    });
  });

  it.each(Object.entries(ENVIRONMENT))("%s names a setting that exists: %s", (name) => {
    const values: Record<string, string> = {
      FIREBREAK_LISTEN: "127.0.0.1:9",
      FIREBREAK_LOG_LEVEL: "debug",
      FIREBREAK_DATABASE: "env:A",
      FIREBREAK_REDIS: "env:A",
    };
    expect(problemOf(LEAST, { [name]: values[name] ?? "x" })).toBe("accepted");
  });
});

describe("durations", () => {
  it.each([
    ["250ms", 250],
    ["30s", 30_000],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["0s", 0],
    ["", undefined],
    ["1", undefined],
    ["1.5s", undefined],
    ["-1s", undefined],
    ["1 s", undefined],
    ["1d", 86_400_000],
    ["1y", undefined],
    ["99999999s", undefined],
  ])("%j is %s ms", (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });
});

describe("what the operator bounds", () => {
  it("is parsed as addresses and ports, with the value that was meant", () => {
    const settings = parseSettings(
      `${LEAST}allow: {hosts: [10.0.0.0/8, "fd00::/8"], users: [firebreak]}\nlifeline: {from: [10.0.0.0/24], ports: [22/tcp, 20-30/tcp]}\n`,
      {},
    );
    expect(allowOf(settings)).toMatchObject({ users: ["firebreak"], contexts: [] });
    expect(allowOf(settings).hosts.length).toBe(2);
    expect(lifelineFloor(settings).ports).toEqual([{ kind: "range", protocol: "tcp", from: 20, to: 30 }]);
  });

  it.each([
    ["allow: {hosts: [10.0.0.1/8]}", "allow.hosts", "10.0.0.0/8"],
    ["allow: {hosts: [example.org]}", "allow.hosts", ""],
    ["lifeline: {from: [10.0.0.300/24]}", "lifeline.from", ""],
    ["lifeline: {ports: [22]}", "lifeline.ports", ""],
    ["lifeline: {ports: [ssh/tcp]}", "lifeline.ports", ""],
  ])("%s is refused, naming the setting", (text, setting, meant) => {
    const read = (): unknown => {
      const settings = parseSettings(LEAST + text + "\n", {});
      return [allowOf(settings), lifelineFloor(settings)];
    };
    expect(read).toThrow(expect.objectContaining({ code: "CONFIG_INVALID", message: expect.stringContaining(setting) as unknown }));
    expect(read).toThrow(meant);
  });
});
