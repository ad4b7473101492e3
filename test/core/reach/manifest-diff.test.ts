import fc from "fast-check";
import { expect, test } from "vitest";
import { intersectPorts, isEmptyPorts, noPorts, portsFromRanges, subtractPorts } from "../../../core/address/ports.ts";
import type { PortRange, PortSet } from "../../../core/address/ports.ts";
import { readManifests } from "../../../core/manifest/read.ts";
import type { Manifests } from "../../../core/manifest/read.ts";
import type { DiffLine } from "../../../core/reach/diff-lines.ts";
import { manifestDiff } from "../../../core/reach/manifest-diff.ts";
import { reachOf } from "../../../core/reach/matrix.ts";
import { expandPairs } from "../../../core/reach/render.ts";
import { KUBE_NETWORK_POLICIES } from "../../../core/verdict/profile.ts";
import { POD_SPACE } from "../../../core/verdict/unknown.ts";
import type { World } from "../../../core/verdict/world.ts";
import { files } from "../manifest/files.ts";
import { policies, worlds } from "../verdict/worlds.ts";

function manifests(...objects: readonly object[]): Manifests {
  const { manifests: read, notes } = readManifests(files({ "a.json": objects }));
  if (read === undefined) throw new Error(notes.map(({ summary }) => summary).join("\n"));
  return read;
}

const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };

function deployment(name: string, ports: readonly object[] = []): object {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i", ports }] } };
  const metadata = { name, namespace: "shop" };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata, spec: { selector: { matchLabels: labels }, template } };
}

function policy(name: string, spec: object): object {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace: "shop" }, spec };
}

const peer = (app: string): object => ({ podSelector: { matchLabels: { app } } });
const closed = policy("all", { podSelector: {}, policyTypes: ["Ingress", "Egress"] });
const cards = policy("cards", { ...peer("cards"), ingress: [{ from: [peer("gateway")], ports: [{ port: 8080 }] }] });
const gateway = policy("gateway", { ...peer("gateway"), policyTypes: ["Egress"], egress: [{ to: [peer("cards")] }] });

test("a workload that is gone is named, and its pairs count (bug: it is called nobody, and closes none)", () => {
  const both = manifests(namespace, deployment("gateway"), deployment("cards"), closed, cards, gateway);
  const one = manifests(namespace, deployment("gateway"), closed, cards, gateway);
  const { kind, closed: lines, closedCount } = manifestDiff(both, one, KUBE_NETWORK_POLICIES);
  expect({ kind, closedCount }).toEqual({ kind: "closes", closedCount: 1 });
  expect(lines).toMatchObject([
    {
      to: "shop/cards",
      toWorkloads: 1,
      ports: "8080/tcp",
      witness: { from: "shop/gateway[Deployment]", to: "shop/cards[Deployment]", port: 8080, protocol: "tcp" },
    },
  ]);
  expect(manifestDiff(one, both, KUBE_NETWORK_POLICIES)).toMatchObject({ kind: "opens", openedCount: 1 });
});

const block = (...cidrs: readonly string[]): object => ({ from: cidrs.map((cidr) => ({ ipBlock: { cidr } })) });
const V4_ONLY = "on a cluster with IPv6 this opens any IPv6 address outside → shop/web: any port, too";

test.each([
  // Bug: what opens for IPv6 alone is told as "equivalent", because no manifest says which addresses pods have.
  ["0.0.0.0/0 becomes anywhere", [block("0.0.0.0/0")], [{}], [V4_ONLY]],
  ["the other way", [{}], [block("0.0.0.0/0")], [V4_ONLY.replace("opens", "closes")]],
  // Bug: a doubt beside every answer, also where both families fare alike.
  ["anywhere closes", [{}], [], []],
  ["anywhere stays", [{}], [{ from: [] }], []],
  ["a block of IPv4 grows", [block("10.0.0.0/8")], [block("10.0.0.0/7")], []],
  ["::/0 joins, so IPv6 is compared", [block("0.0.0.0/0")], [block("0.0.0.0/0", "2001:db8::/32")], []],
])("over IPv6, %s", (_, before, after, doubts) => {
  const world = (ingress: readonly object[]): Manifests =>
    manifests(namespace, deployment("web"), policy("web", { podSelector: {}, policyTypes: ["Ingress"], ingress }));
  const { uncertain } = manifestDiff(world(before), world(after), KUBE_NETWORK_POLICIES);
  expect(uncertain.map(({ text }) => text.replace(/; the manifests.*/, "").replace("every pod", "shop/web"))).toEqual(doubts);
});

test("what an Ingress lets in is a change (bug: diff says equivalent, and reach lists a new source)", () => {
  const web = deployment("web", [{ containerPort: 8080 }]);
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "shop" },
    spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] },
  };
  const entry = {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "web", namespace: "shop" },
    spec: { defaultBackend: { service: { name: "web", port: { number: 80 } } } },
  };
  const open = policy("web", { podSelector: {}, ingress: [{ from: [{ namespaceSelector: {} }] }] });
  const before = manifests(namespace, web, service, open);
  const after = manifests(namespace, web, service, open, entry);
  const { kind, opened, openedCount } = manifestDiff(before, after, KUBE_NETWORK_POLICIES);
  expect({ kind, openedCount }).toEqual({ kind: "opens", openedCount: 1 });
  expect(opened).toMatchObject([
    { from: "{ingress-controller}", to: "shop/web", ports: "8080/tcp", witness: { to: "shop/web[Deployment]", port: 8080 } },
  ]);
  expect(manifestDiff(after, before, KUBE_NETWORK_POLICIES)).toMatchObject({ kind: "closes", closedCount: 1 });
  const shut = manifests(namespace, web, service, entry, closed); // the policy closes what the Ingress asks for
  expect(manifestDiff(after, shut, KUBE_NETWORK_POLICIES).closed).toContainEqual(
    expect.objectContaining({ from: "{ingress-controller}", ports: "8080/tcp" }),
  );
});

test("nobody is told to try port 0 (bug: 0/tcp as the connection that opens)", () => {
  const all = { endPort: 65535, port: 1 };
  const ports = ["TCP", "UDP", "SCTP"].map((protocol) => ({ ...all, protocol }));
  const before = manifests(namespace, deployment("web"), policy("web", { podSelector: {}, ingress: [{ ports }] }));
  const after = manifests(namespace, deployment("web"), policy("web", { podSelector: {}, ingress: [{}] }));
  const { opened } = manifestDiff(before, after, KUBE_NETWORK_POLICIES);
  expect(opened.map(({ ports: text }) => text).join()).not.toMatch(/\b0\//);
  expect(opened.map(({ witness }) => witness.protocol)).not.toContain("tcp");
  expect(opened).not.toEqual([]);
});

/** Ports of a listing's text, as the engine has them. */
function portsOf(text: string): PortSet {
  if (text === "All Connections") return listed;
  const ranges: PortRange[] = [];
  let protocol: PortRange["protocol"] = "tcp";
  for (const part of text.split(",")) {
    const [, name, first, last] = /^(?:(TCP|UDP|SCTP) )?(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (name !== undefined) protocol = name.toLowerCase() as PortRange["protocol"];
    ranges.push({ protocol, first: Number(first), last: Number(last ?? first) });
  }
  return portsFromRanges(ranges);
}

const listed = portsFromRanges((["tcp", "udp", "sctp"] as const).map((protocol) => ({ protocol, first: 1, last: 65535 })));

test("the difference of two listings is the diff (bug: reach and diff answer one question differently)", () => {
  const listing = (world: World): ReadonlyMap<string, PortSet> =>
    new Map(
      [...expandPairs(reachOf({ world, services: [], entries: [] }, KUBE_NETWORK_POLICIES))]
        .filter(({ src, dst }) => src.endsWith("[Pod]") && dst.endsWith("[Pod]"))
        .map(({ src, dst, conn }) => [`${src} ${dst}`, portsOf(conn)]),
    );
  const unplaced = fc.boolean(); // pods whose addresses nobody knows, or those that the world has
  const all = fc.array(policies, { maxLength: 3 });
  fc.assert(
    fc.property(worlds, all, fc.nat(6), unplaced, (first, added, dropped, isUnplaced) => {
      const unknown = { labels: [], addresses: POD_SPACE };
      const pods = first.pods.map((pod) => ({ ...pod, phase: "Running", ...(isUnplaced && { addresses: [], unknown }) }));
      const before: World = { ...first, pods };
      const after: World = { ...before, policies: [...before.policies.filter((_, at) => at !== dropped), ...added] };
      const [old, now] = [listing(before), listing(after)];
      const change = (from: ReadonlyMap<string, PortSet>, to: ReadonlyMap<string, PortSet>): number =>
        [...to].filter(([pair, ports]) => !isEmptyPorts(subtractPorts(ports, from.get(pair) ?? noPorts))).length;
      const told = (lines: readonly DiffLine[]): boolean =>
        lines.some(({ portSet, fromWorkloads, toWorkloads }) => {
          const isOfPods = fromWorkloads > 0 && toWorkloads > 0;
          return isOfPods && !isEmptyPorts(intersectPorts(portSet, listed));
        });
      const { opened, closed } = manifestDiff(
        { world: before, services: [], entries: [] },
        { world: after, services: [], entries: [] },
        KUBE_NETWORK_POLICIES,
      );
      expect([told(opened), told(closed)]).toEqual([change(old, now) > 0, change(now, old) > 0]);
    }),
    { numRuns: 60 },
  );
});
