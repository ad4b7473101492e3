/** A large comparison is made once for what it was made of, and again for anything else. */
import { expect, test } from "vitest";
import type { Finding } from "../../core/finding/finding.ts";
import type { ClusterInventory } from "../../core/membership/inventory.ts";
import type { HostObservation } from "../../core/observed/observation.ts";
import type { NetworkPolicy } from "../../core/render/networkpolicy-types.ts";
import type { Look } from "../../services/compare.ts";
import { LookMemory } from "../../services/look-memory.ts";
import { findIn } from "../../services/looks.ts";
import { cluster, definitions, inventory, namespace } from "../support/definitions.ts";

const EU = { ...cluster("eu"), mode: "apply" as const };
const DEFINITIONS = definitions({ clusters: [EU] });
const { signal } = new AbortController();
const log = { error: () => undefined } as never; // the only word of it that a look says

type ClusterLook = Extract<Look, { readonly kind: "cluster" }>;
type State = Look["states"][number];

/** Workers that find something new each time. */
function countingWorkers() {
  let asked = 0;
  const run = async () => await Promise.resolve({ kind: "done", value: [{ kind: "foreign", subject: `${++asked}` }] });
  return { workers: { run } as never, asked: () => asked };
}

// The casts below: what a comparison that somebody else makes is asked with.
const state = (sequence = 1): State =>
  ({
    target: { kind: "cluster", id: "cluster/eu", mode: "apply", cluster: EU },
    want: { kind: "cluster", target: "cluster/eu", governed: ["shop"], objects: [] },
    mark: { instance: "i-1", sequence, digest: "0".repeat(16) },
    definitions: DEFINITIONS,
  }) as unknown as State;

function policies(port = 80, manager = "kubectl") {
  const ports = Array.from({ length: 6_000 }, (_, at) => ({ port: at === 0 ? port : at }));
  const object: NetworkPolicy = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { namespace: "shop", name: "big", labels: {} },
    spec: { podSelector: {}, ingress: [{ ports }] },
  };
  return [{ object, manager, managedAt: undefined }];
}

const SEEN: ClusterInventory = inventory("eu", { namespaces: [namespace("shop")], pods: [], nodes: [] });

function lookOf(change: Partial<ClusterLook> = {}, live = policies()): ClusterLook {
  const observation = {
    kind: "cluster",
    target: "cluster/eu",
    completeness: "complete",
    uid: "u",
    policies: live,
    at: ++clock,
  } as const;
  return { kind: "cluster", states: [STATE], observation, inventory: SEEN, enforcer: "calico", ...change };
}

const STATE = state();
/** When something was seen decides nothing. */
let clock = 0;

async function found(workers: never, look: Look, memory: LookMemory): Promise<readonly Finding[]> {
  return (await findIn({ workers, signal, log }, look, memory)).findings;
}

// Bug: a tenant's policy of 10,000 rules costs the worker ten seconds at every look, and every other target waits for it.
test("what was compared once is not compared again", async () => {
  const { workers, asked } = countingWorkers();
  const memory = new LookMemory();
  const first = await found(workers, lookOf(), memory);
  expect(await found(workers, lookOf(), memory)).toEqual(first);
  expect(asked()).toBe(1);
});

// Bug: something opens, and the look still says what it said before.
test.each<[string, () => Look]>([
  ["another rule", () => lookOf({}, policies(81))],
  ["another hand", () => lookOf({}, policies(80, "argocd"))],
  ["a policy more", () => lookOf({}, [...policies(), ...policies()])],
  ["other workloads", () => lookOf({ inventory: { ...SEEN } })],
  ["another enforcer", () => lookOf({ enforcer: "cilium" })],
  ["another expectation", () => lookOf({ states: [state(2)] })],
  ["an apply under way", () => lookOf({ states: [STATE, state(2)] })],
])("%s is compared anew, and so is what was there before", async (_, other) => {
  const { workers, asked } = countingWorkers();
  const memory = new LookMemory();
  await found(workers, lookOf(), memory);
  await found(workers, other(), memory);
  expect(asked()).toBe(2);
  await found(workers, lookOf(), memory);
  expect(asked()).toBe(3);
});

test("a host's is compared anew when a rule of anybody differs", async () => {
  const { workers, asked } = countingWorkers();
  const memory = new LookMemory();
  const host = (port: number): Look => {
    const ruleset = Array.from({ length: 3_000 }, (_, at) => ({ rule: { family: "inet", expr: [at === 7 ? port : at] } }));
    const observation = {
      kind: "host",
      target: "host/f/a",
      completeness: "complete",
      ruleset,
      at: port,
    } as unknown as HostObservation;
    return { kind: "host", states: [STATE], observation };
  };
  for (const port of [1, 1, 2, 2]) await found(workers, host(port), memory);
  expect(asked()).toBe(2);
});

// Bug: one look that a busy machine ended early says for ever that nothing was compared.
test("what could not be compared is tried again", async () => {
  let asked = 0;
  const run = async () => await Promise.resolve({ kind: "timed-out", afterMs: ++asked });
  const memory = new LookMemory();
  for (let turn = 0; turn < 2; turn++)
    expect(await found({ run } as never, lookOf(), memory)).toMatchObject([{ kind: "not-comparable" }]);
  expect(asked).toBe(2);
});
