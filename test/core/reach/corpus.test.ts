import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { readManifests } from "../../../core/manifest/read.ts";
import type { Manifests } from "../../../core/manifest/read.ts";
import { answerProbe, endpointFinder, parseProbe } from "../../../core/reach/probe.ts";
import type { Probe } from "../../../core/reach/probe.ts";
import { evaluator } from "../../../core/verdict/evaluator.ts";
import { PROFILES } from "../../../core/verdict/profile.ts";
import { files } from "../manifest/files.ts";

/** A public corpus that stays out of the repository; the test looks for it beside the checkout. */
const CASES = fileURLToPath(new URL("../../../../shared/corpus/networkpolicy-verdicts/cases.json.gz", import.meta.url));

interface Step {
  readonly namespaces: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly pods: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly ip: string;
    readonly ports?: readonly unknown[];
  }[];
  readonly policies: readonly object[];
  readonly expected: readonly string[];
}

function manifestsOf({ namespaces, pods, policies }: Step): Manifests {
  const objects = [
    ...Object.entries(namespaces).map(([name, labels]) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } })),
    ...pods.map(({ namespace, name, labels, ip, ports }) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { namespace, name, labels },
      spec: { containers: [{ name: "c", ports: ports ?? [] }] },
      status: { podIP: ip, podIPs: [{ ip }] },
    })),
    ...policies.map((policy) => ({ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", ...policy })),
  ];
  const { manifests, notes } = readManifests(files({ "all.json": objects }));
  if (manifests === undefined) throw new Error(JSON.stringify(notes));
  return manifests;
}

/** The question of an expected line, and what was expected. */
function questionOf(line: string): readonly [Probe, string] {
  const match = /^(\S+) -> (\S+) (\w+)\/(\S+) (ingress=.*)$/.exec(line);
  const [, src, dst, protocol, port, expected = ""] = match ?? [];
  return [parseProbe(JSON.stringify({ src, dst, protocol, port })) as Probe, expected];
}

test("the public corpus through manifests and probes: every verdict (bug: the reader changes what a policy or a pod means)", () => {
  if (!existsSync(CASES)) {
    console.log("the corpus of NetworkPolicy verdicts was not there: nothing was checked against it");
    return;
  }
  const cases = JSON.parse(gunzipSync(readFileSync(CASES)).toString()) as readonly { id: number; steps: readonly Step[] }[];
  const wrong: string[] = [];
  let checked = 0;
  for (const { id, steps } of cases) {
    for (const step of steps) {
      const { world } = manifestsOf(step);
      const [engine, find] = [evaluator(world, PROFILES["kube-network-policies"]), endpointFinder(world)];
      for (const line of step.expected) {
        const [probe, expected] = questionOf(line);
        const { ingress, egress, allowed } = answerProbe(engine, find, probe);
        const sign = (is: boolean): string => (expected.includes("#") && is ? "#" : is ? "." : "X");
        const said = `ingress=${sign(ingress)} egress=${sign(egress)} combined=${sign(allowed)}`;
        if (said !== expected) wrong.push(`case ${id}: ${line}, got ${said}`);
        checked += 1;
      }
    }
  }
  expect(wrong.slice(0, 5)).toEqual([]);
  expect(checked).toBe(99_855);
}, 60_000);
