import { emptySet, fromAddresses, intersect, isEmpty, parseAddress } from "../address/index.ts";
import type { Definitions, Policy, PolicyTest } from "../model/kinds.ts";
import { hostTargetId } from "../model/target.ts";
import type { Source } from "../reach/source.ts";
import { checkClaims, formatRulePorts } from "./check.ts";
import { endReader, type NamedEnd } from "./ends.ts";
import type { Claim } from "./evaluate.ts";
import type { ClaimResult, TestResult } from "./results.ts";

/**
 * Checks the `tests:` of all policies against one source, in the order of the policies' names.
 *
 * `allowed`: every workload of the one end reaches every workload of the other · `denied`: none does. A test over a segment that selects
 * nothing is uncertain when it expects `allowed`, because nothing was shown.
 */
export function checkTests(definitions: Definitions, source: Source): readonly TestResult[] {
  const read = endReader(definitions, source.estate);
  const tests = [...definitions.policies.values()].flatMap((policy) =>
    policy.tests.map((test, index) => ({ policy, test, index })),
  );
  const singles = new Map<string, NamedEnd>();
  const end = (name: string): readonly [NamedEnd] => {
    if (isNamed(definitions, name)) return [read(name)];
    const single = singles.get(name) ?? singleEnd(name);
    singles.set(name, single);
    return [single];
  };
  const claims = tests.map(({ test }): Claim => {
    const kind = test.expect === "allowed" ? "always" : "never";
    return { rule: { kind, ports: [test.port], same: [], path: "direct" }, from: end(test.from), to: end(test.to) };
  });
  const results = checkClaims(definitions, source, claims);
  return tests.map(({ policy, test, index }, at) => describe(policy, test, index, results[at] as ClaimResult)); // one per claim
}

function describe({ name }: Policy, { from, to, port, expect, at }: PolicyTest, index: number, result: ClaimResult): TestResult {
  const claim = `${from} → ${to}: ${formatRulePorts([port])} is ${expect}`;
  return { id: `${name}/tests/${index}`, policy: name, expect, claim, at, ...result };
}

function isNamed({ segments }: Definitions, name: string): boolean {
  return segments.has(name) || name === "any" || name === "internet" || name === "workloads";
}

/** A host `FLEET/NAME`, or an address, which is whichever workload has it. */
function singleEnd(name: string): NamedEnd {
  const parsed = parseAddress(name);
  if ("ok" in parsed) {
    const addresses = fromAddresses([parsed.ok]);
    return { name, addresses, has: (workload) => !isEmpty(intersect(workload.addresses, addresses)) };
  }
  const [fleet = "", host = ""] = name.split("/", 2);
  const id = hostTargetId(fleet, host);
  return { name, addresses: emptySet, has: (workload) => workload.id === id };
}
