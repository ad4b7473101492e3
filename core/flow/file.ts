import { z } from "zod";
import { FirebreakError } from "../ground/error.ts";
import { FLOW_BOUNDS } from "./aggregate.ts";
import { MOST_DAYS, type FlowTable } from "./flow.ts";

const end = z.object({
  kind: z.enum(["workload", "address", "ambiguous", "unknown", "more"]),
  name: z.string().max(600),
});

const moment = z.number().int().nonnegative();
const count = z.number().int().nonnegative();

const file = z.object({
  version: z.literal(1),
  flows: z
    .array(
      z.object({
        from: end,
        to: end,
        protocol: z.enum(["tcp", "udp", "sctp", "icmp", "icmpv6"]),
        port: z.number().int().min(0).max(65_535).nullable(),
        verdict: z.enum(["allowed", "denied", "would be denied"]),
        first: moment,
        last: moment,
        count,
        unanswered: count,
        days: z.array(z.string().regex(/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/)).max(MOST_DAYS),
        source: z.string().max(5_000),
      }),
    )
    .max(FLOW_BOUNDS.flows),
  coverage: z.array(
    z.object({
      source: z.string().max(5_000),
      format: z.string().max(60),
      first: moment.nullable(),
      last: moment.nullable(),
      sightings: count,
      broken: count,
      lost: count,
      merged: count,
    }),
  ),
});

/** The text of a file of flows: one flow a line, so that two of them can be compared. */
export function writeFlows({ flows, coverage }: FlowTable): string {
  const lines = (items: readonly unknown[]): string => items.map((item) => `\n  ${JSON.stringify(item)}`).join(",");
  return `{"version": 1, "flows": [${lines(flows)}\n], "coverage": [${lines(coverage)}\n]}\n`;
}

/**
 * What `flows import` wrote.
 *
 * @throws FirebreakError USAGE saying what is wrong with it
 */
export function readFlows(value: unknown, name: string): FlowTable {
  const read = file.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? "it" : issue.path.join(".");
  throw new FirebreakError("USAGE", `read ${name}: ${where}: ${issue?.message ?? "is not what `firebreak flows import` writes"}`);
}
