import { ClusterDocument } from "./cluster.ts";
import { ExternalDocument } from "./external.ts";
import { GuardrailDocument } from "./guardrail.ts";
import { HostFleetDocument } from "./host-fleet.ts";
import { PolicyDocument } from "./policy.ts";
import { SegmentDocument } from "./segment.ts";
import { WorkspaceDocument } from "./workspace.ts";

/** The schema of every kind. */
export const SCHEMAS = {
  Cluster: ClusterDocument,
  External: ExternalDocument,
  Guardrail: GuardrailDocument,
  HostFleet: HostFleetDocument,
  Policy: PolicyDocument,
  Segment: SegmentDocument,
  Workspace: WorkspaceDocument,
} as const;

export type Kind = keyof typeof SCHEMAS;
