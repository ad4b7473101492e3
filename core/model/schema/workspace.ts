import { z } from "zod";
import type { DriftResponse, EssentialName } from "../kinds.ts";
import { Cidr } from "./addresses.ts";
import { guidance } from "./later.ts";
import { ApiVersion, OptionalMetadata } from "./names.ts";
import { RouteSchema } from "./route.ts";
import { selector } from "./selectors.ts";
import { refuse } from "./text.ts";

const Response = z.enum(["heal", "alert", "issue", "propose", "hold"] satisfies DriftResponse[]).meta({
  description:
    "`heal`: put back what Git says. `alert`: tell. `issue`: one issue per cause on the forge. `propose`: a pull request that makes Git say what is live. `hold`: do not close what somebody opened; without it a divergence that widens is healed whatever else is listed.",
});

const Responses = z.array(Response).min(1);

const Drift = z.strictObject({
  default: Responses.default(["alert", "heal"]).meta({ description: "What happens when a target drifts." }),
  overrides: z
    .array(z.strictObject({ targets: selector("Targets by their labels."), respond: Responses }))
    .default([])
    .meta({ description: "Other responses for some targets; the first that matches counts." }),
});

function switched(description: string) {
  return z.boolean().default(true).meta({ description });
}

const Essentials = z
  .strictObject({
    dns: switched("Names: 53 to the cluster's DNS, to the resolvers of hosts."),
    probes: switched("A pod's own node to the pod; cannot be closed."),
    dhcp: switched("On hosts: their own lease."),
    ntp: switched("On hosts: the configured time servers."),
    icmpErrors: switched("On hosts: the errors that connections need."),
    apiserver: switched("The API server, for segments that say `needs: [apiserver]`."),
    webhooks: switched("The API server to the pods behind admission webhooks and APIServices."),
  } satisfies Record<EssentialName, z.ZodType>)
  .superRefine((essentials, context) => {
    if (context.issues.length > 0 || essentials.probes) return;
    const summary = "probes cannot be closed";
    const detail = "No NetworkPolicy keeps a pod's own node out; leave probes out, and the hole is stated where it is";
    refuse(context, essentials, { code: "unsupported-value", summary, detail }, ["probes"]);
  })
  .meta({ description: "What is open without a rule; `false` closes it." });

const Spec = z
  .strictObject({
    internal: z.array(Cidr).default([]).meta({ description: "The organisation's own addresses: never part of `internet`." }),
    essentials: Essentials.prefault({}),
    limits: z
      .strictObject({
        unisolate: z
          .int()
          .min(0)
          .default(0)
          .meta({ description: "How many workloads a revision may take out of isolation before it is held." }),
      })
      .prefault({}),
    require: z
      .array(z.enum(["owner", "reason", "ticket", "expires"]))
      .default([])
      .meta({ description: "What every policy must say." }),
    approvals: z
      .strictObject({
        required: z
          .int()
          .min(0)
          .max(20)
          .default(0)
          .meta({ description: "How many people with write access must have approved a pull request, for exactly its head." }),
        distinctFromAuthor: z
          .boolean()
          .default(true)
          .meta({ description: "The approval of whoever opened it, or made one of its commits, does not count." }),
        forRules: z.int().min(0).max(21).optional().meta({
          description:
            "How many when it changes how changes are judged (guardrails, this Workspace, what is written where). Default: one more than `required`, none where `required` is 0; fewer than `required` counts as `required`.",
        }),
      })
      .prefault({})
      .meta({
        description: "What a merge needs to come into force; counted by the revision in force, so no commit lowers it for itself.",
      }),
    drift: Drift.prefault({}),
    routes: z
      .array(RouteSchema)
      .default([])
      .meta({ description: "Who is told what; without routes every channel is told everything." }),
  })
  .register(guidance, {
    fields: {
      rollout: "Set mode: plan on the targets that should wait",
    },
  });

/** What holds for the whole repository. */
export const WorkspaceDocument = z
  .strictObject({
    apiVersion: ApiVersion,
    kind: z.literal("Workspace"),
    metadata: OptionalMetadata.optional(),
    spec: Spec,
  })
  .meta({ description: "What holds for the whole repository; at most one, and the defaults without it." });
export type WorkspaceDocument = z.output<typeof WorkspaceDocument>;

/** The defaults, as they hold without a Workspace. */
export function defaultWorkspaceSpec(): WorkspaceDocument["spec"] {
  return Spec.parse({});
}
