import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { contains, fromPrefixes, parseAddress, subtract } from "../../../core/address/index.ts";
import { ClusterEngine } from "../../../core/engine/cluster-engine.ts";
import { computeMembership } from "../../../core/membership/compute.ts";
import type { Pod } from "../../../core/membership/inventory.ts";
import type { Segment } from "../../../core/model/kinds.ts";
import { selectorKey, type LabelSelector, type Labels } from "../../../core/selector/index.ts";
import { cluster, definitions, inventory, namespace, podsMember, pod, prefix, segment } from "../../support/definitions.ts";

/**
 * A public corpus that stays out of the repository. Every selector of a case's policies is a segment; its steps, which relabel, move and
 * delete pods and namespaces, reach one engine as events. Verdicts are then worked out from what the engine says of each pod, and from
 * nothing else that has to do with labels.
 */
const CASES = fileURLToPath(new URL("../../../../shared/corpus/networkpolicy-verdicts/cases.json.gz", import.meta.url));

interface PolicyPeer {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

interface PolicyRule {
  readonly from?: readonly PolicyPeer[];
  readonly to?: readonly PolicyPeer[];
  readonly ports?: readonly { readonly protocol?: string; readonly port?: number | string; readonly endPort?: number }[];
}

interface Policy {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly podSelector?: LabelSelector;
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly PolicyRule[];
    readonly egress?: readonly PolicyRule[];
  };
}

interface CorpusPod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly ip: string;
  readonly ports: readonly { readonly containerPort: number; readonly name: string; readonly protocol: string }[];
}

interface Step {
  readonly namespaces: Readonly<Record<string, Labels>>;
  readonly pods: readonly CorpusPod[];
  readonly policies: readonly Policy[];
  readonly expected: readonly string[];
}

/** A selector of a policy as a segment; the same selector is the same segment. */
class Selectors {
  readonly segments = new Map<string, Segment>();

  /** The name of the segment of these pods; without a namespace selector, those of the policy's own namespace. */
  name({ metadata }: Policy, pods: LabelSelector = {}, namespaces?: LabelSelector): string {
    const of = namespaces ?? { matchLabels: { "kubernetes.io/metadata.name": metadata.namespace } };
    const key = `${selectorKey(of)} ${selectorKey(pods)}`;
    const known = this.segments.get(key) ?? segment(`s${this.segments.size}`, [podsMember(pods, of)]);
    this.segments.set(key, known);
    return known.name;
  }
}

type Is = (pod: CorpusPod, segmentName: string) => boolean;

function verdict(step: Step, selectors: Selectors, is: Is, line: string): string {
  const [, from = "", to = "", protocol = "", port = ""] = /^(\S+) -> (\S+) (\w+)\/(\S+)/.exec(line) ?? [];
  const podAt = (path: string) => step.pods.find((it) => `${it.namespace}/${it.name}` === path);
  const [source, destination] = [podAt(from), podAt(to)];
  if (source === undefined || destination === undefined) throw new Error(line);
  const number = /^\d+$/.test(port) ? Number(port) : portOf(destination, protocol, port);
  const end = (direction: "ingress" | "egress"): boolean => {
    const [subject, peer] = direction === "ingress" ? [destination, source] : [source, destination];
    const applying = step.policies.filter(
      (policy) =>
        isolates(policy, direction) &&
        policy.metadata.namespace === subject.namespace &&
        is(subject, selectors.name(policy, policy.spec.podSelector)),
    );
    const rules = applying.flatMap((policy) => (policy.spec[direction] ?? []).map((rule) => ({ policy, rule })));
    return (
      applying.length === 0 ||
      rules.some(({ policy, rule }) => {
        const peers = (direction === "ingress" ? rule.from : rule.to) ?? [];
        const isPeer = peers.length === 0 || peers.some((it) => matchesPeer(policy, it, peer));
        return isPeer && matchesPort(rule, destination, protocol, number);
      })
    );
  };
  const matchesPeer = (policy: Policy, { podSelector, namespaceSelector, ipBlock }: PolicyPeer, peer: CorpusPod): boolean => {
    if (ipBlock === undefined) return is(peer, selectors.name(policy, podSelector, namespaceSelector));
    const address = parseAddress(peer.ip);
    const block = subtract(fromPrefixes([prefix(ipBlock.cidr)]), fromPrefixes((ipBlock.except ?? []).map(prefix)));
    return "ok" in address && contains(block, address.ok);
  };
  const [ingress, egress] = [end("ingress"), end("egress")];
  const sign = (allowed: boolean): string => (allowed ? "." : "X");
  return `${from} -> ${to} ${protocol}/${port} ingress=${sign(ingress)} egress=${sign(egress)} combined=${sign(ingress && egress)}`;
}

function isolates({ spec }: Policy, direction: "ingress" | "egress"): boolean {
  if (spec.policyTypes !== undefined && spec.policyTypes.length > 0)
    return spec.policyTypes.some((type) => type.toLowerCase() === direction);
  return direction === "ingress" || (spec.egress ?? []).length > 0;
}

function matchesPort({ ports = [] }: PolicyRule, destination: CorpusPod, protocol: string, number: number | undefined): boolean {
  if (ports.length === 0) return true;
  return ports.some(({ protocol: wanted = "TCP", port, endPort }) => {
    if (wanted !== protocol) return false;
    if (port === undefined) return true;
    const first = typeof port === "number" ? port : portOf(destination, protocol, port);
    return first !== undefined && number !== undefined && number >= first && number <= (endPort ?? first);
  });
}

function portOf({ ports }: CorpusPod, protocol: string, name: string): number | undefined {
  return ports.find((port) => port.name === name && port.protocol === protocol)?.containerPort;
}

function inventoryPod({ namespace: of, name, labels, ip }: CorpusPod): Pod {
  return pod(`${of}/${name}`, labels, ip, { uid: `${of}/${name}` });
}

/** Tells the engine what is another than in the step before, and nothing else. */
function tell(engine: ClusterEngine, before: Step | undefined, step: Step): void {
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  const podsBefore = new Map(before?.pods.map((it) => [`${it.namespace}/${it.name}`, it]));
  for (const [name, labels] of Object.entries(step.namespaces))
    if (!same(before?.namespaces[name], labels)) engine.apply({ kind: "namespace", namespace: namespace(name, labels) });
  for (const it of step.pods) {
    const key = `${it.namespace}/${it.name}`;
    if (!same(podsBefore.get(key), it)) engine.apply({ kind: "pod", pod: inventoryPod(it) });
    podsBefore.delete(key);
  }
  for (const key of podsBefore.keys()) engine.apply({ kind: "pod-gone", key });
  for (const name of Object.keys(before?.namespaces ?? {}))
    if (step.namespaces[name] === undefined) engine.apply({ kind: "namespace-gone", key: name });
}

test("the public corpus: every verdict from segments that followed the steps of a case event by event", () => {
  if (!existsSync(CASES)) {
    console.log("the corpus of NetworkPolicy verdicts was not there: nothing was checked against it");
    return;
  }
  // Its README says this shape.
  const cases = JSON.parse(gunzipSync(readFileSync(CASES)).toString()) as readonly { id: number; steps: readonly Step[] }[];
  const wrong: string[] = [];
  let checked = 0;
  for (const { id, steps } of cases) {
    const selectors = new Selectors();
    for (const { policies } of steps) {
      for (const policy of policies) {
        selectors.name(policy, policy.spec.podSelector);
        for (const { from = [], to = [] } of [...(policy.spec.ingress ?? []), ...(policy.spec.egress ?? [])])
          for (const peer of [...from, ...to])
            if (peer.ipBlock === undefined) selectors.name(policy, peer.podSelector, peer.namespaceSelector);
      }
    }
    const eu = cluster("eu");
    const defs = definitions({ clusters: [eu], segments: [...selectors.segments.values()] });
    const engine = new ClusterEngine(defs, eu, inventory("eu"));
    steps.forEach((step, index) => {
      tell(engine, steps[index - 1], step);
      engine.take();
      const now = inventory("eu", {
        namespaces: Object.entries(step.namespaces).map(([name, labels]) => namespace(name, labels)),
        pods: step.pods.map(inventoryPod),
      });
      expect(engine.membership(true, 0).digest, `case ${id}`).toBe(computeMembership(defs, eu, now, 0).membership.digest);
      const segmentsOf = new Map(step.pods.map((it) => [it, new Set(engine.keysOf(`${it.namespace}/${it.name}`))]));
      for (const line of step.expected) {
        if (line.includes("#")) continue;
        checked += 1;
        const answer = verdict(step, selectors, (it, name) => segmentsOf.get(it)?.has(name) === true, line);
        if (answer !== line) wrong.push(`case ${id}, step ${index}: expected ${line}, got ${answer}`);
      }
    });
  }
  expect(wrong.slice(0, 5)).toEqual([]);
  expect(checked).toBeGreaterThan(80_000);
});
