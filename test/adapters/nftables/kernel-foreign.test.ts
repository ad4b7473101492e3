/** What other programs' tables do to ours, as told and as packets see it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareHost } from "../../../core/drift/host.ts";
import { createTransaction } from "../../../core/plan/host-transaction.ts";
import { renderRuleset } from "../../../core/render/nft.ts";
import { until } from "../../support/host-fixture.ts";
import { allow, block, blocks, hostWant, ports } from "../../support/host-wants.ts";
import { PacketPair } from "../../support/packet-pair.ts";

const MARK = { instance: "fb-test", sequence: 7, digest: "0123456789abcdef" };
const LIFELINE = { from: [block("10.1.0.0/24")], ports: ports("22/tcp") };
const IN = { mode: "enforce" as const, allows: [allow("web/0", blocks("10.1.0.1/32"), ports("443/tcp"))] };
const OUT = { mode: "enforce" as const, allows: [allow("out/0", blocks("10.9.0.0/24"), ports("443/tcp"))] };

let pair: PacketPair;
beforeAll(async () => {
  pair = new PacketPair([22, 443]);
  await until(() => pair.ask(443) === "443");
});
afterAll(() => pair[Symbol.dispose]());

/** Loads ours, lets somebody act, and gives what is told beside what port 443 answers. */
function after(script: string, egress = false) {
  const want = hostWant({ ingress: IN, ...(egress ? { egress: OUT } : {}), lifeline: LIFELINE });
  const expected = renderRuleset(want, MARK, { generation: 3, phase: "final" });
  pair.host.run("nft flush ruleset");
  pair.host.load(createTransaction(expected));
  expect(pair.ask(443)).toBe("443");
  pair.host.run(script);
  const observation = { ...pair.host.observe(), addresses: [pair.hostAddress] };
  const told = compareHost({ expected, observation }).map(({ summary, effect }) => ({ summary, ...effect }));
  return { told, answers: pair.ask(443) === "443" };
}

const raw = (hook: string, rules: string): string =>
  `nft -f - <<'END'\ntable ip raw {\nchain c {\ntype filter hook ${hook} priority -300;\n${rules}\n}\n}\nEND`;

describe("packets that somebody keeps from being tracked", () => {
  // Bug caught: notrack told as "none of which drops", while the answers of an allowed connection are dropped as unknown.
  it.each([
    ["prerouting", "tcp dport 443 notrack"],
    ["output", "tcp sport { 80, 443 } notrack"],
  ])("close what we allow at %s where egress is enforced", (hook, rules) => {
    const { told, answers } = after(raw(hook, rules), true);
    expect(answers).toBe(false);
    expect(told).toMatchObject([{ verdict: "closes", closed: ["10.1.0.1 → this host: 443/tcp, whose answers nobody tracks"] }]);
  });

  it("close nothing where answers leave freely", () => {
    const { told, answers } = after(raw("prerouting", "tcp dport 443 notrack"));
    expect(answers).toBe(true);
    expect(told).toMatchObject([{ verdict: "equivalent" }]);
  });

  it.each([
    ["answers to us", raw("prerouting", "tcp sport 443 notrack")],
    ["everything", raw("prerouting", "notrack")],
    ["ports that our own callers use", raw("prerouting", "tcp dport 40000-50000 notrack")],
    ["some, behind other rules", raw("prerouting", "ip saddr 10.9.9.9 accept\ntcp dport 443 notrack")],
    [
      "a helper, whose related connections we let in",
      `nft -f - <<'END'\ntable ip h {\nct helper ftp { type "ftp" protocol tcp; }\nchain c { type filter hook prerouting priority -150; tcp dport 443 ct helper set "ftp"; }\n}\nEND`,
    ],
    ["what an iptables target changes", "iptables-nft -t raw -A PREROUTING -p tcp --dport 443 -j CT --notrack"],
  ])("are uncertain when the rules mean %s", (_, script) => {
    expect(after(script).told).toMatchObject([{ verdict: "uncertain" }]);
  });
});

describe("tables of other programs are called what they are", () => {
  // Bug caught: fail2ban and ufw told as "rewrites or diverts packets", because nft cannot list what iptables matches.
  it.each([
    [
      "iptables-nft, fail2ban",
      "iptables-nft -N f2b-sshd; iptables-nft -A f2b-sshd -s 10.1.0.9 -j REJECT; iptables-nft -I INPUT -p tcp -m multiport --dports 22 -j f2b-sshd",
    ],
    [
      "iptables-nft, ufw",
      "iptables-nft -N ufw-user-input; iptables-nft -A INPUT -j ufw-user-input; iptables-nft -A ufw-user-input -m addrtype --dst-type LOCAL -p tcp --dport 80 -j DROP",
    ],
    ["iptables-nft", "iptables-nft -A INPUT -p tcp -m recent --update --seconds 30 --hitcount 6 -j DROP"],
  ])("%s", (writers, script) => {
    expect(after(script).told).toMatchObject([
      {
        verdict: "uncertain",
        summary: `chain ip filter INPUT (${writers}) drops or rejects packets, by matches that nft cannot list`,
      },
    ]);
  });

  it.each([
    [
      "fail2ban",
      "nft 'add table inet f2b-table; add chain inet f2b-table f { type filter hook input priority -1; }; add rule inet f2b-table f tcp dport 443 reject'",
    ],
    [
      "firewalld",
      "nft 'add table inet firewalld; add chain inet firewalld f { type filter hook input priority 10; }; add rule inet firewalld f tcp dport 443 drop'",
    ],
  ])("%s, whose table is read", (writer, script) => {
    const { told, answers } = after(script);
    expect(answers).toBe(false);
    expect(told).toMatchObject([{ verdict: "closes", summary: expect.stringContaining(`(${writer}) drops packets`) }]);
  });

  it("one that rewrites is still told as one that does", () => {
    expect(after("iptables-nft -t mangle -A PREROUTING -p tcp -j MARK --set-mark 1").told).toMatchObject([
      { verdict: "uncertain", summary: expect.stringMatching(/rewrites or diverts packets$/) },
    ]);
  });
});
