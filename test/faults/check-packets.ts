/** Packets: nothing was open that no definition allows and nobody opened; nothing was cut that old and new definitions allow. */
import { allows, targetOf, type Choice, type Way } from "./definitions.ts";
import type { Journal, Sample, Violation } from "./journal.ts";
import { endsAt, tamperingsOf, type Tampering } from "./tamperings.ts";

/** A NetworkPolicy is in force in the enforcer a while after the API server has it. */
const ENFORCER_MS = 4_000;
/** After a cable is back, before the first lost packet is sent again. */
const CABLE_MS = 2_500;
/** An answer later than this, where nobody can have closed anything, says that the machine was busy. */
const SLOW_MS = 500;

export function checkPackets(journal: Journal): readonly Violation[] {
  const violations: Violation[] = [];
  for (const [way, samples] of journal.samples) {
    const tamperings = tamperingsOf(journal.happened).filter(({ target }) => endsAt(target, way));
    const closedByCable = (one: Sample): boolean => !one.isOpen && wasAway(journal, way, one);
    for (const [index, sample] of samples.entries()) {
      const choices = choicesAt(journal, way, sample);
      const says = choices.map((choice) => allows(choice, way, journal.schedule.hasCluster));
      if (sample.isOpen && !says.includes(true) && !isExplained(tamperings, "opens", samples, index, closedByCable))
        violations.push({ rule: "open without a reason", what: sayWhen(journal, way, sample, "open") });
      if (
        !sample.isOpen &&
        !says.includes(false) &&
        !isExplained(tamperings, "closes", samples, index, closedByCable) &&
        !wasAway(journal, way, sample) &&
        !wasSlow(journal, way, sample)
      )
        violations.push({ rule: "cut without a reason", what: sayWhen(journal, way, sample, "closed") });
    }
  }
  return violations;
}

/** What the commits say that may have been in force on the way's target during a probe: from the one applied last to the newest. */
function choicesAt({ commits, entries }: Journal, way: Way, { at, tookMs }: Sample): readonly Choice[] {
  const target = targetOf(way.to);
  const lag = target.startsWith("cluster/") ? ENFORCER_MS : 0;
  let oldest = 0;
  let accepted = new Map<number, string>();
  for (const { at: seen, entry } of entries) {
    if (entry.type === "revision.accepted") accepted = accepted.set(entry.revision, entry.commit);
    if (entry.type !== "apply.outcome" || entry.outcome !== "ok" || entry.target.id !== target || seen + lag > at) continue;
    const sha = accepted.get(entry.revision ?? -1);
    oldest = Math.max(
      oldest,
      commits.findIndex((commit) => commit.sha === sha),
    );
  }
  return commits.flatMap(({ at: pushed, choice }, index) =>
    index >= oldest && pushed <= at + tookMs && choice !== undefined ? [choice] : [],
  );
}

/**
 * True while a tampering's effect lasts: until the way was seen the other way round after it, or was never seen so yet. A cable that is out
 * shows nothing of the rules.
 */
function isExplained(
  tamperings: readonly Tampering[],
  does: "opens" | "closes",
  samples: readonly Sample[],
  index: number,
  saysNothing: (sample: Sample) => boolean,
): boolean {
  const sample = samples[index];
  if (sample === undefined) return false;
  const end = ({ at, tookMs, isOpen }: Sample): number => at + (isOpen ? tookMs : 0);
  return tamperings.some((tampering) => {
    const { began, done } = tampering.happened;
    if (!tampering[does] || began > end(sample)) return false;
    // Seen the other way round after it had its effect: it was undone, and does not explain what came later.
    const effect = samples.findIndex((one, at_) => at_ <= index && end(one) >= began && one.isOpen === sample.isOpen);
    const undone = samples.some(
      (one, at_) => at_ > effect && at_ < index && one.at > done && one.isOpen !== sample.isOpen && !saysNothing(one),
    );
    return !undone;
  });
}

function wasAway({ happened }: Journal, { from, to }: Way, { at, tookMs }: Sample): boolean {
  return happened.some(
    ({ event, began, over = Infinity }) =>
      event.kind === "away" &&
      [`cable ${from}`, `cable ${to}`].includes(event.what) &&
      began <= at + tookMs &&
      over + CABLE_MS >= at,
  );
}

function wasSlow({ control }: Journal, { from }: Way, { at, tookMs }: Sample): boolean {
  const around = (control.get(from) ?? []).filter(
    (sample) => sample.at + sample.tookMs >= at - SLOW_MS && sample.at <= at + tookMs + SLOW_MS,
  );
  return around.length === 0 || around.some((sample) => !sample.isOpen || sample.tookMs > SLOW_MS);
}

function sayWhen({ ready }: Journal, { from, to, port }: Way, { at, tookMs }: Sample, verdict: string): string {
  return `${from} → ${to}:${port} ${verdict} at ${((at - ready) / 1000).toFixed(1)} s (${tookMs} ms)`;
}
