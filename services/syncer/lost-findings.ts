import { listTargetRows, restoreFindings } from "../../adapters/store/index.ts";
import type { EntryOf } from "../../core/audit/entry.ts";
import type { EntryPage, TrailReader } from "../../core/audit/trail.ts";
import type { Finding, FindingKind, Severity } from "../../core/finding/finding.ts";
import type { SyncerContext } from "./context.ts";

const PAGE = 1_000;
const TYPES = ["finding.opened", "finding.updated", "finding.resolved"];

/**
 * Gives a store that was lost the findings that the log tells of as open, so that each has its end: the next comparison resolves what
 * is over, and what still stands is not opened a second time.
 */
export async function restoreLostFindings(context: SyncerContext, trail: Pick<TrailReader, "read">): Promise<void> {
  const open = new Map<string, Finding>();
  for (let from: number | undefined = 0; from !== undefined;) {
    const page: EntryPage = await trail.read({ from, limit: PAGE, filter: { types: TYPES } });
    for (const entry of page.entries) {
      if (entry.type === "finding.resolved") open.delete(entry.finding.fingerprint);
      else if (entry.type === "finding.opened" || entry.type === "finding.updated")
        open.set(entry.finding.fingerprint, findingOf(entry));
    }
    from = page.next;
  }
  // A target that was released has none: nothing looks at it any more.
  const targets = new Set((await listTargetRows(context.store)).map(({ id }) => id));
  const lost = [...open.values()].filter(({ target }) => targets.has(target));
  if (lost.length === 0) return;
  await restoreFindings(context.store, lost, context.now());
  context.log.warn({ findings: lost.length }, "open findings of the lost store were taken from the log");
}

/** As far as the log tells; the next comparison says the rest. The casts: entries are only ever written from a finding. */
function findingOf({ finding, target, detail }: EntryOf<"finding.opened"> | EntryOf<"finding.updated">): Finding {
  const { verdict = "uncertain", opened = [], closed = [] } = (detail ?? {}) as Partial<Finding["effect"]>;
  return {
    fingerprint: finding.fingerprint,
    kind: finding.kind as FindingKind,
    target: target?.id ?? "",
    subject: finding.object ?? "",
    severity: (finding.severity ?? "high") as Severity,
    summary: finding.summary,
    effect: { verdict, opened, closed },
    who: finding.manager,
    at: undefined,
    healable: false,
    widens: false,
    foreign: false,
  };
}
