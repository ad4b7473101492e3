import { z } from "zod";
import { guidance } from "./later.ts";
import { LabelKey } from "./names.ts";

/** A name that refers to a segment: any text here, because the reference check says more about it. */
const Reference = z.string().meta({ description: "Name of a Segment, or `any` or `internet` (in guardrails also `workloads`)." });

/** One end of a rule or guardrail: segments, any of them. */
export function end(description: string) {
  return z.array(Reference).min(1).meta({ description }).register(guidance, { hint: "Write it as a list: [NAME]" });
}

/** Names of other segments, in a member. */
export const SegmentNames = z
  .array(z.string().meta({ description: "Name of a Segment." }))
  .min(1)
  .meta({ description: "The members of other segments." })
  .register(guidance, { hint: "Write it as a list: [NAME]" });

/** Label keys on which both ends must agree. */
export const Same = z
  .array(LabelKey)
  .min(1)
  .meta({
    description:
      "Labels on which initiator and responder must agree, by the workload's own labels; a missing label equals nothing.",
    examples: [["color"]],
  })
  .register(guidance, { hint: "Write it as a list: [color]" });

/** One end of a test: any text here, because the reference check says more about it. */
export const TestEnd = z.string().meta({
  description: "A segment, `any`, `internet`, a host as `FLEET/NAME`, or one address.",
  examples: ["order-input", "directory/ldap-blue-1", "10.9.0.7"],
});
