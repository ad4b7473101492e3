import { describe, expect, test } from "vitest";
import { connectivityDiff } from "../../../core/verdict/effect.ts";
import { evaluator } from "../../../core/verdict/evaluator.ts";
import { KUBE_NETWORK_POLICIES, profileOf } from "../../../core/verdict/profile.ts";
import { end, inDev, lets, policy, reachDb, world } from "./small-world.ts";

describe("what is not understood allows nothing and is named", () => {
  test.each([
    ["an unknown peer field", lets([{ serviceAccountSelector: {} }])],
    ["an empty peer", lets([{}])],
    ["a peer that is a block and a selector", lets([{ ipBlock: { cidr: "0.0.0.0/0" }, podSelector: {} }])],
    ["a block that is no CIDR", lets([{ ipBlock: { cidr: "10.0.0/8" } }])],
    ["a block with a bad except", lets([{ ipBlock: { cidr: "0.0.0.0/0", except: ["x"] } }])],
    ["from that is no list", lets("any")],
    ["ports that are no list", lets([inDev], { port: 80 })],
    ["an unknown rule field", policy({ podSelector: {}, ingress: [{ to: [inDev] }] })],
    ["a rule that is no object", policy({ podSelector: {}, ingress: ["all"] })],
    ["an operator that does not exist", lets([{ namespaceSelector: { matchExpressions: [{ key: "a", operator: "Like" }] } }])],
    ["an unknown protocol", lets([inDev], [{ protocol: "ICMP" }])],
    ["port 0", lets([inDev], [{ port: 0 }])],
    ["port 65536", lets([inDev], [{ port: 65_536 }])],
  ])("%s", (_, object) => {
    expect(reachDb([object])).toEqual([]);
    const effect = connectivityDiff(world([]), world([object]));
    expect(effect.uncertain.length).toBeGreaterThan(0);
    const verdict = evaluator(world([object])).verdict(end("dev/web"), end("shop/db"), 80, "tcp");
    expect(verdict.allowed).toBe(false);
    expect(verdict.uncertain.length).toBeGreaterThan(0);
  });

  test("a subject selector that cannot be read is uncertain (bug: called harmless because it selects nobody)", () => {
    const effect = connectivityDiff(world([]), world([policy({ podSelector: { matchLabel: { app: "db" } } })]));
    expect(effect.uncertain).toEqual(["shop/p: podSelector.matchLabel is not known"]);
  });

  test("an endpoint that is not known is refused, not guessed", () => {
    const engine = evaluator(world([]));
    expect(engine.verdict(end("shop/nobody"), end("shop/db"), 80, "tcp")).toMatchObject({
      allowed: false,
      uncertain: ["pod shop/nobody is not known"],
    });
    expect(engine.verdict(end("10.0.0"), end("shop/db"), 80, "tcp").allowed).toBe(false);
    expect(profileOf("constructor")).toBe(KUBE_NETWORK_POLICIES);
  });

  test("host bits are masked and IPv4-mapped blocks are IPv4, as Kubernetes reads them", () => {
    expect(reachDb([lets([{ ipBlock: { cidr: "10.244.1.77/24" } }])])).toEqual(["dev/web", "dev/tool"]);
    expect(reachDb([lets([{ ipBlock: { cidr: "::ffff:10.244.1.0/120" } }])])).toEqual(["dev/web", "dev/tool"]);
  });
});
