import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { evaluator } from "../../../core/verdict/evaluator.ts";
import { PROFILES } from "../../../core/verdict/profile.ts";
import type { Profile } from "../../../core/verdict/profile.ts";
import type { Protocol } from "../../../core/address/ports.ts";
import type { PolicyObject, WorldPod } from "../../../core/verdict/world.ts";

/** A public corpus that stays out of the repository; the test looks for it beside the checkout. */
const CASES = fileURLToPath(new URL("../../../../shared/corpus/networkpolicy-verdicts/cases.json.gz", import.meta.url));

interface Case {
  readonly id: number;
  readonly second_evaluator_agrees: boolean;
  readonly steps: readonly {
    readonly namespaces: Readonly<Record<string, Readonly<Record<string, string>>>>;
    readonly pods: readonly (Omit<WorldPod, "addresses"> & { readonly ip: string })[];
    readonly policies: readonly PolicyObject[];
    readonly expected: readonly string[];
  }[];
}

function checkCases(cases: readonly Case[], profile: Profile): { checked: number; wrong: string[] } {
  const wrong: string[] = [];
  let checked = 0;
  for (const { id, steps } of cases) {
    for (const step of steps) {
      const namespaces = Object.entries(step.namespaces).map(([name, labels]) => ({ name, labels }));
      const pods = step.pods.map((pod) => ({ ...pod, addresses: [pod.ip] }));
      const engine = evaluator({ namespaces, pods, policies: step.policies }, profile);
      for (const line of step.expected) {
        checked += 1;
        const answer = answerLine(engine, line);
        if (answer !== line) wrong.push(`case ${id}: expected ${line}, got ${answer}`);
      }
    }
  }
  return { checked, wrong };
}

/** The line with our verdict in place of the expected one; `#` (a pod to itself) must be allowed here. */
function answerLine(engine: ReturnType<typeof evaluator>, line: string): string {
  const match = /^(\S+)\/(\S+) -> (\S+)\/(\S+) (\w+)\/(\S+) ingress=(.)/.exec(line);
  if (match === null) return "an unreadable line";
  const [, fromNamespace = "", from = "", toNamespace = "", to = "", protocol = "", port = "", mark] = match;
  const verdict = engine.verdict(
    { kind: "pod", namespace: fromNamespace, name: from },
    { kind: "pod", namespace: toNamespace, name: to },
    /^\d+$/.test(port) ? Number(port) : port,
    protocol.toLowerCase() as Protocol,
  );
  const sign = (allowed: boolean): string => (mark === "#" && allowed ? "#" : allowed ? "." : "X");
  const said = `ingress=${sign(verdict.ingress)} egress=${sign(verdict.egress)} combined=${sign(verdict.allowed)}`;
  return `${fromNamespace}/${from} -> ${toNamespace}/${to} ${protocol}/${port} ${said}`;
}

test("the public corpus: every verdict by default, the settled ones under Cilium's reading of ipBlock too", () => {
  if (!existsSync(CASES)) {
    console.log("the corpus of NetworkPolicy verdicts was not there: nothing was checked against it");
    return;
  }
  const cases = JSON.parse(gunzipSync(readFileSync(CASES)).toString()) as readonly Case[]; // its README says this shape
  const all = checkCases(cases, PROFILES["kube-network-policies"]);
  expect(all.wrong.slice(0, 5)).toEqual([]);
  expect(all.checked).toBe(99_855);
  const settled = checkCases(
    cases.filter((item) => item.second_evaluator_agrees),
    PROFILES.cilium,
  );
  expect(settled.wrong.slice(0, 5)).toEqual([]);
  expect(settled.checked).toBe(93_537);
});
