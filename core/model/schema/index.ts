import { ClusterDocument } from "./cluster.ts";
import { ExternalDocument } from "./external.ts";
import { HostFleetDocument } from "./host-fleet.ts";
import { PolicyDocument } from "./policy.ts";
import { SegmentDocument } from "./segment.ts";
import { WorkspaceDocument } from "./workspace.ts";

/** The schema of every kind. */
export const SCHEMAS = {
  Cluster: ClusterDocument,
  External: ExternalDocument,
  HostFleet: HostFleetDocument,
  Policy: PolicyDocument,
  Segment: SegmentDocument,
  Workspace: WorkspaceDocument,
} as const;

export type Kind = keyof typeof SCHEMAS;

/** Kinds that are planned, and what to do until then. */
export const LATER_KINDS: Readonly<Record<string, string>> = {
  Guardrail: "Leave it out; rules only allow, so what no rule allows stays closed where isolation is enforced",
};
