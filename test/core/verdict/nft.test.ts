import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { formatSet, fromAddressTexts } from "../../../core/address/index.ts";
import { formatPorts, portRange } from "../../../core/address/ports.ts";
import { admits, admittedBoxes, formatHostEffect, hostAccess, hostEffect } from "../../../core/verdict/nft.ts";
import { inScratchNamespace } from "../../support/nft-kernel.ts";

const RULES = fileURLToPath(new URL("fixtures/every-expression.nft", import.meta.url));
const LISTED = JSON.parse(readFileSync(RULES.replace(".nft", ".json"), "utf8")) as Listing; // written by nft 1.0.6 from the rules

interface Listing {
  readonly nftables: readonly Readonly<Record<string, unknown>>[];
}

/** What the kernel lists after nft loaded these rules. */
function list(rules: string): Listing {
  return JSON.parse(inScratchNamespace("nft -f - && nft -s -j list ruleset", rules)) as Listing; // nft's own shape
}

function table(chains: string): string {
  return `table inet firebreak {\n${chains}\n}\n`;
}

/** `ports from peers` for each box of the input hook. */
function input(rules: string): readonly string[] {
  return admittedBoxes(hostAccess(list(table(rules))).input).map(
    ({ peers, ports }) => `${formatPorts(ports)} from ${formatSet(peers)}`,
  );
}

function doubts(rules: string): readonly string[] {
  const access = hostAccess(list(table(rules)));
  return [...access.input.uncertain, ...access.output.uncertain, ...access.uncertain];
}

const DROP = "type filter hook input priority 0; policy drop;";

describe("a listing with every expression that is understood", () => {
  const access = hostAccess(LISTED);
  const boxes = admittedBoxes(access.input).map(({ peers, ports }) => `${formatPorts(ports)} from ${formatSet(peers)}`);

  test("each rule admits what it says, and nothing else (bug: a rule read too wide or not at all)", () => {
    expect(boxes).toEqual([
      "22/tcp from 10.0.0.0/24, 10.4.0.3, 10.5.0.1-10.5.0.9, 10.6.0.1",
      "53/tcp, 53/udp from 10.7.0.0/16",
      "80/tcp from 10.1.0.1-10.1.0.2",
      "123/tcp, 123/udp from 0.0.0.0-9.255.255.255, 11.0.0.0-255.255.255.255",
      "443/tcp from 10.1.0.1-10.1.0.2, 10.2.0.0/24",
      "1000/tcp from 10.9.0.1",
      "5000/tcp, icmp/3, icmp/8, icmp/11 from 0.0.0.0/0",
      "5001/tcp, 6666/tcp, 68/udp, other protocols from any address",
      "5432/tcp from 10.4.0.1, 2001:db8::1",
      "7777/tcp, icmpv6/134-136 from ::/0",
      "8000-8010/tcp from 10.1.0.1-10.1.0.2, 10.3.0.1-10.3.0.5",
      "8011-8080/tcp from 10.3.0.1-10.3.0.5",
      "9100/tcp from 10.8.0.1, 10.8.1.0/24",
      "99/sctp from 10.10.0.1",
    ]);
  });

  test("what may or may not match is admitted and named", () => {
    expect(access.input.uncertain.map((text) => /limit|l4proto|fib/.exec(text)?.[0])).toEqual(["limit", "l4proto", "fib"]);
    expect(access.output.uncertain).toEqual([]);
  });

  test("output is read from the peer's side: reject closes, policy accept opens the rest", () => {
    const peer = (address: string) => fromAddressTexts([address]).set;
    expect(admits(access, "output", { peers: peer("10.66.1.1"), ports: portRange("tcp", 443) })).toBe(false);
    expect(admits(access, "output", { peers: peer("10.67.1.1"), ports: portRange("tcp", 443) })).toBe(true);
  });

  test("the fixture is what this machine's kernel lists too", () => {
    const live = list(readFileSync(RULES, "utf8"));
    expect(admittedBoxes(hostAccess(live).input)).toEqual(admittedBoxes(access.input));
  });
});

describe("control flow", () => {
  test("return goes back to the caller, goto does not (bug: a rule after a jump never seen)", () => {
    const chains = (verb: string): string =>
      `chain sub { tcp dport 80 accept; tcp dport 81 return; tcp dport 82 drop; }\nchain input { ${DROP} tcp dport 80-90 ${verb} sub; tcp dport { 81, 82, 83 } accept; }`;
    expect(input(chains("jump"))).toEqual(["80-81/tcp, 83/tcp from any address"]);
    expect(input(chains("goto"))).toEqual(["80/tcp from any address"]);
  });

  test("the first verdict wins", () => {
    expect(input(`chain input { ${DROP} ip saddr 10.0.0.1 drop; tcp dport 22 ip saddr 10.0.0.0/30 accept; }`)).toEqual([
      "22/tcp from 10.0.0.0, 10.0.0.2/31",
    ]);
  });

  test("two base chains of a hook must both admit", () => {
    const first = "chain a { type filter hook input priority 0; policy accept; tcp dport 23 drop; }";
    expect(input(`${first}\nchain b { ${DROP.replace("0;", "1;")} tcp dport 22-23 accept; }`)).toEqual(["22/tcp from any address"]);
  });

  test("no base chain at the hook admits everything", () => {
    expect(input("chain other { tcp dport 22 drop; }")).toHaveLength(3);
  });

  test("new connections only: established, related and invalid say nothing about them", () => {
    expect(
      input(
        `chain input { ${DROP} ct state established,related accept; ct state invalid drop; ct state new tcp dport 22 accept; }`,
      ),
    ).toEqual(["22/tcp from any address"]);
    expect(
      input(
        `chain input { ${DROP} ct state vmap { established : accept, new : jump seg }; }\nchain seg { tcp dport 25 accept; }`.replace(
          /^(.*)\n(.*)$/s,
          "$2\n$1",
        ),
      ),
    ).toEqual(["25/tcp from any address"]);
  });

  test("a match on a source port narrows nothing for certain: the peer chooses it", () => {
    const rules = `chain input { ${DROP} udp sport 53 udp dport 1024-65535 accept; tcp sport 1 drop; tcp dport 22 accept; }`;
    expect(input(rules)).toEqual(["22/tcp, 1024-65535/udp from any address"]);
    expect(doubts(rules)).toEqual([]);
  });

  test("other than: the complement within what the match depends on", () => {
    expect(input(`chain input { ${DROP} tcp dport != 22 ip saddr != 10.0.0.0/8 accept; }`)).toEqual([
      "0-21/tcp, 23-65535/tcp from 0.0.0.0-9.255.255.255, 11.0.0.0-255.255.255.255",
    ]);
    expect(input(`chain input { ${DROP} iifname != "lo" tcp dport < 3 accept; }`)).toEqual(["0-2/tcp from any address"]);
  });

  test("th dport without a protocol also reads packets that have no ports: said, not hidden", () => {
    expect(doubts(`chain input { ${DROP} th dport 53 accept; }`)).toHaveLength(1);
    expect(doubts(`chain input { ${DROP} meta l4proto { tcp, udp } th dport 53 accept; }`)).toEqual([]);
  });
});

describe("nothing is ignored in silence", () => {
  test.each([
    [`chain input { ${DROP} tcp flags syn tcp dport 22 accept; }`, /flags/],
    [`chain input { ${DROP} meta mark 1 accept; }`, /mark/],
    [`chain input { ${DROP} iifname "eth9" accept; }`, /eth9/],
    [`chain input { ${DROP} ct state untracked accept; }`, /untracked/],
    [`set s { type ipv4_addr; flags dynamic; }\nchain input { ${DROP} tcp dport 1 add @s { ip saddr }; }`, /"set"/],
    ["chain pre { type nat hook prerouting priority -100; tcp dport 80 redirect to :22; }", /hook prerouting/],
    ["chain pre { type filter hook prerouting priority -300; notrack; }", /hook prerouting/],
  ])("%s", (rules, expected) => {
    expect(doubts(rules).join("\n")).toMatch(expected);
  });

  test.each(["queue", "xt", "teleport"])("%s may accept, so what reaches it counts as admitted", (statement) => {
    const listing = structuredClone(LISTED) as { nftables: Record<string, unknown>[] };
    const rule = { family: "inet", table: "firebreak", chain: "input", expr: [{ [statement]: null }] };
    const at = listing.nftables.findIndex((item) => "rule" in item && JSON.stringify(item).includes('"iifname"'));
    listing.nftables.splice(at, 0, { rule });
    const access = hostAccess(listing);
    expect(access.input.uncertain.join()).toContain(statement);
    expect(admits(access, "input", { peers: fromAddressTexts(["8.8.8.8"]).set, ports: portRange("tcp", 1) })).toBe(true);
  });

  test("a jump into a chain that is not listed may accept too", () => {
    const listing = { nftables: LISTED.nftables.filter((item) => JSON.stringify(item["chain"] ?? {}).includes('"seg"') === false) };
    expect(hostAccess(listing).input.uncertain.join()).toContain("is not listed");
  });

  test.each([
    [{}],
    [{ nftables: "x" }],
    [null],
    ["text"],
    [{ nftables: [null, 1, { rule: 3 }, { chain: { family: "inet", table: "firebreak" } }] }],
  ])("%j is no listing and does not stop the reader", (listing) => {
    expect(hostAccess(listing).exists).toBe(false);
  });
});

describe("hostEffect", () => {
  const before = table(`chain input { ${DROP} ip saddr 10.0.0.0/24 tcp dport 22 accept; log prefix "deny " drop; }`);
  // Who had a port already is not told as new: whoever reads it backwards, as closed, must not believe that it ends.
  const OPEN = ["opens any → this host: any port but 22/tcp", "opens any but 10.0.0.0/24 → this host: 22/tcp"];
  const effectOf = (after: string) => hostEffect(list(before), list(after));

  // The ways in which others undermine a table; each must be told as what it opens.
  test.each([
    [
      "an inserted rule",
      before.replace("drop; ip saddr", "drop; tcp dport 8080 accept; ip saddr"),
      ["opens any → this host: 8080/tcp"],
    ],
    [
      "a rule appended behind our drop",
      before.replace("drop; }", "drop; tcp dport 8080 accept; }"),
      ["opens nothing, closes nothing"],
    ],
    ["policy accept alone", before.replace("policy drop", "policy accept"), ["opens nothing, closes nothing"]],
    [
      "policy accept and the drop removed",
      before.replace("policy drop", "policy accept").replace('log prefix "deny " drop;', ""),
      OPEN,
    ],
    ["table deleted", "", OPEN],
    ["a chain flushed", table(`chain input { ${DROP} }`), ["closes 10.0.0.0/24 → this host: 22/tcp"]],
    [
      "two ports where there was one, for fewer",
      before.replace("10.0.0.0/24 tcp dport 22", "10.0.0.0/25 tcp dport { 22, 23 }"),
      ["opens 10.0.0.0/25 → this host: 23/tcp", "closes 10.0.0.128/25 → this host: 22/tcp"],
    ],
    [
      "a wider set and another port",
      before.replace("10.0.0.0/24 tcp dport 22", "10.0.0.0/23 tcp dport { 22, 23 }"),
      ["opens 10.0.1.0/24 → this host: 22/tcp", "opens 10.0.0.0/23 → this host: 23/tcp"],
    ],
    [
      "the same, written otherwise",
      before.replace("10.0.0.0/24 tcp", "{ 10.0.0.0-10.0.0.127, 10.0.0.128/25 } tcp"),
      ["opens nothing, closes nothing"],
    ],
  ])("%s", (_, after, lines) => {
    expect(formatHostEffect(effectOf(after))).toEqual(lines);
  });

  test("a dormant table is listed in full and stops nothing (nft 1.0.6 prints garbage for the flag)", () => {
    const effect = effectOf(before.replace("{\n", "{\n flags dormant\n"));
    expect(formatHostEffect(effect).slice(0, 2)).toEqual(OPEN);
    expect(effect.opened[0]?.witness).toEqual({ peer: "1.0.0.0", port: 1, protocol: "tcp" });
  });

  test("a doubt that only one side has is told, one that both have is a note", () => {
    const doubtful = before.replace("log prefix", "meta mark 7 accept; log prefix");
    expect(effectOf(doubtful).uncertain).toHaveLength(1);
    const same = hostEffect(list(doubtful), list(doubtful));
    expect([same.kind, same.uncertain.length, same.notes.length]).toEqual(["equivalent", 0, 1]);
  });

  test("10,000 addresses and 300 ports are read in one go", () => {
    const elements = Array.from(
      { length: 10_000 },
      (_, index) => `10.${index >> 8}.${index & 255}.1 . ${1000 + (index % 300)} : accept`,
    );
    const map = `map dispatch { type ipv4_addr . inet_service : verdict; elements = { ${elements.join(", ")} } }`;
    const boxes = input(`${map}\nchain input { ${DROP} ip saddr . tcp dport vmap @dispatch; }`);
    expect(boxes).toHaveLength(300);
  });
});
