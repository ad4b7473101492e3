import { adoptingEdit, type AdoptingAnswer } from "../../../core/adopt/edit.ts";
import type { Adoption } from "../../../core/finding/adoption.ts";
import { sayDifference } from "../../../core/adopt/say.ts";
import type { EnforcedSource } from "../../../core/enforced/source.ts";
import { liveSource } from "../../../core/enforced/source.ts";
import type { LiveTarget, RenderedTarget } from "../../../core/enforced/target.ts";
import type { Estate } from "../../../core/estate/estate.ts";
import { intentOf } from "../../../core/intent/intent.ts";
import type { Definitions, TargetId } from "../../../core/model/kinds.ts";
import { parseDefinitions } from "../../../core/model/parse.ts";
import type { SourceFile } from "../../../core/model/source.ts";
import { inventory, namespace, pod } from "../../support/definitions.ts";
import { renderAll } from "../enforced/render-all.ts";

const ORGANISATION = `apiVersion: firebreak.dev/v1alpha1
kind: Workspace
spec:
  internal: [10.0.0.0/8]
  essentials: {dns: false, dhcp: false, ntp: false, icmpErrors: false, apiserver: false, webhooks: false}
---
apiVersion: firebreak.dev/v1alpha1
kind: Cluster
metadata: {name: eu, labels: {env: prod}}
spec: {mode: apply, context: eu, podNetwork: routed, podRanges: [10.1.0.0/16]}
---
apiVersion: firebreak.dev/v1alpha1
kind: Cluster
metadata: {name: us, labels: {env: prod}}
spec: {mode: apply, context: us, podNetwork: routed, podRanges: [10.2.0.0/16]}
---
apiVersion: firebreak.dev/v1alpha1
kind: HostFleet
metadata: {name: dir}
spec:
  mode: apply
  transport: {ssh: {user: firebreak, port: 22}}
  hosts:
    - {name: ldap-1, addresses: [10.20.0.11], labels: {role: ldap}}
    - {name: ldap-2, addresses: [10.20.0.12], labels: {role: ldap}}
`;

const segmentDocument = (name: string, members: string, isolate = "ingress: enforce, egress: observe"): string => `---
apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: ${name}}
spec:
  members: [${members}]
${isolate === "" ? "" : `  isolate: {${isolate}}\n`}`;

const pods = (app: string): string => `{pods: {matchLabels: {app: ${app}}}, namespaces: {}, clusters: {matchLabels: {env: prod}}}`;

const SEGMENTS = [
  segmentDocument("web", pods("web")).slice(4),
  segmentDocument("geo", pods("geo")),
  segmentDocument("db", pods("db"), "ingress: enforce, egress: enforce"),
  segmentDocument("only", pods("only")),
  segmentDocument("ldap", "{hosts: {matchLabels: {role: ldap}}}"),
  segmentDocument("office", "{addresses: [192.0.2.0/24]}", ""),
].join("");

export const INVENTORIES = [
  inventory("eu", {
    namespaces: [namespace("shop"), namespace("kube-system")],
    nodes: [{ name: "node-1", addresses: ["10.3.0.1"] }],
    pods: [
      pod("shop/web-1", { app: "web" }, "10.1.0.1"),
      pod("shop/web-2", { app: "web" }, "10.1.0.2"),
      pod("shop/geo-1", { app: "geo" }, "10.1.0.3"),
      pod("shop/db-1", { app: "db" }, "10.1.0.4"),
      pod("shop/only-1", { app: "only" }, "10.1.0.5"),
      pod("shop/stray-1", { app: "stray" }, "10.1.0.6"),
    ],
  }),
  inventory("us", {
    namespaces: [namespace("shop"), namespace("kube-system")],
    nodes: [{ name: "node-1", addresses: ["10.3.0.2"] }],
    pods: [pod("shop/web-1", { app: "web" }, "10.2.0.1"), pod("shop/db-1", { app: "db" }, "10.2.0.4")],
  }),
];

export const OPERATOR = { floor: { from: [], ports: [] }, ownPaths: [] };

/** The files of the organisation with these policies. */
export function organisation(policies: Readonly<Record<string, string>>): readonly SourceFile[] {
  const texts = { "org.yaml": ORGANISATION, "segments.yaml": SEGMENTS, ...policies };
  return Object.entries(texts).map(([path, text]) => ({ path, bytes: new TextEncoder().encode(text) }));
}

export function policyText(name: string, rules: readonly string[]): string {
  const list = rules.map((rule) => `    - ${rule}\n`).join("");
  return `apiVersion: firebreak.dev/v1alpha1\nkind: Policy\nmetadata: {name: ${name}}\nspec:\n  rules:\n${list}`;
}

/** The definitions, and what they render to. @throws Error with the first note when they are not valid */
export function worldOf(files: readonly SourceFile[]): {
  readonly definitions: Definitions;
  readonly estate: Estate;
  readonly rendered: ReadonlyMap<TargetId, RenderedTarget>;
} {
  const { definitions, notes } = parseDefinitions(files, { allow: undefined });
  if (definitions === undefined) throw new Error(JSON.stringify(notes));
  return renderAll(definitions, INVENTORIES);
}

/** Targets as they would be found. */
export function seen(rendered: ReadonlyMap<TargetId, RenderedTarget>): ReadonlyMap<TargetId, LiveTarget> {
  return new Map(
    [...rendered].map(([target, found]): [TargetId, LiveTarget] =>
      found.kind === "cluster"
        ? [target, { kind: "cluster", completeness: "complete", policies: found.policies.map((object) => ({ object })) }]
        : [target, { kind: "host", completeness: "complete", ruleset: found.ruleset, legacyTables: [], addresses: [] }],
    ),
  );
}

/** Everything as the definitions say, but for one target, which somebody changed into `drifted`. */
export function driftAt(
  files: readonly SourceFile[],
  target: TargetId,
  drifted: LiveTarget,
): {
  readonly before: EnforcedSource;
  readonly after: EnforcedSource;
  readonly adoption: Adoption;
} {
  const { definitions, estate, rendered } = worldOf(files);
  const live = seen(rendered);
  const before = liveSource(estate, live);
  const after = liveSource(estate, new Map([...live, [target, drifted]]));
  return { before, after, adoption: sayDifference(before, after, intentOf(definitions, estate, { as: "approved" }), target) };
}

export function adopt(files: readonly SourceFile[], adoption: Adoption): AdoptingAnswer {
  if (adoption.kind !== "sayable") return { none: adoption.why };
  const inventories = new Map(INVENTORIES.map((found) => [found.target, found]));
  return adoptingEdit(files, adoption, { inventories, operator: OPERATOR, now: 0 });
}
