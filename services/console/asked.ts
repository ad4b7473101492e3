import { z } from "zod";

/*
 * What the routes of the API take: the console parses by it, and docs/reference/api.md is made from it.
 */

const FULL_COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

const TARGET = "`cluster/NAME` or `host/FLEET/NAME`";
const END = "A segment, `any`, `internet`, a workload or an address.";

export const FindingsQuery = z.object({
  all: z.string().optional().meta({ description: "Any text: those that are over, too." }),
  target: z
    .string()
    .optional()
    .meta({ description: `Only of ${TARGET}.` }),
});
export const TargetQuery = z.object({
  target: z
    .string()
    .optional()
    .meta({ description: `Only ${TARGET}.` }),
});
export const ReachQuery = z.strictObject({
  live: z.literal("true").optional().meta({ description: "What is enforced now, instead of what the definitions in force say." }),
});
export const SegmentsQuery = z.strictObject({
  name: z.string().max(300).optional().meta({ description: "Only this segment; absent: all." }),
});
const CommitQuery = z
  .string()
  .regex(/^[0-9a-f]{40}([0-9a-f]{24})?$|^[0-9]{1,9}$/, "must be a full commit id or the number of a revision")
  .meta({ description: "A full commit id or the number of a revision." });
export const DiffQuery = z.union([
  z.strictObject({
    live: z.literal("true").meta({ description: "What the definitions say (before) and what is enforced (after)." }),
  }),
  z.strictObject({ before: CommitQuery, after: CommitQuery }),
]);
export const ExplainQuery = z.strictObject({
  from: z
    .string()
    .max(300)
    .meta({ description: `Who connects. ${END}` }),
  to: z
    .string()
    .max(300)
    .meta({ description: `Who is connected to. ${END}` }),
  port: z.string().max(40).meta({ description: "Such as `8443/tcp`." }),
  at: CommitQuery.optional().meta({ description: "As that revision says; absent: the one in force." }),
});
export const ReconcileBody = z.strictObject({
  target: z
    .string()
    .optional()
    .meta({ description: `${TARGET}; absent: every target.` }),
  replaced: z
    .string()
    .max(200)
    .optional()
    .meta({ description: "The name stands for another cluster from now on: the one whose kube-system has this UID." }),
});
export const AcceptBody = z.strictObject({
  revision: z.string().regex(FULL_COMMIT, "must be a full commit id").meta({ description: "A full commit id." }),
});
export const ApproveBody = z.strictObject({
  plan: z
    .string()
    .regex(/^[0-9a-f]{12}$/, "must be the id that a pull request's comment shows")
    .meta({ description: "The id that a pull request's comment shows." }),
});
export const NotifyRetryBody = z.strictObject({
  channel: z
    .string()
    .max(200)
    .optional()
    .meta({ description: "Its name in firebreak.yaml, or `forge/issues`; absent: every channel." }),
});
export const ReleaseBody = z.strictObject({
  target: z.string().meta({ description: `${TARGET}, gone from Git.` }),
  confirm: z.boolean().meta({ description: "false: only tell what it would do." }),
  keep: z.boolean().meta({ description: "Leave our objects where they are." }),
  forget: z.boolean().meta({ description: "Forget a target that cannot be reached." }),
});
export const SignInBody = z.strictObject({
  view: z.boolean().optional().meta({ description: "A link that may only read, for a screen on a wall." }),
});
export const SessionBody = z.strictObject({
  code: z.string().min(1).max(200).meta({ description: "What follows `/link/` in a link." }),
});
