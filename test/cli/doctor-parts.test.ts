import { expect, test } from "vitest";
import { checkParts } from "../../cli/doctor/machine.ts";

// Bug: doctor is content, and `up` cannot start: npm on an old Node leaves out what the service needs, without a word.
test("doctor names the packages of the service that are not installed, and how to get them", () => {
  const names = ["kysely", "fastify", "pino"];
  expect(checkParts(names, () => true)).toMatchObject({ state: "ok", found: "all 3 of the service are installed" });
  const lacking = checkParts(names, (name) => name === "pino");
  expect(lacking).toMatchObject({ state: "fail", found: "not installed: kysely, fastify; `firebreak up` cannot start" });
  expect(lacking.remedy).toContain("npm install --include=optional");
  const many = Array.from({ length: 8 }, (_, index) => `p${index}`);
  expect(checkParts(many, () => false).found).toContain("p4 and 3 more");
});
