import { causeOf } from "../finding/cause.ts";
import type { CauseAnswer, CausesAnswer, FindingAnswer } from "./shapes.ts";
import { SEVERITIES } from "./overview.ts";

const MOST_CAUSES = 200;
const MOST_TARGETS = 20;

/**
 * Open findings as an inbox: a row for each cause, the gravest first, then the oldest.
 *
 * @param isWhole false when there are more open findings than these
 */
export function causesOf(findings: readonly FindingAnswer[], isWhole: boolean): CausesAnswer {
  const open = findings.filter(({ resolvedAt }) => resolvedAt === null);
  const groups = Map.groupBy(open, ({ who, ...finding }) => causeOf({ ...finding, who: who ?? undefined }));
  const causes = [...groups].map(([id, members]) => causeAnswer(id, members)).toSorted(byGravity);
  return { causes: causes.slice(0, MOST_CAUSES), more: Math.max(0, causes.length - MOST_CAUSES), isWhole };
}

function byGravity(a: CauseAnswer, b: CauseAnswer): number {
  const gravity = SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity);
  return gravity || Date.parse(a.firstSeen) - Date.parse(b.firstSeen) || (a.id < b.id ? -1 : 1);
}

/** @param members one at least; findings of one cause may differ in severity: the gravest is told */
function causeAnswer(id: string, members: readonly FindingAnswer[]): CauseAnswer {
  const gravest = members.toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity))[0] as FindingAnswer;
  const { kind, severity, subject, summary, who, at, fingerprint } = gravest;
  const { full: _full, ...effect } = gravest.effect;
  const targets = [...new Set(members.map(({ target }) => target))].sort();
  return {
    id,
    kind,
    severity,
    subject,
    summary,
    effect,
    who,
    at,
    targets: targets.slice(0, MOST_TARGETS),
    count: targets.length,
    firstSeen: members.map(({ firstSeen }) => firstSeen).sort()[0] ?? "",
    lastSeen:
      members
        .map(({ lastSeen }) => lastSeen)
        .sort()
        .at(-1) ?? "",
    heals: members.reduce((sum, { heals }) => sum + heals, 0),
    stopped: members.some(({ stopped }) => stopped),
    fingerprint,
  };
}
