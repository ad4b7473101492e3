import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { compareHost } from "../../../core/drift/host.ts";
import { createTransaction } from "../../../core/plan/host-transaction.ts";
import { renderRuleset } from "../../../core/render/nft.ts";
import { until } from "../../support/host-fixture.ts";
import { allow, block, blocks, hostWant, ports } from "../../support/host-wants.ts";
import { observationOf } from "../../support/nft-kernel.ts";
import { PacketPair } from "../../support/packet-pair.ts";

const MARK = { instance: "fb-test", sequence: 7, digest: "0123456789abcdef" };
/** 22 is open for the peer by the lifeline, 443 by a rule, 8080 is closed, and nobody may come from elsewhere. */
const want = hostWant({
  ingress: { mode: "enforce", allows: [allow("web/0", blocks("10.1.0.1/32", "10.2.0.0/24"), ports("443/tcp"))] },
  lifeline: { from: [block("10.1.0.0/24")], ports: ports("22/tcp") },
});
const expected = renderRuleset(want, MARK, { generation: 3, phase: "final" });

let pair: PacketPair;
beforeAll(async () => {
  pair = new PacketPair([22, 443, 8080]);
  await until(() => pair.ask(443) === "443");
});
afterAll(() => pair[Symbol.dispose]());
beforeEach(() => {
  pair.host.run("nft flush ruleset");
  pair.host.load(createTransaction(expected));
});

function findings(legacyTables: readonly string[] = []) {
  const observation = { ...pair.host.observe(), addresses: [pair.hostAddress], legacyTables };
  return compareHost({ expected, observation });
}

function asked(): string {
  return [22, 443, 8080].map((port) => pair.ask(port)).join(" ");
}

const RIGHT = "22 443 closed";

describe("a host as it should be", () => {
  // Bug caught: a comparison that finds something on every host, for ever.
  it("has no findings, whatever its counters, generation and tables of others without rules say", () => {
    expect(asked()).toBe(RIGHT);
    pair.host.run("nft 'add table ip filter; add chain ip filter INPUT { type filter hook input priority 0; }'");
    expect(findings()).toEqual([]);
  });

  // Bug caught: a host that could be read in part only looks tampered with.
  it("has none either when it could not be read whole", () => {
    const observation = { ...observationOf([]), completeness: "partial" as const };
    expect(compareHost({ expected, observation })).toEqual([]);
  });
});

interface Row {
  readonly what: string;
  readonly tampering: string;
  /** What answers on 22, 443 and 8080 afterwards. */
  readonly packets: string;
  readonly kind: string;
  readonly subject: string;
  readonly verdict: string;
  readonly opened?: string;
  readonly closed?: string;
}

const ours: readonly Row[] = [
  {
    what: "an accept rule inserted",
    tampering: "nft insert rule inet firebreak input tcp dport 8080 accept",
    packets: "22 443 8080",
    kind: "ruleset-changed",
    subject: "table inet firebreak",
    verdict: "opens",
    opened: "any → this host: 8080/tcp",
  },
  {
    // The explicit drop before it keeps an appended rule dead.
    what: "an accept rule appended",
    tampering: "nft add rule inet firebreak input tcp dport 8080 accept",
    packets: RIGHT,
    kind: "ruleset-changed",
    subject: "table inet firebreak",
    verdict: "equivalent",
  },
  {
    what: "the policy set to accept, and the explicit drop with it",
    tampering: `nft 'chain inet firebreak input { policy accept; }'; nft flush chain inet firebreak input`,
    packets: "22 443 8080",
    kind: "ruleset-changed",
    subject: "table inet firebreak",
    verdict: "opens",
    opened: "any but 10.1.0.1, 10.2.0.0/24 → this host: 443/tcp",
  },
  {
    what: "the policy alone set to accept",
    tampering: "nft 'chain inet firebreak input { policy accept; }'",
    packets: RIGHT,
    kind: "ruleset-changed",
    subject: "table inet firebreak",
    verdict: "equivalent",
  },
  {
    what: "the table dormant",
    tampering: "nft 'add table inet firebreak { flags dormant; }'",
    packets: "22 443 8080",
    kind: "dormant",
    subject: "table inet firebreak",
    verdict: "opens",
    opened: "any but 10.1.0.1, 10.2.0.0/24 → this host: 443/tcp",
  },
  {
    what: "the table deleted",
    tampering: "nft delete table inet firebreak",
    packets: "22 443 8080",
    kind: "table-missing",
    subject: "table inet firebreak",
    verdict: "opens",
    opened: "any but 10.1.0.1, 10.2.0.0/24 → this host: 443/tcp",
  },
  {
    what: "the ruleset flushed",
    tampering: "nft flush ruleset",
    packets: "22 443 8080",
    kind: "table-missing",
    subject: "table inet firebreak",
    verdict: "opens",
    opened: "any but 10.1.0.1, 10.2.0.0/24 → this host: 443/tcp",
  },
  {
    what: "our chain flushed",
    tampering: "nft flush chain inet firebreak input",
    packets: "closed closed closed",
    kind: "ruleset-changed",
    subject: "table inet firebreak",
    verdict: "closes",
    closed: "10.1.0.0/24 → this host: 22/tcp",
  },
  {
    what: "a port added to the dispatch",
    tampering: "nft 'add element inet firebreak in_tcp { 8080 : accept }'",
    packets: "22 443 8080",
    kind: "ruleset-changed",
    subject: "table inet firebreak",
    verdict: "opens",
    opened: "any → this host: 8080/tcp",
  },
  {
    what: "an address that nobody published",
    tampering: "nft 'add element inet firebreak in4/web/0 { 192.0.2.1 }'",
    packets: RIGHT,
    kind: "unpublished-element",
    subject: "set in4/web/0",
    verdict: "opens",
    opened: "192.0.2.1 → this host: 443/tcp",
  },
  {
    what: "an address taken out",
    tampering: "nft 'delete element inet firebreak in4/web/0 { 10.1.0.1 }'",
    packets: "22 closed closed",
    kind: "ruleset-changed",
    subject: "set in4/web/0",
    verdict: "closes",
    closed: "10.1.0.1 → this host: 443/tcp",
  },
  {
    what: "the mark taken away",
    tampering: "nft flush chain inet firebreak about",
    packets: RIGHT,
    kind: "ruleset-changed",
    subject: "table inet firebreak",
    verdict: "equivalent",
  },
];

const foreign: readonly Row[] = [
  {
    what: "a nat redirect from a closed port to an open one",
    tampering:
      "nft 'add table ip n; add chain ip n p { type nat hook prerouting priority -100; }; add rule ip n p tcp dport 8080 redirect to :22'",
    packets: "22 443 22",
    kind: "foreign-nat",
    subject: "chain ip n p",
    verdict: "opens",
    opened: "10.1.0.0/24 → this host: 8080/tcp, answered by port 22",
  },
  {
    what: "a nat redirect from an open port to a closed one",
    tampering:
      "nft 'add table ip n; add chain ip n p { type nat hook prerouting priority -100; }; add rule ip n p tcp dport 22 redirect to :8080'",
    packets: "closed 443 closed",
    kind: "foreign-nat",
    subject: "chain ip n p",
    verdict: "closes",
    closed: "10.1.0.0/24 → this host: 22/tcp",
  },
  {
    what: "a nat rule that is not plain",
    tampering:
      "nft 'add table ip n; add chain ip n p { type nat hook prerouting priority -100; }; add rule ip n p tcp dport 8000-8090 redirect to :22'",
    packets: "22 443 22",
    kind: "foreign-nat",
    subject: "chain ip n p",
    verdict: "uncertain",
  },
  {
    what: "a header rewrite in a mangle chain",
    tampering:
      "nft 'add table ip m; add chain ip m p { type filter hook prerouting priority -150; }; add rule ip m p tcp dport 443 tcp dport set 8080'",
    packets: "22 closed closed",
    kind: "foreign-chain",
    subject: "chain ip m p",
    verdict: "uncertain",
  },
  {
    what: "another table with policy drop",
    tampering: "nft 'add table inet d; add chain inet d input { type filter hook input priority 0; policy drop; }'",
    packets: "closed closed closed",
    kind: "foreign-chain",
    subject: "chain inet d input",
    verdict: "closes",
    closed: "10.1.0.0/24 → this host: 22/tcp",
  },
  {
    what: "a drop rule in a chain that another one jumps to",
    tampering:
      "nft 'add table ip d; add chain ip d x; add chain ip d input { type filter hook input priority 0; }; add rule ip d x tcp dport 443 drop; add rule ip d input jump x'",
    packets: "22 closed closed",
    kind: "foreign-chain",
    subject: "chain ip d input",
    verdict: "closes",
    closed: "10.1.0.1, 10.2.0.0/24 → this host: 443/tcp",
  },
  {
    what: "another table that accepts, before ours",
    tampering:
      "nft 'add table inet a; add chain inet a input { type filter hook input priority -300; }; add rule inet a input accept'",
    packets: RIGHT,
    kind: "foreign-chain",
    subject: "chain inet a input",
    verdict: "equivalent",
  },
  {
    what: "another table that accepts, after ours",
    tampering:
      "nft 'add table inet a; add chain inet a input { type filter hook input priority 300; }; add rule inet a input accept'",
    packets: RIGHT,
    kind: "foreign-chain",
    subject: "chain inet a input",
    verdict: "equivalent",
  },
  {
    what: "a mark and an accept",
    tampering:
      "nft 'add table inet a; add chain inet a p { type filter hook prerouting priority -300; }; add rule inet a p meta mark set 1 accept'",
    packets: RIGHT,
    kind: "foreign-chain",
    subject: "chain inet a p",
    verdict: "uncertain",
  },
  {
    what: "a netdev accept",
    tampering:
      "nft 'add table netdev a; add chain netdev a i { type filter hook ingress device eth0 priority 0; }; add rule netdev a i accept'",
    packets: RIGHT,
    kind: "foreign-chain",
    subject: "chain netdev a i",
    verdict: "equivalent",
  },
  {
    what: "a raw notrack",
    tampering:
      "nft 'add table ip r; add chain ip r p { type filter hook prerouting priority -300; }; add rule ip r p tcp dport 8080 notrack'",
    packets: RIGHT,
    kind: "foreign-chain",
    subject: "chain ip r p",
    verdict: "equivalent",
  },
  {
    what: "an iptables-nft accept",
    tampering: "iptables-nft -I INPUT -p tcp --dport 8080 -j ACCEPT",
    packets: RIGHT,
    kind: "foreign-chain",
    subject: "chain ip filter INPUT",
    verdict: "equivalent",
  },
];

describe("who can undermine our table", () => {
  // Bug caught (each row): a way past or against our rules that is not found, or whose effect on packets is told wrongly.
  it.each(ours)("$what", ({ tampering, packets, kind, subject, verdict, opened, closed }) => {
    pair.host.run(tampering);
    expect(asked()).toBe(packets);
    const [found, ...more] = findings();
    expect(more).toEqual([]);
    expect(found).toMatchObject({
      kind,
      subject,
      effect: { verdict },
      healable: true,
      foreign: false,
      widens: verdict === "opens",
    });
    if (opened !== undefined) expect(found?.effect.opened).toContain(opened);
    if (closed !== undefined) expect(found?.effect.closed).toContain(closed);
  });

  it.each(foreign)("$what (not ours)", ({ tampering, packets, kind, subject, verdict, opened, closed }) => {
    pair.host.run(tampering);
    expect(asked()).toBe(packets);
    const [found, ...more] = findings();
    expect(more).toEqual([]);
    expect(found).toMatchObject({
      kind,
      subject,
      effect: { verdict },
      healable: false,
      foreign: true,
      widens: verdict === "opens",
    });
    if (verdict === "equivalent") expect(found?.severity).toBe("info");
    if (opened !== undefined) expect(found?.effect.opened).toContain(opened);
    if (closed !== undefined) expect(found?.effect.closed).toContain(closed);
  });

  // Bug caught: iptables-legacy closes everything and `nft list ruleset` does not show it.
  it("iptables-legacy tables, which nft cannot list", () => {
    expect(findings(["filter"])).toMatchObject([
      { kind: "foreign-chain", subject: "iptables-legacy filter", severity: "medium", foreign: true },
    ]);
  });
});

describe("a finding", () => {
  // Bug caught: the same thing is told as new on every read, or two things share one fingerprint.
  it("keeps its fingerprint while what it tells changes", () => {
    pair.host.run("nft insert rule inet firebreak input tcp dport 8080 accept");
    const [first] = findings();
    pair.host.run("nft insert rule inet firebreak input tcp dport 8081 accept");
    const [second] = findings();
    expect(second?.fingerprint).toBe(first?.fingerprint);
    expect(second?.effect).not.toEqual(first?.effect);
    expect(first?.summary).toBe("table inet firebreak was changed: chain input: 1 rule added");
  });

  // Bug caught: a stranger writes markup or control characters into what people read.
  it("repeats no foreign text but names, and those without anything strange", () => {
    pair.host.run(
      "nft 'add table inet firebreak2; add chain inet firebreak2 input { type filter hook input priority 0; policy drop; }'",
    );
    pair.host.run("nft 'add rule inet firebreak2 input accept comment \"<b>secret</b>\"'");
    expect(JSON.stringify(findings())).not.toContain("secret");
  });
});
