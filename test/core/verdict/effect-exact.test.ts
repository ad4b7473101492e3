import fc from "fast-check";
import { expect, test } from "vitest";
import { fromPrefixes, fromRanges, isSubset, parsePrefix, readAddress } from "../../../core/address/index.ts";
import type { AddressRange, AddressSet } from "../../../core/address/index.ts";
import { allPorts, equalPorts, hasPort, isEmptyPorts, noPorts, unionPorts } from "../../../core/address/ports.ts";
import type { PortSet } from "../../../core/address/ports.ts";
import type { FindingEffect } from "../../../core/finding/finding.ts";
import { formatFindings, formatPlans } from "../../../core/text/answers.ts";
import { wholeAnswers } from "../../../core/text/effect.ts";
import { describeEffect, describeHostEffect } from "../../../core/plan/effect.ts";
import { connectivityDiff } from "../../../core/verdict/effect.ts";
import type { Effect } from "../../../core/verdict/effect-types.ts";
import type { Connection } from "../../../core/verdict/effect.ts";
import { formatConnection, formatEffect } from "../../../core/verdict/effect-words.ts";
import { PROFILES } from "../../../core/verdict/profile.ts";
import { podId } from "../../../core/verdict/world.ts";
import type { World, WorldPod } from "../../../core/verdict/world.ts";
import { accessDifference, formatHostConnection, formatHostEffect, hostAccess } from "../../../core/verdict/nft.ts";
import { Budget } from "../../../core/verdict/budget.ts";
import { naiveAllows } from "./naive.ts";
import { policies, probesOf, worlds } from "./worlds.ts";

const PROFILE = PROFILES["kube-network-policies"];

/** `10.0.0.0/8`, `10.0.0.1`, `10.0.0.1-10.0.0.9`. */
function rangeOf(word: string): AddressSet | undefined {
  const [first = "", last = first] = word.includes("/") ? [] : word.split("-");
  const prefix = parsePrefix(word);
  if ("ok" in prefix) return fromPrefixes([prefix.ok]);
  const [from, to] = [readAddress(first), readAddress(last)];
  if (typeof from === "string" || typeof to === "string") return undefined;
  // Both are of one family: they were written as one range.
  return fromRanges([{ family: from.family, first: from.value, last: to.value } as AddressRange]);
}

function addressSet(text: string): AddressSet {
  return rangeOf(text) as AddressSet; // the tests write addresses
}

/** Whether a person who reads the words takes this pod, or this address, for meant. */
function isMeant(words: string, end: WorldPod | string): boolean {
  const but = /^any but (.*)$/.exec(words)?.[1];
  const is = (list: string): boolean => list.split(", ").some((word) => means(word, end));
  return but === undefined ? is(words) : !is(but);
}

function means(word: string, end: WorldPod | string): boolean {
  if (word === "any") return true;
  if (typeof end !== "string") {
    const everyPod = /^every pod of (.*)$/.exec(word)?.[1];
    return word === "every pod" || everyPod === end.namespace || word === podId(end);
  }
  if (word === "any address outside") return true;
  if (word === "any IPv4 address outside") return !end.includes(":");
  if (word === "any IPv6 address outside") return end.includes(":");
  const set = rangeOf(word);
  return set !== undefined && isSubset(addressSet(end), set);
}

const SIDES = ["opened", "closed", "stays"] as const;

/** What the lines of one side claim of a connection: true where one of them means it. */
function claims(
  lines: readonly Connection[],
  from: WorldPod | string,
  to: WorldPod | string,
  port: number,
  protocol: "tcp" | "udp" | "sctp",
) {
  return lines.some((line) => isMeant(line.fromFull, from) && isMeant(line.toFull, to) && hasPort(line.portSet, protocol, port));
}

const edits = fc.tuple(worlds, fc.array(policies, { maxLength: 2 }), fc.nat(8)).map(([world, added, dropped]) => ({
  before: world,
  after: { ...world, policies: [...world.policies.filter((_, index) => index !== dropped), ...added] } satisfies World,
}));

// Bug: a plan or a finding of a cluster says `closes any → db: any port` while web keeps 5432/tcp and says nothing of it.
test("what a plan, a finding or a diff of manifests says of a cluster is what a slow reading finds, connection by connection", () => {
  fc.assert(
    fc.property(edits, ({ before, after }) => {
      const effect = connectivityDiff(before, after, PROFILE);
      const probes = probesOf(before).map((probe) => ({
        ...probe,
        was: naiveAllows(before, probe, PROFILE),
        is: naiveAllows(after, probe, PROFILE),
      }));
      const closing = new Set(probes.filter(({ was, is }) => was && !is).map(pairOf));
      for (const probe of probes) {
        const { from, to, port, was, is } = probe;
        // Nobody is told about himself, and addresses of pods are the pods.
        if (from === to || !canMeet(from, to)) continue;
        const protocol = probe.protocol.toLowerCase() as "tcp" | "udp" | "sctp";
        const told = SIDES.map((side) => claims(effect[side], from, to, port, protocol));
        const name = `${JSON.stringify(probe)}\n${formatEffect(effect).join("\n")}`;
        expect(told.slice(0, 2), name).toEqual([!was && is, was && !is]);
        if (closing.has(pairOf(probe))) expect(told[2], name).toBe(was && is);
        else if (told[2] === true) expect([was, is, closesElsewhere(effect, from, to)], name).toEqual([true, true, true]);
      }
      for (const side of SIDES) for (const line of effect[side]) expectCounts(line, before, effect);
      expectForms(effect);
    }),
    { numRuns: 100 },
  );
});

function pairOf({ from, to }: { readonly from: WorldPod | string; readonly to: WorldPod | string }): string {
  return [from, to].map((end) => (typeof end === "string" ? end : podId(end))).join(" ");
}

/** A port that no probe asks for closed between them. */
function closesElsewhere(effect: Effect, from: WorldPod | string, to: WorldPod | string): boolean {
  return effect.closed.some((line) => isMeant(line.fromFull, from) && isMeant(line.toFull, to));
}

function canMeet(from: WorldPod | string, to: WorldPod | string): boolean {
  const families = (end: WorldPod | string): readonly boolean[] =>
    [false, true].map((v6) => (typeof end === "string" ? [end] : end.addresses).some((address) => address.includes(":") === v6));
  const [a, b] = [families(from), families(to)];
  return [0, 1].some((family) => a[family] === true && b[family] === true);
}

/** The numbers of a line are of pods that it means. */
function expectCounts(line: Connection, world: World, effect: Effect): void {
  const from = world.pods.filter((pod) => isMeant(line.fromFull, pod));
  const to = world.pods.filter((pod) => isMeant(line.toFull, pod));
  const name = `${formatConnection(line)}\n${formatEffect(effect).join("\n")}`;
  // A name may take in who cannot have such a connection: itself, or another address family.
  expect(line.fromWorkloads, name).toBeLessThanOrEqual(from.length);
  expect(line.toWorkloads, name).toBeLessThanOrEqual(to.length);
  expect(line.workloads, name).toBeLessThanOrEqual(new Set([...from, ...to]).size);
  expect(line.workloads, name).toBeGreaterThanOrEqual(Math.max(line.fromWorkloads, line.toWorkloads));
}

/** The forms in which it is told say the same lines. */
function expectForms(effect: Effect): void {
  const told = describeEffect(effect).finding;
  const verbs = { opened: "opens", closed: "closes", stays: "stays open" } as const;
  const columns = { opened: "opens  ", closed: "closes ", stays: "stays open " } as const;
  const linesOf = (isFull: boolean): readonly string[] =>
    SIDES.flatMap((side) => effect[side].map((line) => `  ${columns[side]} ${formatConnection(line, isFull)}`));
  // Texts, with a few names and with all: these lines, and none beside them.
  for (const isFull of [false, true]) {
    const plan = formatPlans([{ ...PLAN, effect: told }], isFull);
    const finding = formatFindings([{ ...FINDING, effect: told }], 0, isFull);
    for (const text of [plan, finding])
      expect(text.split("\n").filter((line) => / → /.test(line))).toEqual(
        isFull || told.full === undefined ? linesOf(isFull) : shortOf(linesOf(false), effect),
      );
  }
  // Programs get every line and name.
  const [json] = wholeAnswers([{ effect: told }]) as readonly { readonly effect: FindingEffect }[];
  for (const side of SIDES) expect(json?.effect[side]).toEqual(effect[side].map((line) => formatConnection(line, true)));
  for (const side of SIDES)
    for (const line of effect[side]) expect(formatEffect(effect)).toContain(`${verbs[side]} ${formatConnection(line)}`);
}

/** Twenty lines of a side at most, one of which counts the rest. */
function shortOf(lines: readonly string[], effect: Effect): readonly string[] {
  let at = 0;
  return SIDES.flatMap((side) => {
    const own = lines.slice(at, at + effect[side].length);
    at += own.length;
    return own.length <= 20 ? own : own.slice(0, 19);
  });
}

const FINDING = {
  fingerprint: "0123456789abcdef",
  kind: "modified",
  severity: "high",
  target: "cluster/eu",
  subject: "networkpolicy shop/web",
  summary: "somebody edited it",
  who: null,
  at: null,
  firstSeen: "2026-01-01T00:00:00.000Z",
  lastSeen: "2026-01-01T00:00:00.000Z",
  resolvedAt: null,
  heals: 0,
  stopped: false,
} as const;

const PLAN = { target: "cluster/eu", mode: "apply", revision: 1, steps: [], conflicts: [], notes: [] } as const;

const PEERS = ["10.0.0.0/24", "10.0.0.0/25", "10.0.0.128-10.0.1.9", "0.0.0.0/0", "fd00::/8"] as const;
const PORTS = ["tcp dport 22", "tcp dport { 22, 443 }", "udp dport 53", "meta l4proto icmp", ""] as const;
const rule = fc.record({ peers: fc.constantFrom(...PEERS), ports: fc.constantFrom(...PORTS) });

/** A listing of our table with these rules, as `nft -j` prints it. */
function listing(rules: readonly { readonly peers: string; readonly ports: string }[] | undefined): unknown {
  if (rules === undefined) return { nftables: [] };
  const own = { family: "inet", table: "firebreak" };
  const chain = { ...own, name: "input", type: "filter", hook: "input", prio: 0, policy: "drop" };
  return {
    nftables: [
      { table: { family: "inet", name: "firebreak" } },
      { chain },
      ...rules.map(({ peers, ports }, handle) => ({
        rule: { ...own, chain: "input", handle, expr: [saddr(peers), ...matchOf(ports), { accept: null }] },
      })),
    ],
  };
}

function saddr(peers: string): unknown {
  const [address = "", length] = peers.split("/");
  const [first, last] = peers.split("-");
  const right = last === undefined ? { prefix: { addr: address, len: Number(length) } } : { range: [first, last] };
  const protocol = peers.includes(":") ? "ip6" : "ip";
  return { match: { op: "==", left: { payload: { protocol, field: "saddr" } }, right } };
}

function matchOf(ports: string): readonly unknown[] {
  const dport = (protocol: string, right: unknown): unknown => ({
    match: { op: "==", left: { payload: { protocol, field: "dport" } }, right },
  });
  if (ports === "") return [];
  if (ports.startsWith("meta")) return [{ match: { op: "==", left: { meta: { key: "l4proto" } }, right: "icmp" } }];
  if (ports.startsWith("udp")) return [dport("udp", 53)];
  return [dport("tcp", ports.includes("443") ? { set: [22, 443] } : 22)];
}

const ASKED = ["10.0.0.1", "10.0.0.127", "10.0.0.128", "10.0.1.9", "10.0.1.10", "203.0.113.9", "fd00::1", "2001:db8::1"];

// Bug: `opens any → this host: any port` for who had 22/tcp already, and `closes any → this host: any port` while the operators keep it.
test("what is said of a host is what its rules let through, address by address and port by port", () => {
  const rulesets = fc.option(fc.array(rule, { maxLength: 4 }), { nil: undefined });
  fc.assert(
    fc.property(rulesets, rulesets, (a, b) => {
      const [old, now] = [hostAccess(listing(a)), hostAccess(listing(b))];
      const effect = accessDifference(old, now, new Budget(10_000_000));
      const name = formatHostEffect(effect).join("\n");
      for (const asked of ASKED) {
        const [was, is] = [a, b].map((rules) => portsOf(rules, asked)) as [PortSet, PortSet];
        const told = SIDES.map((side) =>
          effect[side]
            .filter(({ direction, peers }) => direction === "input" && isPeer(peers, asked))
            .reduce((sum, { box }) => unionPorts(sum, box.ports), noPorts),
        );
        for (const [protocol, port] of [
          ["tcp", 22],
          ["tcp", 443],
          ["tcp", 1],
          ["udp", 53],
          ["udp", 54],
          ["sctp", 9],
        ] as const) {
          const [had, has] = [hasPort(was, protocol, port), hasPort(is, protocol, port)];
          const said = told.map((set) => hasPort(set, protocol, port));
          expect(said.slice(0, 2), `${asked} ${port}/${protocol}\n${name}`).toEqual([!had && has, had && !has]);
          const isLosing = !isEmptyPorts(told[1] ?? noPorts);
          expect(said[2], `${asked} ${port}/${protocol} stays\n${name}`).toBe(isLosing && had && has);
        }
        const isV6 = asked.includes(":");
        const icmp = told.map((set) => hasPort(set, isV6 ? "icmpv6" : "icmp", 8 << 8));
        const [had, has] = [was, is].map((set) => hasPort(set, isV6 ? "icmpv6" : "icmp", 8 << 8));
        expect(icmp.slice(0, 2), `${asked} icmp\n${name}`).toEqual([had === false && has === true, had === true && has === false]);
      }
      const { opened, closed, stays = [] } = describeHostEffect(effect).finding;
      expect([
        ...opened.map((line) => `opens ${line}`),
        ...closed.map((line) => `closes ${line}`),
        ...stays.map((line) => `stays open ${line}`),
      ]).toEqual(effect.opened.length + effect.closed.length === 0 ? [] : formatHostEffect(effect));
      const [json] = wholeAnswers([{ effect: describeHostEffect(effect).finding }]) as readonly {
        readonly effect: FindingEffect;
      }[];
      for (const side of SIDES) expect(json?.effect[side]).toEqual(effect[side].map((line) => formatHostConnection(line, true)));
    }),
    { numRuns: 150 },
  );
});

test("a table that is gone opens everything to who had nothing, in words and not in ranges", () => {
  const effect = accessDifference(
    hostAccess(listing([{ peers: "0.0.0.0/0", ports: "" }])),
    hostAccess(listing(undefined)),
    new Budget(10_000_000),
  );
  expect(formatHostEffect(effect)).toEqual(["opens any IPv6 address → this host: any port"]);
  expect(effect.opened.every(({ box }) => equalPorts(box.ports, allPorts))).toBe(true);
});

/** What the rules let this address use; everything where there is no table. */
function portsOf(rules: readonly { readonly peers: string; readonly ports: string }[] | undefined, asked: string): PortSet {
  if (rules === undefined) return allPorts;
  return rules
    .filter(({ peers }) => isSubset(addressSet(asked), addressSet(peers)))
    .reduce((sum, { ports }) => unionPorts(sum, named(ports)), noPorts);
}

function named(ports: string): PortSet {
  const one = (protocol: "tcp" | "udp", port: number): PortSet => ({ ...noPorts, [protocol]: [port, port + 1] });
  if (ports === "") return allPorts;
  if (ports.startsWith("meta")) return { ...noPorts, icmp: allPorts.icmp };
  if (ports.startsWith("udp")) return one("udp", 53);
  return ports.includes("443") ? unionPorts(one("tcp", 22), one("tcp", 443)) : one("tcp", 22);
}

/** `any`, `any IPv4 address but 10.0.0.0/24`, ranges. */
function isPeer(words: string, asked: string): boolean {
  const whole = /^any(?: (IPv[46]) address)?(?: but (.*))?$/.exec(words);
  const isIn = (list: string): boolean => list.split(", ").some((word) => isSubset(addressSet(asked), addressSet(word)));
  if (whole === null) return isIn(words);
  const [, family, but] = whole;
  if (family !== undefined && (family === "IPv6") !== asked.includes(":")) return false;
  return but === undefined || !isIn(but);
}
