import { describe, expect, it } from "vitest";
import { estateOf } from "../../../core/estate/build.ts";
import { symbolicInventories } from "../../../core/guardrail/symbolic.ts";
import { intentOf } from "../../../core/intent/intent.ts";
import type { ClusterInventory } from "../../../core/membership/inventory.ts";
import type { Definitions } from "../../../core/model/kinds.ts";
import { mayClose, mayOpen } from "../../../core/revision/direction.ts";
import { guardrailProblems, type JudgedRevision } from "../../../core/revision/guardrails.ts";
import { judgeRevision } from "../../../core/revision/judge.ts";
import { inventory, namespace, pod } from "../../support/definitions.ts";
import { written as read } from "../../support/hand-source.ts";

const written = (text: string): Definitions => read(text.replace(/^---\n/, ""));

const document = (kind: string, name: string, spec: string): string =>
  `---\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
const CLUSTER = (name: string): string =>
  document(
    "Cluster",
    name,
    `{context: ${name}, mode: apply, enforcer: calico, podNetwork: routed, podRanges: [10.${name.length}.0.0/16]}`,
  );
const BASE = `${CLUSTER("eu")}---
kind: Workspace
spec: {internal: [10.0.0.0/8]}
${document("Segment", "prod", "{members: [{namespaces: {matchLabels: {env: prod}}}], isolate: {ingress: enforce, egress: off}}")}${document("Segment", "dev", "{members: [{namespaces: {matchLabels: {env: dev}}}], isolate: {ingress: off, egress: off}}")}`;
const NEVER = document("Guardrail", "g", "{never: [{from: [dev], to: [prod], ports: [any]}]}");
const ALWAYS = document("Guardrail", "g", "{always: [{from: [dev], to: [prod], ports: [9100/tcp]}]}");
/** Made-up workloads do not show it: a pod of prod that is in another segment by a label of its own. */
const HELPER = document(
  "Segment",
  "helper",
  "{members: [{pods: {matchLabels: {app: db}}, namespaces: {}}], isolate: {ingress: off, egress: off}}",
);
const RULES = (...rules: readonly string[]): string => document("Policy", "p", `{rules: [${rules.join(", ")}]}`);
const EVIL = "{from: [dev], to: [helper], ports: [5432/tcp]}";
const METRICS = "{from: [dev], to: [prod], ports: [9100/tcp]}";

const NAMESPACES = [namespace("dev", { env: "dev" }), namespace("prod", { env: "prod" })];
const PODS = [pod("dev/d-1", { app: "x" }, "10.2.0.5"), pod("prod/db-1", { app: "db" }, "10.2.0.6")];
const WHOLE = inventory("eu", { namespaces: NAMESPACES, pods: PODS });
const PART = inventory("eu", { namespaces: NAMESPACES, pods: PODS, complete: false });
const NONE_YET = inventory("eu", { namespaces: NAMESPACES, complete: false });

function problems(after: string, before: string | undefined, ...seen: readonly ClusterInventory[]) {
  const [candidate, inForce] = [written(after), before === undefined ? undefined : written(before)];
  const { inventories: madeUp } = symbolicInventories(candidate);
  const inventories = new Map(seen.map((one) => [one.target, one]));
  const judged = (definitions: Definitions): JudgedRevision => ({
    definitions,
    sources: (["approved", "enforceable"] as const).map((as) => intentOf(definitions, estateOf(definitions, inventories), { as })),
    madeUp: intentOf(definitions, estateOf(definitions, madeUp), { as: "approved" }),
  });
  return guardrailProblems(judged(candidate), inForce && judged(inForce), "c".repeat(40));
}
const codes = (...args: Parameters<typeof problems>): readonly string[] => problems(...args).map(({ code }) => code);

const BEFORE = BASE + NEVER + HELPER;
const AFTER = BEFORE + RULES(EVIL);

describe("a guardrail that blocks, while a cluster is not seen whole", () => {
  // Would catch: a commit that passes because a watch died at that moment, and is never judged again (H2).
  it("waits for what is not seen, and counts what is", () => {
    expect(codes(AFTER, BEFORE, WHOLE)).toEqual(["GUARDRAIL_VIOLATED"]);
    expect(codes(AFTER, BEFORE, PART)).toEqual(["GUARDRAIL_VIOLATED"]);
    expect(codes(AFTER, BEFORE, NONE_YET)).toEqual(["GUARDRAIL_UNSEEN"]);
    expect(codes(AFTER, BEFORE)).toEqual(["GUARDRAIL_UNSEEN"]);
  });

  it("says which guardrail, what for, and the way out where the target stays away", () => {
    const [only] = problems(AFTER, BEFORE);
    expect(only?.message).toMatch(
      /^Guardrail g \(never dev → prod: any, policies\/test\.yaml:\d+:\d+\) cannot be decided: cluster\/eu is not seen whole\. The commit waits until then; .* firebreak accept c{40}$/,
    );
  });

  it("holds up no repair and nothing that cannot be why: rules taken away, stricter isolation, settings, guardrails", () => {
    const changes: Readonly<Record<string, readonly [string, string]>> = {
      nothing: [AFTER, AFTER],
      "the rule is taken back": [BEFORE, AFTER],
      "one rule of two": [BEFORE + RULES(EVIL), BEFORE + RULES(EVIL, METRICS)],
      "isolation gets stricter": [
        BEFORE.replace("env: dev}}}], isolate: {ingress: off", "env: dev}}}], isolate: {ingress: enforce"),
        BEFORE,
      ],
      "a segment more that isolates": [
        BEFORE + document("Segment", "web", "{members: [{namespaces: {}}], isolate: {ingress: enforce, egress: off}}"),
        BEFORE,
      ],
      "another guardrail": [BEFORE + document("Guardrail", "h", "{never: [{from: [prod], to: [dev], ports: [any]}]}"), BEFORE],
      "another setting": [BEFORE.replace("10.0.0.0/8]", "10.0.0.0/8], require: []"), BEFORE],
    };
    for (const [title, [after, before]] of Object.entries(changes)) expect([title, codes(after, before)]).toEqual([title, []]);
  });

  it.each([
    ["a rule", RULES(EVIL)],
    ["a segment", document("Segment", "web", "{members: [{namespaces: {}}], needs: [apiserver]}")],
  ])("waits for every other change: %s", (_title, change) => {
    expect(codes(BEFORE + change, BEFORE)).toContain("GUARDRAIL_UNSEEN");
  });

  it("`always` waits for what may close, not for what opens", () => {
    const base = BASE + ALWAYS;
    expect(codes(base, base + RULES(METRICS))).toEqual(["GUARDRAIL_UNSEEN"]);
    expect(codes(base, base + RULES(METRICS), PART)).toEqual(["GUARDRAIL_VIOLATED"]);
    expect(codes(base + RULES(METRICS), base)).toEqual([]);
  });

  it("does not wait: for what cannot be decided by its nature, for a warning, for the first revision, for a cluster that it adds", () => {
    const empty = BASE + ALWAYS;
    expect(codes(empty, empty + RULES(METRICS), inventory("eu", { namespaces: NAMESPACES }))).toEqual([]); // always over nobody
    const warns = AFTER.replace("{never", "{severity: warn, never");
    expect(codes(warns, BEFORE.replace("{never", "{severity: warn, never"))).toEqual([]);
    expect(codes(AFTER, undefined)).toEqual([]);
    expect(codes(AFTER + CLUSTER("far"), AFTER + CLUSTER("far"), WHOLE)).toEqual([]);
    expect(codes(BEFORE + CLUSTER("far"), BEFORE, WHOLE)).toEqual([]);
  });
});

describe("a candidate with what is undecided", () => {
  const judge =
    (...list: readonly ("GUARDRAIL_UNSEEN" | "LIMIT_EXCEEDED")[]) =>
    (acceptedBy: string | undefined) =>
      judgeRevision({
        commit: "c",
        definitions: written(BASE),
        notes: [],
        descends: true,
        problems: list.map((code) => ({ code, message: "m" })),
        acceptedBy,
      }).kind;

  it("waits, is refused for anything else, and comes into force when a person accepts it", () => {
    expect(judge("GUARDRAIL_UNSEEN")(undefined)).toBe("wait");
    expect(judge("GUARDRAIL_UNSEEN", "LIMIT_EXCEEDED")(undefined)).toBe("refuse");
    expect(judge("GUARDRAIL_UNSEEN")("anna")).toBe("accept");
  });
});

describe("what a change may do", () => {
  it("is told by what differs, whatever workloads there are", () => {
    const [less, more] = [
      written(BASE + RULES(METRICS)),
      written(BASE + RULES(METRICS, "{from: [prod], to: [dev], ports: [any]}")),
    ];
    expect([mayOpen(less, more), mayClose(less, more), mayOpen(more, less), mayClose(more, less)]).toEqual([
      true,
      false,
      false,
      true,
    ]);
    const other = written(BASE.replace("env: dev", "env: test") + RULES(METRICS));
    expect([mayOpen(less, other), mayClose(less, other)]).toEqual([true, true]);
  });
});
