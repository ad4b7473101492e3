import { z } from "zod";
import type { DriftResponse } from "../kinds.ts";
import { Cidr } from "./addresses.ts";
import { guidance } from "./later.ts";
import { ApiVersion, OptionalMetadata } from "./names.ts";
import { selector } from "./selectors.ts";

const Response = z
  .enum(["heal", "alert", "issue"] satisfies DriftResponse[])
  .meta({ description: "`heal`: put back what Git says. `alert`: tell. `issue`: one issue per finding on the forge." })
  .register(guidance, { values: { propose: "Use issue, and change Git by hand", hold: "Use alert without heal" } });

const Responses = z.array(Response).min(1);

const Drift = z.strictObject({
  default: Responses.default(["alert", "heal"]).meta({ description: "What happens when a target drifts." }),
  overrides: z
    .array(z.strictObject({ targets: selector("Targets by their labels."), respond: Responses }))
    .default([])
    .meta({ description: "Other responses for some targets; the first that matches counts." }),
});

const Spec = z
  .strictObject({
    internal: z.array(Cidr).default([]).meta({ description: "The organisation's own addresses: never part of `internet`." }),
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
      .array(z.enum(["owner", "reason", "ticket"]))
      .default([])
      .meta({ description: "What every policy must say." }),
    drift: Drift.prefault({}),
  })
  .register(guidance, {
    fields: {
      essentials: "Essentials are always on in this version",
      rollout: "Set mode: plan on the targets that should wait",
      approvals: "Protect the branch on the forge",
      routes: "All alerts go where the service's own configuration says",
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
