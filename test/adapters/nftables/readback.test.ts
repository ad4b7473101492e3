import { describe, expect, it, test } from "vitest";
import { parseReadback } from "../../../adapters/nftables/readback.ts";

function section(name: string, ...lines: readonly string[]): string {
  return [`@${name}`, ...[...lines, "=0"].map((line) => ` ${line}`)].join("\n");
}

const RULESET = section("ruleset", JSON.stringify({ nftables: [{ metainfo: { version: "1.0.6" } }] }));
const OTHERS = ["flags", "legacy", "addresses", "resolvers", "machine"].map((name) => section(name));

// would catch: a host with an earlier script that counts as not seen, and is never repaired again
test("a script from before time servers were read is whole without them", () => {
  const read = parseReadback(["@firebreak-readback 1", RULESET, ...OTHERS, "@end\n"].join("\n"));
  expect([read.isComplete, read.timeServers]).toEqual([true, []]);
});

// would catch: a comment, an option or a local clock taken for a server
test("time servers are those that chrony, timesyncd and ntpd are told", () => {
  const lines = [
    "# server 10.0.0.1",
    "server 10.0.0.2 iburst",
    "pool 2.pool.example.org iburst",
    "server -4 10.0.0.3",
    "peer 2001:db8::123",
    "server 127.127.1.0",
    "[Time]",
    "NTP=10.0.0.4 time.example.org",
    "#NTP=10.0.0.5",
    "FallbackNTP=10.0.0.6",
    "server $(reboot)",
  ];
  const text = ["@firebreak-readback 1", RULESET, ...OTHERS, section("timeservers", ...lines), "@end\n"].join("\n");
  expect(parseReadback(text).timeServers).toEqual([
    "10.0.0.2",
    "10.0.0.3",
    "10.0.0.4",
    "2.pool.example.org",
    "2001:db8::123",
    "time.example.org",
  ]);
});

const HEAD = "@firebreak-readback 1";
const answer = (...sections: readonly string[]): string => [HEAD, ...sections, ...OTHERS, "@end\n"].join("\n");

describe("whatever a host answers", () => {
  // would catch: an answer that cannot be read passes for an empty host, or for one that is away
  it.each([
    ["nothing", "", "strange"],
    ["a greeting", "Welcome to Acme Linux\n", "strange"],
    ["a lone head", HEAD, "strange"],
    ["a listing that is cut", answer(section("ruleset", '{"nftables": [{"metainfo": {}}, {"table": {"flags": ')), "broken"],
    ["an empty listing", answer(section("ruleset", "")), "broken"],
    ["JSON that is no listing", answer(section("ruleset", '{"nftables": 5}')), "broken"],
    ["a listing without its head", answer(section("ruleset", '{"nftables": []}')), "broken"],
    ["brackets without an end", answer(section("ruleset", "[".repeat(1_000_000))), "broken"],
    [
      "a listing of great depth",
      answer(section("ruleset", `{"nftables": [{"metainfo": {}}, ${"[".repeat(90)}${"]".repeat(90)}]}`)),
      "broken",
    ],
    ["a refusal", answer("@ruleset\n sudo: a password is required\n =1"), "refused"],
    ["no end of the listing", [HEAD, "@ruleset\n {"].join("\n"), "strange"],
    ["nothing but line ends", "\n".repeat(1_000_000), "strange"],
    ["a head and line ends", `${HEAD}\n${"\n".repeat(1_000_000)}`, "strange"],
  ])("%s is told as what it is", (_, text, outcome) => {
    expect(parseReadback(text)).toMatchObject({ outcome, isComplete: false, ruleset: [] });
  });

  // would catch: a start-up file that prints something makes a host unreadable for ever
  it("what a start-up file prints before it is passed over", () => {
    expect(parseReadback(`Last login: today\n${answer(RULESET)}`).isComplete).toBe(true);
  });

  // would catch: a table that could not be read passes for one that is not there
  it("a table that could not be read apart is there, and named as unread", () => {
    const cut = '{"nftables": [{"metainfo": {}}, {"table": {"family": "ip", "flags": ';
    const text = answer(
      section("tables", "table ip aa {", "\tflags dormant", "table ip bb {", "table inet firebreak {", "table netdev weird name {"),
      section("ours", JSON.stringify({ nftables: [{ metainfo: {} }, { table: { family: "inet", name: "firebreak" } }] })),
      section("table ip aa", cut),
      section("table ip bb", cut),
    );
    expect(parseReadback(text)).toMatchObject({
      outcome: "listed",
      isComplete: true,
      ruleset: [
        { table: { family: "ip", name: "aa", flags: ["dormant"] } },
        { table: { family: "ip", name: "bb" } },
        { unread: { family: "ip", table: "bb" } },
        { table: { family: "inet", name: "firebreak" } },
        { table: { family: "?" } },
        { unread: { family: "?" } },
      ],
    });
  });

  it("timers that wait are told by generation, and nothing else counts as one", () => {
    const text = answer(RULESET, section("armed", "7", "", "x", "-1", "99999999999"));
    expect(parseReadback(text).armed).toEqual([7]);
  });
});
