/** What happened in one schedule, as the driver saw it: what it did, what packets did, what Firebreak said. */
import type { StatusAnswer } from "../../core/api/shapes.ts";
import type { StoredEntry } from "../../core/audit/entry.ts";
import type { Choice, Way } from "./definitions.ts";
import type { FaultEvent, Part, Schedule } from "./schedule.ts";
import type { Ended } from "./subject.ts";

/** Something that was done. */
export interface Happened {
  readonly event: FaultEvent;
  /** Just before it was done, and when it was done. */
  readonly began: number;
  done: number;
  /** When giving back what was taken away began: from there on it may be there, which takes seconds on a slow machine. */
  lifting?: number;
  /** When what was taken away was back; undefined: it still is away, or there is nothing to give back. */
  over?: number;
  /** Entries of the log when it began. */
  readonly logSize: number;
  /** Why it could not be done: then it counts for nothing. */
  failed?: string;
}

/** A commit on the branch, and what it says; a bad one says nothing. */
export interface Commit {
  readonly sha: string;
  readonly at: number;
  readonly choice: Choice | undefined;
}

/** One probe of a way. */
export interface Sample {
  readonly at: number;
  readonly tookMs: number;
  readonly isOpen: boolean;
}

/** One look at what a process says of itself. */
export interface Poll {
  readonly part: Part;
  readonly at: number;
  readonly tookMs: number;
  /** Undefined: no answer. */
  readonly ready: { readonly code: number; readonly text: string } | undefined;
  readonly status: StatusAnswer | undefined;
}

/** One `firebreak status --detailed-exitcode`. */
export interface Asked {
  readonly at: number;
  readonly tookMs: number;
  /** Null: it was ended after its deadline. */
  readonly code: number | null;
  /** What it printed; undefined where that is no answer. */
  readonly answer: StatusAnswer | undefined;
  readonly words: string;
}

/** An entry of the log and when it was first seen there. */
export interface SeenEntry {
  readonly at: number;
  readonly entry: StoredEntry;
  /** False: a backup was restored over it. */
  readonly isKept: boolean;
}

export interface Journal {
  readonly schedule: Schedule;
  readonly began: number;
  /** When everything was as it should be at the start; samples before count for nothing. */
  readonly ready: number;
  /** When all faults were over. */
  readonly lifted: number;
  /** When everything was right again and stayed so; undefined: it never was, and `wrong` says what was not. */
  readonly right: number | undefined;
  readonly wrong: readonly string[];
  readonly happened: readonly Happened[];
  readonly commits: readonly Commit[];
  readonly samples: ReadonlyMap<Way, readonly Sample[]>;
  /** Of a way that nobody ever closes, by who probes: when these fail the machine is slow. */
  readonly control: ReadonlyMap<string, readonly Sample[]>;
  readonly polls: readonly Poll[];
  readonly asked: readonly Asked[];
  readonly entries: readonly SeenEntry[];
  /** The log as it is at the end. */
  readonly log: readonly StoredEntry[];
  readonly verdict: string;
  readonly ended: readonly Ended[];
  readonly exits: ReadonlyMap<Part, string>;
  readonly outputs: ReadonlyMap<Part, string>;
  readonly resources: readonly { readonly part: Part; readonly before: Resources; readonly after: Resources }[];
  readonly left: readonly string[];
}

export interface Resources {
  readonly rssMb: number;
  readonly descriptors: number;
  readonly children: number;
}

/** Something that must never be. */
export interface Violation {
  readonly rule: string;
  readonly what: string;
}
