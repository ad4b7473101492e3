import { z } from "zod";
import { end, Same } from "./ends.ts";
import { ApiVersion, Metadata, prose } from "./names.ts";
import { Ports } from "./ports.ts";
import { refuse } from "./text.ts";

const Claim = z
  .strictObject({
    from: end("Who connects: segments, any of them; `workloads` is everything known."),
    to: end("Who is connected to: segments, any of them; one connection.").optional(),
    reaches: end(
      "Instead of `to`: who is reached, also through other workloads; `ports` are those of the last connection.",
    ).optional(),
    ports: Ports,
    same: Same.optional(),
  })
  .superRefine((claim, context) => {
    if (context.issues.length > 0) return; // an unknown key is told already, and is probably what is missing
    if ((claim.to === undefined) !== (claim.reaches === undefined)) return;
    const summary = claim.to === undefined ? "to is missing" : "to and reaches exclude each other";
    const detail = "Write to for one connection, or reaches for any path through other workloads";
    refuse(context, claim, { code: "bad-guardrail", summary, detail }, claim.to === undefined ? [] : ["reaches"]);
  });

const Spec = z
  .strictObject({
    owner: prose("Who answers for it.", 200).optional(),
    reason: prose("Why it must hold.", 2000, true).optional(),
    ticket: prose("Where it was asked for.", 200).optional(),
    severity: z.enum(["block", "warn"]).default("block").meta({
      description: "`block` (default): a revision that adds or widens a violation is refused. `warn`: it is told.",
    }),
    never: z.array(Claim).default([]).meta({ description: "What nobody may be able to reach, whatever policies say." }),
    always: z.array(Claim).default([]).meta({ description: "What must stay reachable, whatever policies say." }),
  })
  .superRefine((spec, context) => {
    if (context.issues.length > 0 || spec.never.length + spec.always.length > 0) return;
    const detail = "Add never or always with at least one claim";
    refuse(context, spec, { code: "bad-guardrail", summary: "the guardrail claims nothing", detail });
  });

/** Claims that hold whatever policies say. */
export const GuardrailDocument = z
  .strictObject({ apiVersion: ApiVersion, kind: z.literal("Guardrail"), metadata: Metadata, spec: Spec })
  .meta({ description: "An invariant over all policies: what is never, and what is always reachable." });
export type GuardrailDocument = z.output<typeof GuardrailDocument>;

/** One claim as parsed: exactly one of `to` and `reaches` is there. */
export type ClaimFields = GuardrailDocument["spec"]["never"][number];
