import { z } from "zod";
import { cidrs } from "./addresses.ts";
import { guidance } from "./later.ts";
import { ApiVersion, Metadata } from "./names.ts";
import { selector } from "./selectors.ts";
import type { Refusal } from "./text.ts";
import { refuse } from "./text.ts";

const MEMBER_FIELDS = {
  pods: selector("Pods by their labels; needs `namespaces` beside it.").optional(),
  namespaces: selector("Namespaces by their labels; alone: all their pods; `{}`: every namespace.").optional(),
  clusters: selector("Clusters by their labels; absent: every one, also future ones.").optional(),
  hosts: selector("Hosts by their labels (the fleet's, overlaid by the host's).").optional(),
  fleets: selector("Fleets by their labels; alone: all their hosts; absent: every one, also future ones.").optional(),
  externals: selector("Externals by their labels; a peer only, never isolated.").optional(),
  addresses: cidrs("Addresses; a peer only, never isolated.").optional(),
};

type Field = keyof typeof MEMBER_FIELDS;

/** Fields that go together; a member uses exactly one group. */
const GROUPS: readonly (readonly Field[])[] = [
  ["pods", "namespaces", "clusters"],
  ["hosts", "fleets"],
  ["externals"],
  ["addresses"],
];

const Member = z
  .strictObject(MEMBER_FIELDS)
  .superRefine((member, context) => {
    if (context.issues.length > 0) return; // an unknown key is told already, and is probably what is missing
    const problem = memberProblem((Object.keys(MEMBER_FIELDS) as Field[]).filter((field) => member[field] !== undefined));
    if (problem !== undefined)
      refuse(context, member, { code: "bad-member", ...problem }, problem.field === undefined ? [] : [problem.field]);
  })
  .register(guidance, {
    fields: {
      service: "Choose its pods by `pods` and `namespaces`, and write the target port in rules",
      boundary: "Name the addresses from which outside traffic comes by `addresses`",
      segments: "List its members here too, or name both segments in the rule",
    },
  });

function memberProblem(given: readonly Field[]): (Omit<Refusal, "code"> & { readonly field?: Field }) | undefined {
  const groups = GROUPS.filter((group) => group.some((field) => given.includes(field)));
  const [first, second] = groups;
  if (first === undefined) {
    return { summary: "the member chooses nothing", detail: "Write pods with namespaces, hosts, fleets, externals or addresses" };
  }
  if (second !== undefined) {
    const field = given.find((name) => second.includes(name));
    const summary = `${first.find((name) => given.includes(name))} and ${field} do not go together`;
    return { summary, detail: "Inside one member all must hold; write two members", ...(field && { field }) };
  }
  if (given.includes("pods") && !given.includes("namespaces")) {
    return { summary: "pods without namespaces", detail: "Add namespaces; `namespaces: {}` means every namespace", field: "pods" };
  }
  if (given.includes("clusters") && !given.includes("namespaces")) {
    return {
      summary: "clusters alone chooses no pods",
      detail: "Add namespaces; `namespaces: {}` means every namespace",
      field: "clusters",
    };
  }
  return undefined;
}

const IsolationMode = z.enum(["off", "observe", "enforce"]).default("observe").meta({
  description: "`off`: no part in it. `observe` (default): would-be denials are reported. `enforce`: default deny plus rules.",
});

const Spec = z
  .strictObject({
    members: z.array(Member).min(1).meta({ description: "Any of these; inside one, all must hold." }),
    isolate: z
      .strictObject({ ingress: IsolationMode, egress: IsolationMode })
      .optional()
      .meta({ description: "Per direction; the strictest of a workload's segments wins." }),
  })
  .register(guidance, {
    fields: {
      not: "Write selectors that leave them out: operator NotIn or DoesNotExist",
      needs: "Write a rule to the addresses of the API server",
      sealed: "Leave it out",
    },
  });

/** A named set of workloads. */
export const SegmentDocument = z
  .strictObject({ apiVersion: ApiVersion, kind: z.literal("Segment"), metadata: Metadata, spec: Spec })
  .meta({ description: "A named set of workloads, chosen by labels or address, not by where they run." });
export type SegmentDocument = z.output<typeof SegmentDocument>;

/** One member as parsed: exactly one group of fields is there. */
export type MemberFields = SegmentDocument["spec"]["members"][number];
