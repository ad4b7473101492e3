import { expect, test } from "vitest";
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
