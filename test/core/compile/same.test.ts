import { describe, expect, test } from "vitest";
import { formatSet } from "../../../core/address/index.ts";
import { compileCluster } from "../../../core/compile/cluster.ts";
import { compileHost } from "../../../core/compile/host.ts";
import type { ClusterObject } from "../../../core/compile/want.ts";
import type { PresentCellsByList } from "../../../core/membership/cells.ts";
import { membershipDigest } from "../../../core/membership/digest.ts";
import type { Membership } from "../../../core/membership/membership.ts";
import { cellKey } from "../../../core/membership/resolve.ts";
import { listTargets } from "../../../core/model/target.ts";
import { formatSelector } from "../../../core/selector/index.ts";
import {
  addresses,
  app,
  cluster,
  definitions,
  external,
  externalsMember,
  fleet,
  hostsMember,
  namespace,
  policy,
  rule,
  segment,
} from "../../support/definitions.ts";

const eu = cluster("eu");
const us = cluster("us");
/** The colors on pods of both ends here. */
function cellsAt(clientColors: readonly string[], serverColors: readonly string[], isWhole = true): PresentCellsByList {
  const list = (colors: readonly string[], whole: boolean) => ({ cells: colors.map((color) => [color]), isWhole: whole });
  return { "clients?color": list(clientColors, true), "servers?color": list(serverColors, isWhole) };
}
const COLORS = cellsAt(["blue", "red"], ["blue", "red"]);
const hosts = fleet("dir", [
  { name: "blue", addresses: ["10.20.0.1"], labels: { color: "blue" } },
  { name: "red", addresses: ["10.20.0.2"], labels: { color: "red" } },
  { name: "plain", addresses: ["10.20.0.3"], labels: {} },
]);
const clients = segment("clients", [app("client"), hostsMember({}), externalsMember({})]);
const servers = segment("servers", [app("server"), hostsMember({})], "enforce", "enforce");
const parts = {
  clusters: [eu, us],
  fleets: [hosts],
  externals: [external("legacy", { color: "red" }, "10.9.0.0/24")],
  segments: [clients, servers],
  policies: [policy("p", rule("clients", "servers", "636/tcp", ["color"]))],
};
const feed: Membership = (() => {
  const segments = new Map([
    ["clients", addresses("10.1.0.0/24")],
    [cellKey("clients", { color: "blue" }), addresses("10.1.0.7/32")],
  ]);
  return { target: "cluster/us", segments, complete: true, observedAt: 1, digest: membershipDigest(segments) };
})();

function compile(cells: PresentCellsByList, over: Partial<typeof parts> = {}) {
  return compileCluster({
    definitions: definitions({ ...parts, ...over }),
    cluster: eu,
    namespaces: [namespace("shop")],
    services: [],
    memberships: new Map([["cluster/us", feed]]),
    cells,
  });
}

function words({ subject, allows }: ClusterObject): string {
  const peers = allows.flatMap((allow) => (allow.peers === "any" ? ["any"] : allow.peers.map(peerWords)));
  return `⟨${formatSelector(subject)}⟩ ${peers.join(" | ") || "nobody"}`;
}

function peerWords(peer: Exclude<ClusterObject["allows"][number]["peers"], "any">[number]): string {
  return peer.kind === "pods" ? formatSelector(peer.pods) : formatSet(peer.addresses);
}

describe("in a cluster", () => {
  // would catch: blue clients let in to red servers, or to servers without a color
  test("one object per value present, and peers that agree: labels here, addresses of equal cells elsewhere", () => {
    const objects = compile(COLORS).want.objects.filter(({ direction }) => direction === "ingress");
    expect(objects.map(words).sort()).toEqual([
      "⟨app=server, color=blue⟩ app=client, color=blue | 10.1.0.7, 10.20.0.1",
      "⟨app=server, color=red⟩ app=client, color=red | 10.9.0.0/24, 10.20.0.2",
      "⟨app=server⟩ nobody",
    ]);
    expect(new Set(objects.map(({ name }) => name)).size).toBe(3);
    expect(objects.map(({ name }) => name).some((name) => /^fb-servers-i-color-blue-[0-9a-f]{8}$/.test(name))).toBe(true);
  });

  // would catch: a label on no pod that turns "equal colors" into "no condition"
  test("a label that no pod has allows nothing and is told", () => {
    const { want, notes } = compile({});
    expect(want.objects.filter(({ direction }) => direction === "ingress").map(words)).toEqual(["⟨app=server⟩ nobody"]);
    expect(notes.map(({ summary }) => summary)).toContain(
      "rule p/0: no pod of cluster/eu that it is about has the label color now",
    );
  });

  // would catch: the cells of an observed segment that isolate its pods outside the enforced one
  test("an end that is observed adds its cells only where an enforced segment isolates", () => {
    const all = segment("all", [app("server")], "enforce");
    const { want } = compile(COLORS, { segments: [clients, { ...servers, isolate: { ingress: "observe", egress: "off" } }, all] });
    expect(want.objects.map(({ segment: name, subject }) => `${name} ${formatSelector(subject)}`).sort()).toEqual([
      "all app=server",
      "all app=server, color=blue",
      "all app=server, color=red",
    ]);
  });

  // would catch (H7): 600 values that only one end has, or that pods in no segment have, which made objects or took the rule away
  test("a value that only one end has makes no object", () => {
    const many = Array.from({ length: 600 }, (_, n) => `v${n}`);
    const { want, notes } = compile(cellsAt(["blue"], [...many, "blue"]));
    const expected = ["⟨app=server, color=blue⟩ app=client, color=blue | 10.1.0.7, 10.20.0.1", "⟨app=server⟩ nobody"];
    expect(
      want.objects
        .filter(({ direction }) => direction === "ingress")
        .map(words)
        .sort(),
    ).toEqual(expected);
    expect([want.cut, notes.some(({ code }) => code === "same-too-many")]).toEqual([undefined, false]);
  });

  // would catch: a rule whose clients are hosts, or pods elsewhere, lost because no client runs in this cluster
  test("a value that the other end has elsewhere counts", () => {
    const { want } = compile(cellsAt([], ["red"]));
    expect(
      want.objects
        .filter(({ direction }) => direction === "ingress")
        .map(words)
        .sort(),
    ).toEqual(["⟨app=server, color=red⟩ app=client, color=red | 10.9.0.0/24, 10.20.0.2", "⟨app=server⟩ nobody"]);
  });

  // would catch (H7): one value too many that takes away what everybody else had
  test("too many keep what they can, and that is said", () => {
    const many = Array.from({ length: 600 }, (_, n) => `v${n}`);
    const { want, notes } = compile(cellsAt(many, many));
    const objects = want.objects.filter(({ direction, subject }) => direction === "ingress" && subject.matchLabels?.["color"]);
    expect(new Set(objects.map(({ subject }) => subject.matchLabels?.["color"]))).toEqual(new Set(many.slice(0, 512)));
    expect(want.cut?.map(({ keys, kept }) => [keys, kept.length])).toEqual([
      [["color"], 512],
      [["color"], 512],
    ]);
    expect(notes.filter(({ code }) => code === "same-too-many").map(({ severity }) => severity)).toContain("warning");
  });
});

describe("on a host", () => {
  const compileOn = (id: string) => {
    const defs = definitions(parts);
    const target = listTargets(defs).find((one) => one.id === id);
    if (target?.kind !== "host") throw new Error(id);
    const floor = { from: [], ports: [] };
    return compileHost({ definitions: defs, target, memberships: new Map([["cluster/us", feed]]), floor, resolvers: [] });
  };
  const peersOf = (id: string): readonly string[] =>
    compileOn(id).want.ingress.allows.map(({ peers }) => (peers === "any" ? "any" : formatSet(peers)));

  // would catch: hosts that are compared by the labels of their peers only
  test("its own labels decide who agrees; without the label nobody does", () => {
    expect(peersOf("host/dir/blue")).toEqual(["10.1.0.7, 10.20.0.1"]);
    expect(peersOf("host/dir/red")).toEqual(["10.9.0.0/24, 10.20.0.2"]);
    expect(peersOf("host/dir/plain")).toEqual([]);
    expect(compileOn("host/dir/plain").notes.map(({ summary }) => summary)).toContain(
      "rule p/0: host/dir/plain has no label color, so it is allowed nothing by it",
    );
  });
});
