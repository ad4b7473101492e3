import type { Finding } from "./finding.ts";

/** What just happened to a finding. */
export type IncidentEvent = "opened" | "updated" | "resolved";

/** A finding with its history, as it is told to people. Times are ISO 8601, UTC. */
export interface Incident {
  readonly event: IncidentEvent;
  readonly finding: Finding;
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly resolvedAt: string | undefined;
  /** How often Firebreak repaired it. */
  readonly heals: number;
  /** The commit that the target is compared with. */
  readonly commit: string | undefined;
}
