import { z } from "zod";
import { Moment } from "./moment.ts";
import { ApiVersion, Metadata, prose } from "./names.ts";
import { OnePort, Ports } from "./ports.ts";
import { end, Same, TestEnd } from "./ends.ts";

const Rule = z.strictObject({
  from: end("Who connects: segments, any of them."),
  to: end("Who is connected to: segments, any of them."),
  ports: Ports,
  same: Same.optional(),
});

const Test = z.strictObject({
  from: TestEnd,
  to: TestEnd,
  port: OnePort,
  expect: z.enum(["allowed", "denied"]).meta({ description: "What all policies together have to say." }),
});

const Spec = z.strictObject({
  owner: prose("Who answers for it.", 200).optional(),
  reason: prose("Why it is needed.", 2000, true).optional(),
  ticket: prose("Where it was asked for.", 200).optional(),
  expires: Moment.optional(),
  rules: z.array(Rule).min(1).meta({ description: "Who may connect to whom; rules only allow." }),
  tests: z
    .array(Test)
    .default([])
    .meta({ description: "What the author claims of all policies together; `firebreak test` tries them." }),
});

/** Rules: who may connect to whom on which ports. */
export const PolicyDocument = z
  .strictObject({ apiVersion: ApiVersion, kind: z.literal("Policy"), metadata: Metadata, spec: Spec })
  .meta({ description: "Who may connect to whom on which ports; rules only allow." });
export type PolicyDocument = z.output<typeof PolicyDocument>;
