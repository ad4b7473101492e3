import { describe, expect, it } from "vitest";
import { definitionsAt } from "../../../core/model/expiry.ts";
import { parseDefinitions } from "../../../core/model/parse.ts";
import { head, ORGANISATION, yamlFile } from "./organisation.ts";

const DAY = 24 * 60 * 60 * 1000;
const END = Date.UTC(2027, 5, 30);

function definitions() {
  const text = `${head("Policy", "until")}spec:
  expires: 2027-06-30
  rules: [{from: [db], to: [web], ports: [80/tcp]}]
  tests:
    - {from: db, to: web, port: 80/tcp, expect: allowed}
    - {from: internet, to: db, port: 80/tcp, expect: denied}
---
${head("Policy", "later")}spec:
  expires: 2027-07-01T12:00:00Z
  rules: [{from: [db], to: [web], ports: [81/tcp]}]
`;
  const parsed = parseDefinitions([...ORGANISATION, yamlFile("until.yaml", text)]).definitions;
  if (parsed === undefined) throw new Error("no definitions");
  return parsed;
}

describe("definitions at a moment", () => {
  // Catches: a policy closed a day late, or one that closes others with it.
  it("closes a policy from its moment on, and nothing else", () => {
    const all = definitions();
    const before = definitionsAt(all, END - 1);
    expect(before.definitions).toBe(all);
    expect(before.nextExpiry).toBe(END);
    const after = definitionsAt(all, END);
    expect(after.definitions.policies.get("until")).toMatchObject({ rules: [], tests: [{ expect: "denied" }] });
    expect(after.definitions.policies.get("shop")).toBe(all.policies.get("shop"));
    expect(after.definitions.policies.get("later")?.rules).toHaveLength(1);
    expect(after.nextExpiry).toBe(END + 1.5 * DAY);
    expect(definitionsAt(all, END + 30 * DAY)).toMatchObject({ nextExpiry: undefined });
  });

  // Catches: a policy that closes without anybody having been told.
  it("tells 14 days before, and for as long as the closed policy is there", () => {
    const all = definitions();
    const notesAt = (now: number) =>
      definitionsAt(all, now).notes.map(({ code, summary, at }) => `${at?.line} ${code}: ${summary}`);
    expect(notesAt(END - 15 * DAY)).toEqual([]);
    expect(notesAt(END - 14 * DAY)).toEqual(['1 expires-soon: the policy "until" expires on 2027-06-30: its rules close then']);
    expect(notesAt(END)).toEqual([
      '1 expired: the policy "until" expired on 2027-06-30: its rules are closed',
      '11 expires-soon: the policy "later" expires on 2027-07-01T12:00:00Z: its rules close then',
    ]);
  });
});
