import { gravest } from "./group.ts";
import type { Reason } from "./group.ts";
import type { Severity } from "../finding/finding.ts";
import type { Incident } from "../finding/incident.ts";

/** One thing to tell on one channel: a group of incidents as it is now. Its texts are raw; each channel makes them inert. */
export interface Notice {
  /** Names the group on its channel for ever, 16 hex characters: what is told later edits it or joins its thread. */
  readonly group: string;
  /** Grows by one with every telling. */
  readonly version: number;
  /** message: worth attention · edit: brings what was read up to date · resolved: it is over. */
  readonly as: "message" | "edit" | "resolved";
  readonly why: Reason;
  /** When it was first to be told, ms since the epoch; the same at every attempt. */
  readonly at: number;
  readonly severity: Severity;
  /** One line: the decision first. */
  readonly title: string;
  /** The incidents told, the gravest first: the open ones, or those that ended when it is resolved. */
  readonly incidents: readonly Incident[];
  /** Others of the group that ended since it was last told. */
  readonly ended: readonly Incident[];
  /** How many targets they are on. */
  readonly targets: number;
  /** Until when it holds without being told again, ms since the epoch: after that a receiver may take Firebreak for dead. */
  readonly validUntil: number;
}

/** A message says this many incidents in full, and how many more there are. */
const MOST_SHOWN = 10;

/** The incidents that a message for people says in full, and how many more there are. */
export function shownIncidents(
  { incidents }: Notice,
  most: number = MOST_SHOWN,
): { readonly shown: readonly Incident[]; readonly more: number } {
  return { shown: incidents.slice(0, most), more: Math.max(0, incidents.length - most) };
}

/**
 * The longest text that fits: told with ever fewer incidents until it does, at last with none.
 *
 * @param most how many incidents are told at most
 * @param render the text that tells so many
 */
export function fitted(maxBytes: number, render: (most: number) => string, most: number = MOST_SHOWN): string {
  for (let count = most; count > 0; count = Math.floor(count / 2)) {
    const text = render(count);
    if (Buffer.byteLength(text) <= maxBytes) return text;
  }
  return render(0);
}

/** The idempotency key of one telling. The time is part of it: versions begin again when the database is lost. */
export function noticeKey({ group, version, at }: Pick<Notice, "group" | "version" | "at">): string {
  return `${group}-${version}-${at.toString(36)}`;
}

/** What to tell of a group: of the open incidents, or when there are none of those that ended. At least one of the two is not empty. */
export function noticeOf(
  head: Pick<Notice, "group" | "version" | "as" | "why" | "at" | "validUntil">,
  open: readonly Incident[],
  ended: readonly Incident[],
): Notice {
  const incidents = [...(open.length === 0 ? ended : open)].sort(compareIncidents);
  const targets = new Set(incidents.map(({ finding }) => finding.target)).size;
  return {
    ...head,
    severity: gravest(incidents.map(({ finding }) => finding)),
    title: titleOf(head.as, incidents, targets),
    incidents,
    ended: open.length === 0 ? [] : [...ended].sort(compareIncidents),
    targets,
  };
}

function titleOf(as: Notice["as"], [first]: readonly Incident[], targets: number): string {
  if (first === undefined) return "Nothing is open any more";
  const { target, summary, effect } = first.finding;
  const where = targets > 1 ? `${target} and ${targets - 1} more` : target;
  if (as === "resolved") return `Resolved: ${where}: ${summary}`;
  const [opened] = effect.opened;
  return opened === undefined ? `${where}: ${summary}` : `${where}: opens ${opened}: ${summary}`;
}

const ORDER: readonly Severity[] = ["critical", "high", "medium", "low", "info"];

function compareIncidents(a: Incident, b: Incident): number {
  const graver = ORDER.indexOf(a.finding.severity) - ORDER.indexOf(b.finding.severity);
  if (graver !== 0) return graver;
  return compare(a.finding.target, b.finding.target) || compare(a.finding.fingerprint, b.finding.fingerprint);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
