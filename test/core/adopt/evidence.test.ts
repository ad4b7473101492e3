import { describe, expect, it } from "vitest";
import { clusterEvidence, hostEvidence } from "../../../core/adopt/evidence.ts";
import { sayDifference } from "../../../core/adopt/say.ts";
import type { Evidence } from "../../../core/adopt/evidence.ts";
import type { FindingKind } from "../../../core/finding/finding.ts";
import { liveSource } from "../../../core/enforced/source.ts";
import type { RenderedTarget } from "../../../core/enforced/target.ts";
import { intentOf } from "../../../core/intent/intent.ts";
import { objectSubject } from "../../../core/plan/cluster-live.ts";
import type { ClusterObservation, HostObservation } from "../../../core/observed/observation.ts";
import type { NetworkPolicy } from "../../../core/render/networkpolicy-types.ts";
import type { NftRuleset } from "../../../core/render/nft.ts";
import { observationOf } from "../../support/nft-kernel.ts";
import { organisation, policyText, seen, worldOf } from "./world.ts";

const EU = "cluster/eu";
const HOST = "host/dir/ldap-1";
const FILES = organisation({
  "a.yaml": policyText("a", ["{from: [web], to: [only], ports: [80/tcp]}", "{from: [office], to: [ldap], ports: [636/tcp]}"]),
});
const { definitions, estate, rendered } = worldOf(FILES);
const expected = (rendered.get(EU) as Extract<RenderedTarget, { kind: "cluster" }>).policies as readonly NetworkPolicy[];
const ruleset = (rendered.get(HOST) as Extract<RenderedTarget, { kind: "host" }>).ruleset as NftRuleset;

function said(target: string, evidence: Evidence | undefined) {
  if (evidence === undefined) return undefined;
  const at = (own: Evidence["before"]) => liveSource(estate, new Map([...seen(rendered), [target, own]]));
  return sayDifference(at(evidence.before), at(evidence.after), intentOf(definitions, estate, { as: "approved" }), target);
}

function observed(objects: readonly NetworkPolicy[]): ClusterObservation {
  const policies = objects.map((object) => ({ object, manager: undefined, managedAt: undefined }));
  return { kind: "cluster", target: EU, completeness: "complete", uid: "u", policies, at: 0 };
}

const ingressOf = (app: string): NetworkPolicy =>
  expected.find(
    ({ spec }) => JSON.stringify(spec.podSelector).includes(`"${app}"`) && spec.policyTypes?.includes("Ingress") === true,
  )!;

function opened(object: NetworkPolicy, app: string, port: number): NetworkPolicy {
  const rule = { from: [{ podSelector: { matchLabels: { app } }, namespaceSelector: {} }], ports: [{ protocol: "TCP", port }] };
  const spec = { ...object.spec, ingress: [...(object.spec.ingress ?? []), rule] };
  return { ...object, spec };
}

describe("what a finding of a cluster stands on", () => {
  const mine = ingressOf("only");
  const changed = opened(mine, "geo", 9000);
  const rest = expected.filter((object) => object !== mine);

  // Bug: two objects opened at the same time hide each other.
  it("is this object alone, whatever happened to others", () => {
    const other = ingressOf("web");
    const live = [...rest.filter((object) => object !== other), opened(other, "geo", 1), changed];
    const evidence = clusterEvidence({ kind: "modified", subject: objectSubject(mine) }, expected, observed(live));
    expect(said(EU, evidence)).toMatchObject({ opened: [{ from: ["geo"], to: ["only"], ports: ["9000/tcp"] }], closed: [] });
  });

  it("is a foreign policy that opens", () => {
    const metadata = { name: "theirs", namespace: mine.metadata.namespace };
    const foreign: NetworkPolicy = { ...changed, metadata };
    const evidence = clusterEvidence(
      { kind: "foreign", subject: objectSubject(foreign) },
      expected,
      observed([...expected, foreign]),
    );
    expect(said(EU, evidence)).toMatchObject({ opened: [{ from: ["geo"], to: ["only"], ports: ["9000/tcp"] }] });
  });

  it.each<FindingKind>(["unreachable", "late", "would-un-isolate", "guardrail-violated"])("is nothing for %s", (kind) => {
    expect(clusterEvidence({ kind, subject: objectSubject(mine) }, expected, observed(expected))).toBeUndefined();
  });
});

describe("what a finding of a host stands on", () => {
  const at = (live: readonly unknown[]): HostObservation => observationOf(live, HOST);

  const toPort = (right: number) => ({ match: { op: "==", left: { payload: { protocol: "tcp", field: "dport" } }, right } });
  const inserted = (expr: readonly unknown[]): Evidence | undefined => {
    const rule = { rule: { family: "inet", table: "firebreak", chain: "input", expr } };
    const first = ruleset.findIndex((object) => "rule" in object);
    const live = [...ruleset.slice(0, first), rule, ...ruleset.slice(first)];
    return hostEvidence({ kind: "ruleset-changed", subject: "table inet firebreak" }, ruleset, at(live));
  };

  // Bug: the hosts beside it that no one touched keep a segment from being named.
  it("is a rule in front of ours", () => {
    const source = { match: { op: "==", left: { payload: { protocol: "ip", field: "saddr" } }, right: "10.1.0.3" } };
    expect(said(HOST, inserted([source, toPort(8080), { accept: null }]))).toMatchObject({
      opened: [{ from: ["geo"], to: ["ldap"], ports: ["8080/tcp"] }],
      scopes: [{ target: HOST, as: ["responder"], peers: "all" }],
    });
  });

  // Bug: `any` would also let out who is not let out, which is not live.
  it("is not everybody while somebody's egress stays closed", () => {
    expect(said(HOST, inserted([toPort(8080), { accept: null }]))).toMatchObject({ kind: "unsayable" });
  });

  it("is an element that nobody published", () => {
    const set = ruleset.find((object) => "set" in object && JSON.stringify(object).includes("192.0.2.0"));
    if (set === undefined || !("set" in set)) throw new Error("the office has no set");
    const elem = [...(set.set.elem as readonly unknown[]), "203.0.113.9"];
    const live = ruleset.map((object) => (object === set ? { set: { ...set.set, elem } } : object));
    const evidence = hostEvidence({ kind: "unpublished-element", subject: `set ${set.set.name}` }, ruleset, at(live));
    expect(said(HOST, evidence)).toMatchObject({ opened: [{ from: ["203.0.113.9/32"], to: ["ldap"], ports: ["636/tcp"] }] });
  });

  it.each<FindingKind>(["foreign-chain", "table-missing", "dormant"])("is nothing for %s", (kind) => {
    expect(hostEvidence({ kind, subject: "chain input" }, ruleset, at(ruleset))).toBeUndefined();
  });
});
