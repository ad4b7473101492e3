import { describe, expect, it } from "vitest";
import { findEntered, rememberSealed, sealedMembers, type SealedMemory } from "../../../core/drift/sealed.ts";
import type { ClusterInventory, Namespace, Pod } from "../../../core/membership/inventory.ts";
import type { Member } from "../../../core/model/kinds.ts";
import { app, cluster, definitions, inventory, namespace, pod, podsMember, segment } from "../../support/definitions.ts";

const eu = cluster("eu");
const web = { app: "web", "pod-template-hash": "5d4" };
const owner = "ReplicaSet/web-5d4";
const shop = namespace("shop", { team: "shop" });
const team = podsMember({}, { matchLabels: { team: "shop" } });

function world(member: Member, pods: readonly Pod[], namespaces: readonly Namespace[] = [shop]) {
  const defs = definitions({ clusters: [eu], segments: [segment("vault", [member], "enforce", "off", { sealed: true })] });
  return look(defs, inventory("eu", { namespaces, pods }));
}

function look(defs: ReturnType<typeof definitions>, seen: ClusterInventory) {
  return sealedMembers(defs, eu, seen);
}

function entered(before: SealedMemory, now: ReturnType<typeof world>, told: readonly string[] = []) {
  const remembered = rememberSealed(before, now, new Set(told));
  return { remembered, subjects: findEntered("cluster/eu", remembered, now).map(({ subject }) => subject) };
}

const first = pod("shop/web-5d4-a", web, "10.0.0.1", { owner });
const second = pod("shop/web-5d4-b", web, "10.0.0.2", { owner });
const stranger = pod("shop/tool", { app: "web" }, "10.0.0.3");

describe("a sealed segment", () => {
  // would catch: an alert for every rolling update
  it("knows who is in it when it is first seen, and their replicas", () => {
    const { remembered, subjects } = entered(new Map(), world(team, [first]));
    expect(subjects).toEqual([]);
    expect(entered(remembered, world(team, [second])).subjects).toEqual([]);
  });

  // would catch: a pod that takes a label and gets what the segment may
  it("tells of an identity that enters, for as long as it stays", () => {
    const { remembered } = entered(new Map(), world(app("web"), [first]));
    const after = entered(remembered, world(app("web"), [first, stranger]));
    expect(after.subjects).toEqual(["shop/tool[Pod] in segment vault"]);
    expect(entered(after.remembered, world(app("web"), [first, stranger])).subjects).toHaveLength(1);
    expect(entered(after.remembered, world(app("web"), [first])).subjects).toEqual([]);
  });

  // would catch: one label on a namespace that opens a path, while every policy stays as it is (docs/design/networkpolicy.md 30)
  it("tells of pods whose namespace was given a label", () => {
    const lab = pod("lab/x", {}, "10.0.0.9");
    const { remembered } = entered(new Map(), world(team, [first, lab], [shop, namespace("lab")]));
    const joined = world(team, [first, lab], [shop, namespace("lab", { team: "shop" })]);
    expect(entered(remembered, joined).subjects).toEqual(["lab/x[Pod] in segment vault"]);
  });

  // would catch: findings that end because the process was started anew
  it("does not take for known, after a start, who people were told of", () => {
    const subject = "shop/tool[Pod] in segment vault";
    expect(entered(new Map(), world(app("web"), [first, stranger]), [subject]).subjects).toEqual([subject]);
  });

  // would catch: a reviewed change of members that alerts for everybody it lets in
  it("starts anew when a revision says otherwise", () => {
    const { remembered } = entered(new Map(), world(app("db"), []));
    expect(entered(remembered, world(app("web"), [first])).subjects).toEqual([]);
  });

  it("is no matter of segments that are not sealed", () => {
    const defs = definitions({ clusters: [eu], segments: [segment("web", [app("web")])] });
    expect(look(defs, inventory("eu", { pods: [first] })).size).toBe(0);
  });
});
