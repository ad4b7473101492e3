import type { KeyObject } from "node:crypto";
import type { Repository } from "../../adapters/git/index.ts";
import type { Lease } from "../../adapters/store/index.ts";
import type { LoggedApply } from "../../adapters/trail/file-trail.ts";
import type { LogFacts } from "../../core/audit/log-facts.ts";
import type { EntryOf } from "../../core/audit/entry.ts";
import type { Trail, TrailReader } from "../../core/audit/trail.ts";
import type { Forge } from "../../core/forge/forge.ts";
import type { Memberships } from "../../core/membership/membership.ts";
import type { Definitions, TargetId } from "../../core/model/kinds.ts";
import type { ClusterPool } from "../clusters.ts";
import type { DefinitionSource } from "../definitions.ts";
import type { HostPool } from "../hosts.ts";
import type { Bell } from "../loop.ts";
import type { Gaps } from "./ahead.ts";
import type { OnlySyncer } from "./only-syncer.ts";
import type { AcceptedRevisions } from "./accepted.ts";
import type { MemberLog } from "./member-log.ts";
import type { MembershipFeed } from "./memberships.ts";
import type { Parts } from "../parts.ts";

/** The definitions in force, and under which number. */
export interface InForce {
  readonly sequence: number;
  readonly commit: string;
  readonly definitions: Definitions;
}

/** Names of the steps at which a test may end the process; see `test/e2e`. */
export type StepName =
  | "leased"
  | "observed"
  | "planned"
  | "intent-logged"
  | "intent-stored"
  | "step-applied"
  | "read-back"
  | "outcome-logged"
  | "recorded"
  | "work-closed"
  /** Of a look at the branch: "branch" stands in the place of the target. */
  | "acceptance-logged"
  | "acceptance-stored"
  | "targets-recorded";

/** What stands in the place of a target at steps of a look at the branch. */
export const BRANCH = "branch";

/** What the parts of the syncer share. */
export interface SyncerContext extends Parts {
  /** The log, which this process holds. */
  readonly trail: Trail & TrailReader;
  /** What the log says was accepted. */
  readonly accepted: AcceptedRevisions;
  /** What else it says, of targets and pull requests: the store is held against it where it is obeyed. */
  readonly facts: Pick<LogFacts, "target" | "hold" | "holdsAny" | "plan" | "hasWritten" | "orphans">;
  /** What objects in clusters are sealed with; see `seals.ts`. */
  readonly sealKey: KeyObject;
  /** The log, and its key with it, began with this process. */
  readonly isLogNew: boolean;
  /** That no other syncer works on this database. */
  readonly only: Pick<OnlySyncer, "signal" | "whyNot">;
  /** What requests are sealed with. */
  readonly requestKey: () => Promise<Uint8Array>;
  /** Ids of requests that changed something. */
  readonly served: Set<string>;
  /** Ids of intents whose runs are under way. */
  readonly flying: Set<string>;
  /** Leases of runs that have ended, which the store has not taken back yet. */
  readonly unreleased: Set<Lease>;
  /** Every intent of the log without an outcome. */
  readonly openIntents: () => Promise<readonly EntryOf<"apply.intent">[]>;
  /** How each target was left, by the log's word. */
  readonly lastApply: (target: TargetId) => Promise<LoggedApply>;
  /** The memberships that the state folder's file had at the start. */
  savedMemberships: Memberships;
  /** Why the store is not believed; undefined while it says what the log says. */
  contradiction: string | undefined;
  readonly repository: Repository;
  /** Where pull requests are reviewed and proposed; undefined when firebreak.yaml names no forge. */
  readonly forge: Forge | undefined;
  readonly definitions: DefinitionSource;
  readonly clusters: ClusterPool;
  readonly hosts: HostPool;
  readonly memberships: MembershipFeed;
  readonly memberLog: MemberLog;
  /** Names this syncer in leases: the log it holds, which only one process can. */
  readonly holder: string;
  /** Rings when the branch should be read now. */
  readonly branchBell: Bell;
  /** Looks at the branch come one after the other: the loop's, and those of people. */
  readonly oneLook: <T>(look: () => Promise<T>) => Promise<T>;
  /** Which commit after which revision was refused last by this process. */
  refused: string | undefined;
  /** The revision in force as this process last saw it; undefined before the first. */
  inForce: InForce | undefined;
  /** A revision that was accepted and whose targets have no work yet; the next look at the branch goes on with it. */
  takingUp: InForce | undefined;
  /** The highest number of a revision that was found live and that the log does not know; 0: none. See `ahead.ts`. */
  ahead: number;
  /** Which targets a restored backup explains. */
  readonly gaps: Gaps;
  /** Called after each step of a run; does nothing but in tests. */
  readonly onStep: (step: StepName, target: TargetId) => void | Promise<void>;
}
