import fc from "fast-check";
import { expect, test } from "vitest";
import { readManifests } from "../../../core/manifest/read.ts";
import type { Manifests } from "../../../core/manifest/read.ts";
import { reachOf } from "../../../core/reach/matrix.ts";
import { expandPairs } from "../../../core/reach/render.ts";
import { PROFILES } from "../../../core/verdict/profile.ts";
import { files } from "./files.ts";

const app = (name: string): object => ({ matchLabels: { app: name } });

function workload(name: string): object {
  const template = {
    metadata: { labels: { app: name } },
    spec: { containers: [{ ports: [{ name: "http", containerPort: 8080 }] }] },
  };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name, namespace: "a" }, spec: { template } };
}

const WORKLOADS = ["web", "db", "job"].map(workload);

/** A policy with everything in it that can be broken. */
const POLICY = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "db", namespace: "a" },
  spec: {
    podSelector: { matchExpressions: [{ key: "app", operator: "In", values: ["db"] }] },
    policyTypes: ["Ingress", "Egress"],
    ingress: [
      {
        from: [{ podSelector: app("web") }, { namespaceSelector: app("x"), podSelector: {} }],
        ports: [{ port: 5432, endPort: 5440 }],
      },
      { from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } }], ports: [{ port: "http", protocol: "TCP" }] },
    ],
    egress: [{ to: [{ podSelector: app("web") }], ports: [{ port: 53, protocol: "UDP" }] }],
  },
};

/** What the policy's subject may exchange with whom, as lines; undefined when the manifests are refused. */
function lines(policy: unknown): ReadonlySet<string> | undefined {
  const { manifests, notes } = readManifests(files({ "a.json": [...WORKLOADS, policy] }));
  if (manifests !== undefined) return listed(manifests);
  expect(notes.some(({ severity, at }) => severity === "error" && at !== undefined)).toBe(true);
  return undefined;
}

function listed(manifests: Manifests): ReadonlySet<string> {
  const pairs = expandPairs(reachOf(manifests, PROFILES["kube-network-policies"]));
  return new Set([...pairs].map(({ src, dst, conn }) => `${src} ${dst} ${conn}`));
}

/** Every place in a value, as the keys that lead there. */
function placesIn(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, item]) => placesIn(item, [...path, key]))];
}

/** A copy with something else at the place. */
function changed(value: unknown, [key, ...rest]: readonly string[], other: unknown): unknown {
  if (key === undefined) return other;
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }) as Record<string, unknown>; // keys of either
  copy[key] = changed(copy[key], rest, other);
  return copy;
}

const SPEC_PLACES = placesIn(POLICY.spec).map((path) => ["spec", ...path]);
const WRONG = fc.oneof(
  fc.constantFrom<unknown>(0, -1, 1.5, 65_536, true, "", "a b", "ICMP", "Like", "10.0.0.0/33", "10.0.0/8", "::ffff:10.0.0.0/200", [
    [],
  ]),
  fc.constantFrom<unknown>(["x"], [5], { x: "y" }, { matchLabel: {} }, [{ x: 1 }], [{}], [{ ipBlock: {} }], "\u0000", "ünïcode"),
  fc.anything({ withNullPrototype: false, maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value) ?? "7") as unknown),
);

test("a broken policy is refused, or means what it says: never a crash (bug: a field of the wrong type throws)", () => {
  fc.assert(
    fc.property(fc.constantFrom(...SPEC_PLACES), WRONG, (place, wrong) => {
      lines(changed(POLICY, place, wrong));
    }),
    { numRuns: 600 },
  );
});

test("a key that nobody knows, at any place, is refused (bug: what is beside it is analysed as if the key were absent)", () => {
  const mappings = SPEC_PLACES.filter((place) => {
    const value = place.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], POLICY); // a path of this very object
    return typeof value === "object" && !Array.isArray(value) && !place.includes("matchLabels");
  });
  for (const place of mappings) expect(lines(changed(POLICY, [...place, "unknown"], "x")), place.join(".")).toBeUndefined();
});

test("a scalar of the wrong kind is refused, and never opens more (bug: port: '80' means every port, a bad block everybody)", () => {
  const closed = lines({ ...POLICY, spec: { ...POLICY.spec, ingress: [], egress: [] } }) as ReadonlySet<string>;
  const open = lines(POLICY) as ReadonlySet<string>;
  const bounds = new Set([...closed, ...open]);
  const leaves = SPEC_PLACES.filter((place) => /\b(cidr|port|endPort|protocol|operator|except\.\d)$/.test(place.join(".")));
  expect(leaves.length).toBeGreaterThan(7);
  const wrong = [0, -1, 65_536, 1.5, true, "", " ", "80", "http ", "ICMP", "10.0.0.0", "0.0.0.0/0x", {}, [], [0]];
  for (const place of leaves) {
    for (const value of wrong) {
      for (const line of lines(changed(POLICY, place, value)) ?? [])
        expect(bounds, `${place.join(".")} ${JSON.stringify(value)}`).toContain(line);
    }
  }
});
