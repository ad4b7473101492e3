import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { evaluator } from "../../../core/verdict/evaluator.ts";
import { connectivityDiff } from "../../../core/verdict/effect.ts";
import { PROFILES } from "../../../core/verdict/profile.ts";
import type { Profile } from "../../../core/verdict/profile.ts";
import type { Endpoint, World, WorldPod } from "../../../core/verdict/world.ts";
import { naiveAllows } from "./naive.ts";
import { policies, probesOf, tieredWorlds, worlds } from "./worlds.ts";

function endpoint(end: WorldPod | string): Endpoint {
  return typeof end === "string" ? { kind: "address", address: end } : { kind: "pod", namespace: end.namespace, name: end.name };
}

const profiles = fc.constantFrom<Profile[]>(PROFILES["kube-network-policies"], PROFILES.cilium);

function checkWorld(world: World, profile: Profile): void {
  const engine = evaluator(world, profile);
  for (const probe of probesOf(world)) {
    const protocol = probe.protocol.toLowerCase() as "tcp" | "udp" | "sctp";
    const verdict = engine.verdict(endpoint(probe.from), endpoint(probe.to), probe.port, protocol);
    const expected = naiveAllows(world, probe, profile);
    const hasWhy = !verdict.allowed || (verdict.ingress && verdict.egress); // the words must not contradict the answer
    if (verdict.allowed !== expected || !hasWhy) throw new Error(`${JSON.stringify(probe)}: ${JSON.stringify(verdict)}`);
  }
}

describe("the class engine", () => {
  test("answers every connection as a brute-force reading does (bug: two pods in one class that a policy tells apart)", () => {
    fc.assert(fc.property(worlds, profiles, checkWorld), { numRuns: 150 });
  });

  test("answers so with tiers above and below too (bug: a tier consulted for both directions at once, a Pass that accepts)", () => {
    fc.assert(fc.property(tieredWorlds, profiles, checkWorld), { numRuns: 200 });
  });

  test("does not depend on the order of policies and pods", () => {
    fc.assert(
      fc.property(tieredWorlds, (world) => {
        const turned: World = { ...world, pods: world.pods.toReversed(), policies: world.policies.toReversed() };
        const [one, two] = [evaluator(world), evaluator(turned)];
        for (const from of world.pods) {
          for (const to of world.pods) {
            expect(one.connection(endpoint(from), endpoint(to))).toEqual(two.connection(endpoint(from), endpoint(to)));
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe("allows only add up", () => {
  test("one more rule in a policy closes nothing (bug: a later rule shadows an earlier one)", () => {
    fc.assert(
      fc.property(tieredWorlds, policies, fc.nat(9), (world, other, position) => {
        const own = world.policies.filter(({ kind }) => kind === "NetworkPolicy");
        const chosen = own[position % Math.max(1, own.length)];
        if (chosen === undefined) return;
        const [spec, more] = [chosen.spec, other.spec] as Readonly<Record<string, unknown[] | undefined>>[];
        const types = isolating(spec ?? {});
        const wider = {
          ...chosen,
          spec: {
            ...spec,
            policyTypes: types,
            ingress: [...(spec?.["ingress"] ?? []), ...(more?.["ingress"] ?? [])],
            egress: [...(spec?.["egress"] ?? []), ...(more?.["egress"] ?? [])],
          },
        };
        const after: World = { ...world, policies: world.policies.map((policy) => (policy === chosen ? wider : policy)) };
        expect(connectivityDiff(world, after)).toMatchObject({ closed: [], closedCount: 0 });
      }),
      { numRuns: 150 },
    );
  });

  test("one more policy beside one that isolates the same pods closes nothing (bug: the strictest policy wins)", () => {
    fc.assert(
      fc.property(worlds, policies, (world, added) => {
        const spec = { ...(added.spec as object), policyTypes: ["Ingress", "Egress"] };
        const deny = { podSelector: (added.spec as { podSelector: unknown }).podSelector, policyTypes: ["Ingress", "Egress"] };
        const isolated: World = { ...world, policies: [...world.policies, { ...added, spec: deny }] };
        const after: World = { ...isolated, policies: [...isolated.policies, { ...added, spec }] };
        expect(connectivityDiff(isolated, after)).toMatchObject({ closed: [], closedCount: 0 });
      }),
      { numRuns: 100 },
    );
  });
});

/** The types of a policy, written out, so that more rules do not change them. */
function isolating(spec: Readonly<Record<string, unknown[] | undefined>>): readonly unknown[] {
  return spec["policyTypes"] ?? ((spec["egress"] ?? []).length > 0 ? ["Ingress", "Egress"] : ["Ingress"]);
}

describe("connectivityDiff", () => {
  test("of a world with itself is empty, also when every object is a copy", () => {
    fc.assert(
      fc.property(worlds, (world) => {
        for (const copy of [world, structuredClone(world)]) {
          const effect = connectivityDiff(world, copy);
          expect(effect).toMatchObject({
            kind: "equivalent",
            opened: [],
            closed: [],
            openedCount: 0,
            closedCount: 0,
            uncertain: [],
          });
        }
      }),
      { numRuns: 50 },
    );
  });

  test("says opens and closes exactly when brute force finds a connection, and its witnesses are true", () => {
    fc.assert(
      fc.property(tieredWorlds, fc.array(policies, { maxLength: 2 }), fc.nat(8), profiles, (world, added, dropped, profile) => {
        const after: World = { ...world, policies: [...world.policies.filter((_, index) => index !== dropped), ...added] };
        const effect = connectivityDiff(world, after, profile);
        const back = connectivityDiff(after, world, profile);
        expect(back.opened.map((item) => item.portSet)).toEqual(effect.closed.map((item) => item.portSet));
        expect(back.openedCount).toBe(effect.closedCount);
        const probes = probesOf(world).map(
          (probe) => [naiveAllows(world, probe, profile), naiveAllows(after, probe, profile)] as const,
        );
        if (probes.some(([old, now]) => !old && now)) expect(["opens", "both"]).toContain(effect.kind);
        if (probes.some(([old, now]) => old && !now)) expect(["closes", "both"]).toContain(effect.kind);
        for (const { witness } of effect.opened) expect(tried(world, after, witness, profile)).toEqual([false, true]);
        for (const { witness } of effect.closed) expect(tried(world, after, witness, profile)).toEqual([true, false]);
      }),
      { numRuns: 150 },
    );
  });
});

function tried(
  before: World,
  after: World,
  witness: { from: string; to: string; port: number; protocol: string },
  profile: Profile,
) {
  const end = (name: string): WorldPod | string => before.pods.find((pod) => `${pod.namespace}/${pod.name}` === name) ?? name;
  const protocol = witness.protocol.toUpperCase() as "TCP" | "UDP" | "SCTP";
  const probe = { from: end(witness.from), to: end(witness.to), protocol, port: witness.port };
  return [naiveAllows(before, probe, profile), naiveAllows(after, probe, profile)];
}
