import { describe, expect, it } from "vitest";
import { findLeftIsolation, rememberIsolation, type IsolatedPods } from "../../../core/drift/left-isolation.ts";
import type { Pod } from "../../../core/membership/inventory.ts";
import type { Direction } from "../../../core/model/kinds.ts";
import type { Labels } from "../../../core/selector/index.ts";

const TARGET = "cluster/eu";

function pod(uid: string, labels: Labels): Pod {
  return {
    uid,
    namespace: "shop",
    name: `web-${uid}`,
    labels,
    addresses: [],
    node: undefined,
    hostNetwork: false,
    owner: undefined,
  };
}

function isolated(uid: string, labels: Labels, ...directions: readonly Direction[]): IsolatedPods {
  return new Map(directions.length === 0 ? [] : [[uid, { directions: new Set(directions), labels }]]);
}

const NOBODY: IsolatedPods = new Map();
const WEB = { app: "web" };
const TEST = { app: "test" };

describe("a pod that leaves isolation", () => {
  it("is found when its own labels changed (the bug: nobody notices a relabelled pod)", () => {
    const remembered = rememberIsolation(isolated("1", WEB, "ingress", "egress"), NOBODY, [pod("1", TEST)]);
    const [finding] = findLeftIsolation(TARGET, remembered, NOBODY, [pod("1", TEST)]);
    expect(finding?.summary).toBe("pod shop/web-1 changed its labels and is isolated no more (ingress and egress)");
    expect(finding?.effect.opened).toEqual(["any → shop/web-1: any port", "shop/web-1 → any: any port"]);
  });

  it("is found when it keeps one direction and loses the other", () => {
    const now = isolated("1", TEST, "ingress");
    const remembered = rememberIsolation(isolated("1", WEB, "ingress", "egress"), now, [pod("1", TEST)]);
    expect(findLeftIsolation(TARGET, remembered, now, [pod("1", TEST)])[0]?.effect.opened).toEqual(["shop/web-1 → any: any port"]);
  });

  it("stays found look after look (the bug: the second look forgets what the first remembered)", () => {
    const pods = [pod("1", TEST)];
    const once = rememberIsolation(isolated("1", WEB, "ingress"), NOBODY, pods);
    const twice = rememberIsolation(once, NOBODY, pods);
    expect(findLeftIsolation(TARGET, twice, NOBODY, pods)).toHaveLength(1);
  });

  it("is over when it is isolated again, or gone", () => {
    const remembered = rememberIsolation(isolated("1", WEB, "ingress"), NOBODY, [pod("1", TEST)]);
    const back = isolated("1", WEB, "ingress");
    expect(findLeftIsolation(TARGET, rememberIsolation(remembered, back, [pod("1", WEB)]), back, [pod("1", WEB)])).toEqual([]);
    expect(findLeftIsolation(TARGET, rememberIsolation(remembered, NOBODY, []), NOBODY, [])).toEqual([]);
  });

  it("is not said of a pod whose namespace changed: its objects are held", () => {
    const remembered = rememberIsolation(isolated("1", WEB, "ingress"), NOBODY, [pod("1", WEB)]);
    expect(findLeftIsolation(TARGET, remembered, NOBODY, [pod("1", WEB)])).toEqual([]);
  });

  it("is told apart from another pod that takes its name (the bug: a rolling update reads as an escape)", () => {
    const remembered = rememberIsolation(isolated("1", WEB, "ingress"), NOBODY, [pod("2", TEST)]);
    expect(findLeftIsolation(TARGET, remembered, NOBODY, [pod("2", TEST)])).toEqual([]);
  });
});
