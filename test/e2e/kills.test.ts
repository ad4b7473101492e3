/** A process that is killed after any step of an apply; needs root and the real parts, as the main job. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BRANCH, type StepName } from "../../services/syncer/context.ts";
import { prepareFirebreak, type Firebreak } from "../support/e2e-firebreak.ts";
import { openOrganisation, type Organisation } from "../support/e2e-organisation.ts";
import { becomes, keepTrying } from "../support/e2e-packets.ts";

/** Every step of a run that writes, in order; `satisfies` does not see a missing one, {@link EVERY} does. */
const STEPS = [
  "leased",
  "observed",
  "planned",
  "intent-logged",
  "intent-stored",
  "step-applied",
  "read-back",
  "outcome-logged",
  "recorded",
  "work-closed",
] as const satisfies readonly StepName[];
/** Steps of a look at the branch: between the log that accepts a commit, the store, and the work that follows from it. */
const BRANCH_STEPS = ["acceptance-logged", "acceptance-stored", "targets-recorded"] as const satisfies readonly StepName[];
type EVERY = Exclude<StepName, (typeof STEPS)[number] | (typeof BRANCH_STEPS)[number]> extends never ? true : never;
const everyStepIsHere: EVERY = true;

/** Steps between the intent and its outcome in the log: what happened there is not known to the next process. */
const UNKNOWN: ReadonlySet<StepName> = new Set(["intent-logged", "intent-stored", "step-applied", "read-back"]);

let organisation: Organisation;
let firebreak: Firebreak;

beforeAll(async () => {
  organisation = await openOrganisation({ clusters: ["shop-eu"] });
  await organisation.add("policies/extra.yaml", extraPolicies(1), "extra");
  firebreak = await prepareFirebreak(organisation, { endsAtSteps: true });
  await firebreak.start();
  await firebreak.converged((await organisation.world.git.head()) ?? "");
}, 180_000);

afterAll(async () => {
  await firebreak?.stop();
  await organisation?.[Symbol.asyncDispose]();
}, 60_000);

describe.each(["cluster/shop-eu", "host/directory/ldap-blue-1"])("a kill while %s is written", (target) => {
  it.each(STEPS)("after %s: nothing opens that is closed before and after, and the next start finishes it", async (step) => {
    expect(everyStepIsHere).toBe(true);
    const { pod, host } = organisation;
    const [geo, record, blue] = [pod("geo/geo-location"), pod("shop/cust-record"), host("ldap-blue-1")];
    await using trying = keepTrying([
      { from: pod("shop/order-input"), to: record, port: 8443, is: "open" },
      { from: pod("geo/geo-confirm"), to: record, port: 8443, is: "closed" },
      { from: pod("credit/credit-check"), to: blue, port: 636, is: "open" },
      { from: pod("shop/order-input"), to: blue, port: 636, is: "closed" },
    ]);
    const entries = (await firebreak.log()).length;
    const isOdd = organisation.text("policies/extra.yaml") === extraPolicies(1);

    firebreak.killAt(step, target);
    const commit = await organisation.edit(
      "policies/extra.yaml",
      () => extraPolicies(isOdd ? 2 : 1),
      `change, to be killed after ${step}`,
    );
    await firebreak.ended();
    await firebreak.start();
    await firebreak.converged(commit);

    await becomes(isOdd ? "open" : "closed", geo, record, 8080);
    await becomes(isOdd ? "closed" : "open", geo, record, 8443);
    await becomes(isOdd ? "open" : "closed", geo, blue, 8080);
    expect(await trying.stop()).toEqual([]);

    const log = (await firebreak.log()).slice(entries);
    const intents = log.filter((entry) => entry.type === "apply.intent" && entry.target.id === target).map(({ seq }) => seq);
    const outcomes = log.flatMap((entry) => (entry.type === "apply.outcome" ? [entry] : []));
    expect(intents.length).toBeGreaterThan(0);
    expect(intents.filter((seq) => outcomes.filter(({ causedBy }) => causedBy === seq).length !== 1)).toEqual([]);
    const recovered = outcomes.filter((entry) => entry.recovered === true && entry.target.id === target);
    expect(recovered.map(({ outcome }) => outcome)).toEqual(UNKNOWN.has(step) ? ["unknown"] : []);
    expect(await firebreak.verifyLog()).toBe("verified");
  });
});

describe("a kill while a commit is accepted", () => {
  it.each(BRANCH_STEPS)(
    "after %s: the next start finishes it by the log's word, also when the branch has moved on",
    async (step) => {
      const entries = (await firebreak.log()).length;
      firebreak.killAt(step, BRANCH);
      const first = await organisation.edit(
        "workspace.yaml",
        (text) => `${text}# killed after ${step}\n`,
        `accepted, killed after ${step}`,
      );
      await firebreak.ended();
      const second = await organisation.edit(
        "workspace.yaml",
        (text) => `${text}# and the next\n`,
        "the branch moves on meanwhile",
      );
      await firebreak.start();
      await firebreak.converged(second);

      const accepted = (await firebreak.log()).slice(entries).filter((entry) => entry.type === "revision.accepted");
      expect(accepted.map(({ commit }) => commit)).toEqual([first, second]);
      expect((accepted[1]?.revision ?? 0) - (accepted[0]?.revision ?? 0)).toBe(1);
      expect(await firebreak.verifyLog()).toBe("verified");
    },
  );
});

/** Two rules, one for the cluster and one for the host, whose ports go back and forth. */
function extraPolicies(version: 1 | 2): string {
  const [record, directory] = version === 1 ? ["8443/tcp", "9100/tcp"] : ["8080/tcp", "8080/tcp"];
  return `apiVersion: firebreak.dev/v1alpha1
kind: Policy
metadata: {name: extra}
spec:
  owner: team-geo
  reason: A place is stored with the customer, and its author is looked up.
  rules:
    - {from: [geo-location], to: [cust-record], ports: [${record}]}
    - {from: [geo-location], to: [ldap-servers-blue], ports: [${directory}]}
`;
}
