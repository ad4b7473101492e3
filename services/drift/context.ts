import type { ForeignUpdates } from "../foreign-updates.ts";
import type { ErrorShape } from "../../core/api/shapes.ts";
import type { Failing } from "../../core/drift/failing.ts";
import type { Adoption } from "../../core/finding/adoption.ts";
import type { Definitions, TargetId } from "../../core/model/kinds.ts";
import type { ClusterPool } from "../clusters.ts";
import type { DefinitionSource } from "../definitions.ts";
import type { HostPool } from "../hosts.ts";
import type { LookMemory } from "../look-memory.ts";
import type { Parts } from "../parts.ts";
import type { SeenTargets } from "./seen.ts";

/** What the parts of the drift detector share. Its credentials are read-only: a repair is work for the syncer. */
export interface DriftContext extends Parts {
  readonly definitions: DefinitionSource;
  readonly clusters: ClusterPool;
  readonly hosts: HostPool;
  /** The revision in force as this process last saw it. */
  inForce: { readonly sequence: number; readonly commit: string; readonly definitions: Definitions } | undefined;
  /** What every target was last seen to enforce. */
  readonly seen: SeenTargets;
  /** What large comparisons found. */
  readonly looked: LookMemory;
  /** Why a target cannot be compared, where that is not its own doing; under `""` why none can. */
  readonly lacking: Map<string, ErrorShape>;
  /** Looks that failed one after the other, by target. */
  readonly failures: Map<TargetId, Failing>;
  /** When each target was first seen to be ahead of the store, by `elapsed`; long ago once it was seen not to be. */
  readonly aheadSince: Map<TargetId, number>;
  /** Bounds what the log is told of other people's policies. */
  readonly foreignUpdates: ForeignUpdates;
  /** When each repair was last asked for, by fingerprint; a time of `elapsed`. */
  readonly askedAt: Map<string, number>;
  /** Targets that are looked at again at a time of their own: a repair waits for its pause to end. ms since the epoch. */
  readonly lookAgain: Map<TargetId, number>;
  /** How Git could say each finding, by fingerprint, and what that was worked out from; undefined: it has no words for it. */
  readonly adoptions: Map<string, { readonly key: string; readonly seen: number; readonly adoption: Adoption | undefined }>;
}
