/** What was done behind Git's back, and which finding tells of it. */
import type { StoredEntry } from "../../core/audit/entry.ts";
import type { FindingKind } from "../../core/finding/finding.ts";
import { CLUSTER, FLEET, type Way } from "./definitions.ts";
import type { Happened, SeenEntry } from "./journal.ts";
import type { ClusterTampering, FaultEvent, HostTampering } from "./schedule.ts";

/** What a tampering does to ways that end at its target, and what Firebreak may call it. */
interface Trait {
  readonly opens: boolean;
  readonly closes: boolean;
  readonly kinds: readonly FindingKind[];
  /** Somebody else's: it stays until the driver takes it away. */
  readonly foreign: boolean;
}

const HOST: Readonly<Record<HostTampering, Trait>> = {
  "insert accept": { opens: true, closes: false, kinds: ["ruleset-changed"], foreign: false },
  "append accept": { opens: false, closes: false, kinds: ["ruleset-changed"], foreign: false },
  "flush rules": { opens: false, closes: true, kinds: ["ruleset-changed"], foreign: false },
  "delete table": { opens: true, closes: false, kinds: ["table-missing"], foreign: false },
  dormant: { opens: true, closes: false, kinds: ["dormant"], foreign: false },
  "policy accept": { opens: false, closes: false, kinds: ["ruleset-changed"], foreign: false },
  "add element": { opens: false, closes: false, kinds: ["unpublished-element"], foreign: false },
  "foreign table": { opens: false, closes: false, kinds: ["foreign-chain"], foreign: true },
  "foreign redirect": { opens: false, closes: false, kinds: ["foreign-nat"], foreign: true },
};

const CLUSTER_TRAITS: Readonly<Record<ClusterTampering, Trait>> = {
  open: { opens: true, closes: false, kinds: ["modified"], foreign: false },
  delete: { opens: true, closes: true, kinds: ["deleted"], foreign: false },
  relabel: { opens: true, closes: true, kinds: ["modified"], foreign: false },
  foreign: { opens: true, closes: false, kinds: ["foreign"], foreign: true },
};

const REBOOT: Trait = { opens: true, closes: false, kinds: ["table-missing"], foreign: false };

/** A tampering as the checks need it. */
export interface Tampering extends Trait {
  readonly happened: Happened;
  readonly target: string;
}

/** Every tampering that was really done. */
export function tamperingsOf(happened: readonly Happened[]): readonly Tampering[] {
  return happened.flatMap((one): Tampering[] => {
    const found = traitOf(one.event);
    if (found === undefined || one.failed !== undefined) return [];
    return [{ ...found, opens: found.opens || opensWith(happened, one), happened: one }];
  });
}

/** Neither closes behind itself: without the rules that drop, what is appended is reached, and the chain's policy decides. */
const LOOSE: ReadonlySet<HostTampering> = new Set(["append accept", "policy accept"]);

/** True for a tampering that opens only because of another one on the same host, whichever came first. */
function opensWith(happened: readonly Happened[], { event, began }: Happened): boolean {
  if (event.kind !== "tamper host") return false;
  const others = happened.flatMap((one) => {
    const isBefore = one.event.kind === "tamper host" && one.event.host === event.host && one.began < began;
    return isBefore && one.event.kind === "tamper host" ? [one.event.how] : [];
  });
  return LOOSE.has(event.how) ? others.includes("flush rules") : event.how === "flush rules" && others.includes("policy accept");
}

function traitOf(event: FaultEvent): (Trait & { readonly target: string }) | undefined {
  if (event.kind === "tamper host") return { ...HOST[event.how], target: `host/${FLEET}/${event.host}` };
  if (event.kind === "tamper cluster") return { ...CLUSTER_TRAITS[event.how], target: `cluster/${CLUSTER}` };
  if (event.kind === "reboot") return { ...REBOOT, target: `host/${FLEET}/${event.host}` };
  return undefined;
}

export function endsAt(target: string, { to }: Way): boolean {
  return target.endsWith(`/${to}`) || (target.startsWith("cluster/") && to === "db");
}

/** Tamperings of which no finding tells that was open after they were done. */
export function unheard(happened: readonly Happened[], entries: readonly SeenEntry[]): readonly Happened[] {
  const all = tamperingsOf(happened);
  return all.filter((one) => mustBeTold(one, all, happened) && !isTold(one, entries)).map(({ happened: it }) => it);
}

/**
 * Not every one has a finding of its own: the next one on the same target may have replaced it before anybody could look (a rule in a
 * table that is then deleted), and a log that was restored from a backup has forgotten what came after it.
 */
function mustBeTold(one: Tampering, all: readonly Tampering[], happened: readonly Happened[]): boolean {
  const { began, done } = one.happened;
  const isReplaced = all.some(
    (other) =>
      other !== one &&
      other.target === one.target &&
      other.happened.done >= began &&
      (one.foreign ? other.happened.event.kind === "reboot" : other.happened.began - done < REPLACED_MS),
  );
  const isForgotten = happened.some(
    ({ event, began: from, over }) =>
      event.kind === "restore" && done >= from && (over === undefined || began <= over + RESTORED_MS),
  );
  return !isReplaced && !isForgotten;
}

/** Until targets that are ahead of a restored log are brought forward; what was done to them until then cannot be told from what was lost. */
const RESTORED_MS = 60_000;

/** Two looks at a host, and a slow machine. */
const REPLACED_MS = 5_000;

function isTold({ target, kinds, happened }: Tampering, entries: readonly SeenEntry[]): boolean {
  const about = entries.filter(
    ({ entry }) => findingOf(entry)?.target === target && kinds.some((kind) => kind === findingOf(entry)?.kind),
  );
  // Opened after it, or open already and over only after it: two of one fingerprint are one finding.
  return about.some(({ entry }) => entry.seq >= happened.logSize);
}

/** Kind, target and fingerprint of an entry about a finding. */
export function findingOf(
  entry: StoredEntry,
): { readonly kind: string; readonly target: string; readonly fingerprint: string } | undefined {
  if (entry.type !== "finding.opened" && entry.type !== "finding.resolved" && entry.type !== "finding.updated") return undefined;
  return { kind: entry.finding.kind ?? "", target: entry.target?.id ?? "", fingerprint: entry.finding.fingerprint };
}
