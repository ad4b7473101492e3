import { z } from "zod";
import type { Need } from "../kinds.ts";
import { cidrs } from "./addresses.ts";
import { SegmentNames } from "./ends.ts";
import { ApiVersion, Metadata, Name } from "./names.ts";
import { selector } from "./selectors.ts";
import type { Refusal } from "./text.ts";
import { refuse } from "./text.ts";

const Service = z
  .strictObject({
    namespace: Name.meta({ description: "The namespace of the Service." }),
    name: Name.meta({ description: "The name of the Service." }),
  })
  .meta({ description: "The pods behind a Service; ports in rules stay those that the pods listen on." });

const Boundary = z
  .strictObject({
    clusters: selector("Clusters by their labels; absent: every one, also future ones.").optional(),
    side: z.enum(["ingress", "egress"]).meta({
      description: "`ingress`: where traffic from outside comes from when it reaches pods. `egress`: what its pods show outside.",
    }),
  })
  .meta({ description: "The addresses at the edge of clusters; a peer only, never isolated." });

const MEMBER_FIELDS = {
  pods: selector("Pods by their labels; needs `namespaces` beside it.").optional(),
  namespaces: selector("Namespaces by their labels; alone: all their pods; `{}`: every namespace.").optional(),
  service: Service.optional(),
  clusters: selector("Clusters by their labels; absent: every one, also future ones.").optional(),
  hosts: selector("Hosts by their labels (the fleet's, overlaid by the host's).").optional(),
  fleets: selector("Fleets by their labels; alone: all their hosts; absent: every one, also future ones.").optional(),
  externals: selector("Externals by their labels; a peer only, never isolated.").optional(),
  boundary: Boundary.optional(),
  addresses: cidrs("Addresses; a peer only, never isolated.").optional(),
  segments: SegmentNames.optional(),
};

type Field = keyof typeof MEMBER_FIELDS;

/** Fields that go together; a member uses exactly one group, and all its fields are in that one. */
const GROUPS: readonly (readonly Field[])[] = [
  ["pods", "namespaces", "clusters"],
  ["service", "clusters"],
  ["hosts", "fleets"],
  ["externals"],
  ["boundary"],
  ["addresses"],
  ["segments"],
];

const Member = z.strictObject(MEMBER_FIELDS).superRefine((member, context) => {
  if (context.issues.length > 0) return; // an unknown key is told already, and is probably what is missing
  const problem = memberProblem((Object.keys(MEMBER_FIELDS) as Field[]).filter((field) => member[field] !== undefined));
  if (problem !== undefined)
    refuse(context, member, { code: "bad-member", ...problem }, problem.field === undefined ? [] : [problem.field]);
});

function memberProblem(given: readonly Field[]): (Omit<Refusal, "code"> & { readonly field?: Field }) | undefined {
  const [first] = given;
  if (first === undefined) {
    const detail = "Write pods with namespaces, service, hosts, fleets, externals, boundary, addresses or segments";
    return { summary: "the member chooses nothing", detail };
  }
  if (!GROUPS.some((group) => given.every((field) => group.includes(field)))) {
    const field = given.find((other) => !GROUPS.some((group) => group.includes(first) && group.includes(other))) ?? given.at(-1);
    const beside = given.find(
      (other) => field !== undefined && !GROUPS.some((group) => group.includes(other) && group.includes(field)),
    );
    const detail =
      field === "boundary" || beside === "boundary"
        ? "Write its clusters inside boundary: {clusters: ..., side: ingress}"
        : "Inside one member all must hold; write two members";
    return { summary: `${beside ?? first} and ${field} do not go together`, detail, ...(field && { field }) };
  }
  if (given.includes("pods") && !given.includes("namespaces")) {
    return { summary: "pods without namespaces", detail: "Add namespaces; `namespaces: {}` means every namespace", field: "pods" };
  }
  if (given.includes("clusters") && given.length === 1) {
    return {
      summary: "clusters alone chooses no pods",
      detail: "Add namespaces; `namespaces: {}` means every namespace",
      field: "clusters",
    };
  }
  return undefined;
}

const IsolationMode = z
  .enum(["off", "observe", "enforce"])
  .default("observe")
  .meta({
    description:
      "`off`: no part in it. `observe` (default): everything passes. A host remembers what `enforce` would deny (`firebreak denials`); of a " +
      "cluster, plans and `firebreak test` say what `enforce` would close. `enforce`: what no rule allows is closed.",
  });

const Spec = z.strictObject({
  members: z.array(Member).min(1).meta({ description: "Any of these; inside one, all must hold." }),
  not: z.array(Member).default([]).meta({
    description: "Who is left out, whatever member chose them: labels leave out pods and hosts, addresses leave out addresses.",
  }),
  isolate: z
    .strictObject({ ingress: IsolationMode, egress: IsolationMode })
    .optional()
    .meta({ description: "Per direction; the strictest of a workload's segments wins." }),
  needs: z
    .array(z.enum(["apiserver"] satisfies Need[]))
    .default([])
    .meta({ description: "Essentials to open for these workloads. `apiserver`: the API server of their own cluster." }),
  sealed: z.boolean().default(false).meta({ description: "`true`: an identity that enters is a finding." }),
});

/** A named set of workloads. */
export const SegmentDocument = z
  .strictObject({ apiVersion: ApiVersion, kind: z.literal("Segment"), metadata: Metadata, spec: Spec })
  .meta({ description: "A named set of workloads, chosen by labels or address, not by where they run." });
export type SegmentDocument = z.output<typeof SegmentDocument>;

/** One member as parsed: exactly one group of fields is there. */
export type MemberFields = SegmentDocument["spec"]["members"][number];
