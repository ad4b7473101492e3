import { z } from "zod";
import { guidance } from "./later.ts";
import { ApiVersion, Metadata, prose, Reference } from "./names.ts";
import { Ports } from "./ports.ts";

function end(description: string) {
  return z.array(Reference).min(1).meta({ description }).register(guidance, { hint: "Write it as a list: [NAME]" });
}

const Rule = z
  .strictObject({
    from: end("Who connects: segments, any of them."),
    to: end("Who is connected to: segments, any of them."),
    ports: Ports,
  })
  .register(guidance, { fields: { same: "Write one segment and one rule per value of the label" } });

const Spec = z
  .strictObject({
    owner: prose("Who answers for it.", 200).optional(),
    reason: prose("Why it is needed.", 2000, true).optional(),
    ticket: prose("Where it was asked for.", 200).optional(),
    rules: z.array(Rule).min(1).meta({ description: "Who may connect to whom; rules only allow." }),
  })
  .register(guidance, {
    fields: {
      expires: "Remove the rule by a commit when its time is over",
      tests: "Use `firebreak plan` to see what opens and closes",
    },
  });

/** Rules: who may connect to whom on which ports. */
export const PolicyDocument = z
  .strictObject({ apiVersion: ApiVersion, kind: z.literal("Policy"), metadata: Metadata, spec: Spec })
  .meta({ description: "Who may connect to whom on which ports; rules only allow." });
export type PolicyDocument = z.output<typeof PolicyDocument>;
