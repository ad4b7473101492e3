import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { estateOf } from "../../../core/estate/build.ts";
import { endReader } from "../../../core/guardrail/ends.ts";
import { symbolicInventories } from "../../../core/guardrail/symbolic.ts";
import { labelVariants } from "../../../core/guardrail/witness-labels.ts";
import type { Definitions } from "../../../core/model/kinds.ts";
import { matches, isUnsatisfiable, type LabelSelector } from "../../../core/selector/index.ts";
import { written } from "../../support/hand-source.ts";

const CLUSTER =
  "kind: Cluster\nmetadata: {name: eu, labels: {env: prod}}\nspec: {mode: apply, context: eu, podRanges: [10.244.0.0/16]}";

function segment(name: string, members: string, more = ""): string {
  return `kind: Segment\nmetadata: {name: ${name}}\nspec: {members: [${members}]${more}}`;
}

/** Names of the segments that each made-up pod is in. */
function heldBy(definitions: Definitions): ReadonlyMap<string, readonly string[]> {
  const { inventories } = symbolicInventories(definitions);
  const estate = estateOf(definitions, inventories);
  const read = endReader(definitions, estate);
  return new Map(
    [...definitions.segments.keys()].map((name) => [name, estate.workloads.filter(read(name).has).map(({ id }) => id)]),
  );
}

describe("made-up workloads", () => {
  const SHAPES: Readonly<Record<string, string>> = {
    "a label": "{pods: {matchLabels: {app: x}}, namespaces: {}}",
    "several values": "{pods: {matchExpressions: [{key: app, operator: In, values: [x, y]}]}, namespaces: {}}",
    "a label that must exist": "{pods: {matchExpressions: [{key: app, operator: Exists}]}, namespaces: {}}",
    "a label that must not":
      "{pods: {matchExpressions: [{key: app, operator: DoesNotExist}]}, namespaces: {matchLabels: {team: a}}}",
    "values that it may not have":
      "{pods: {matchExpressions: [{key: app, operator: Exists}, {key: app, operator: NotIn, values: [one, two]}]}, namespaces: {}}",
    "a namespace by name": "{pods: {}, namespaces: {matchLabels: {kubernetes.io/metadata.name: shop}}}",
    "all of some namespaces": "{namespaces: {matchExpressions: [{key: team, operator: Exists}]}}",
    "a service": "{service: {namespace: shop, name: web}}",
    "clusters by label": "{pods: {matchLabels: {app: x}}, namespaces: {}, clusters: {matchLabels: {env: prod}}}",
  };

  // Bug: a segment without a witness, so that no guardrail about it can ever fail in a pull request.
  it.each(Object.entries(SHAPES))("hold one for a member by %s", (_name, member) => {
    const definitions = written(`${CLUSTER}\n---\n${segment("s", member)}`);
    expect(symbolicInventories(definitions).gaps).toEqual([]);
    expect(heldBy(definitions).get("s")?.length).toBeGreaterThan(0);
  });

  // Bug: one pod of two, and the guardrail `same` has nobody to compare.
  it("are one for each value that a selector lists, and for each known value of a label that `same` compares", () => {
    const rule = "kind: Policy\nmetadata: {name: p}\nspec: {rules: [{from: [s], to: [s], ports: [80/tcp], same: [color]}]}";
    const listed = "{pods: {matchExpressions: [{key: app, operator: In, values: [x, y]}]}, namespaces: {}}";
    const blue = segment("blue", "{pods: {matchLabels: {color: blue}}, namespaces: {}}");
    const definitions = written([CLUSTER, segment("s", listed), blue, rule].join("\n---\n"));
    const pods = symbolicInventories(definitions).inventories.get("cluster/eu")?.pods ?? [];
    const labels = pods.filter(({ owner }) => owner === "Segment/s").map((made) => JSON.stringify(made.labels));
    expect(labels.some((text) => text.includes('"x"'))).toBe(true);
    expect(labels.some((text) => text.includes('"y"'))).toBe(true);
    expect(labels.some((text) => text.includes('"blue"'))).toBe(true);
  });

  // Bug: a segment that nothing can be in passes in silence.
  it("tell what could not be made up", () => {
    const none = segment(
      "s",
      "{pods: {matchExpressions: [{key: app, operator: In, values: [x]}, {key: app, operator: NotIn, values: [x]}]}, namespaces: {}}",
    );
    const gone = segment(
      "t",
      "{pods: {matchLabels: {app: t}}, namespaces: {}}",
      ", not: [{pods: {matchLabels: {app: t}}, namespaces: {}}]",
    );
    const rule = "kind: Policy\nmetadata: {name: p}\nspec: {rules: [{from: [s], to: [t], ports: [http/tcp]}]}";
    const { gaps } = symbolicInventories(written([CLUSTER, none, gone, rule].join("\n---\n")));
    expect(gaps).toEqual([
      "no workload of segment s could be made up for cluster eu",
      "no workload of segment t could be made up for cluster eu",
      "the numbers behind named ports are not known (p/0): http/tcp is shown as 65535",
    ]);
  });

  // Bug: hash order or a clock in the made-up world, and the same commit passes once and fails once.
  it("are the same for the same definitions", () => {
    const text = [CLUSTER, segment("s", SHAPES["several values"] ?? ""), segment("t", SHAPES["a service"] ?? "")].join("\n---\n");
    expect(symbolicInventories(written(text))).toEqual(symbolicInventories(written(text)));
  });
});

const key = fc.constantFrom("a", "b");
const values = fc.uniqueArray(fc.constantFrom("one", "two", "x", "y"), { minLength: 1, maxLength: 3 });
const selectors: fc.Arbitrary<LabelSelector> = fc.record({
  matchLabels: fc.dictionary(key, fc.constantFrom("one", "x", "z"), { maxKeys: 2 }),
  matchExpressions: fc.array(
    fc.oneof(
      fc.record({ key, operator: fc.constantFrom("In" as const, "NotIn" as const), values }),
      fc.record({ key, operator: fc.constantFrom("Exists" as const, "DoesNotExist" as const) }),
    ),
    { maxLength: 3 },
  ),
});

// Bug: labels that the selector does not match, or none although some would match.
it("labels are made up for every selector that can match", () => {
  fc.assert(
    fc.property(selectors, (selector) => {
      const variants = labelVariants(selector, ["a"], new Map([["a", ["x", "one"]]]));
      for (const labels of variants) expect(matches(selector, labels)).toBe(true);
      expect(variants.length > 0).toBe(!isUnsatisfiable(selector));
    }),
    { numRuns: 300 },
  );
});
