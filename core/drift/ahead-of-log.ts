import type { TargetId } from "../model/kinds.ts";
import { FINDING_LENGTH, tellLines, wholeLines } from "../finding/effect-lines.ts";
import type { Finding, FindingEffect } from "../finding/finding.ts";
import { fingerprintOf } from "../finding/fingerprint.ts";

/** Something of ours that says it is from a newer revision than it can be. */
export interface RaisedMark {
  readonly subject: string;
  /** The number that it carries. */
  readonly sequence: number;
  /** Who wrote it last, where known. */
  readonly who: string | undefined;
}

/**
 * Objects of ours that carry a revision which the log does not know. Nobody but Firebreak numbers revisions, so somebody wrote them, unless
 * a backup was restored; what else is changed there may pass for the work of lost revisions, and is told with it.
 *
 * @param known the newest revision that can be live
 * @param others what else parts on this target: its effects are those of this finding too
 */
export function aheadOfLog(
  target: TargetId,
  raised: readonly RaisedMark[],
  known: number,
  others: readonly Finding[],
): readonly Finding[] {
  const [first] = raised;
  if (first === undefined) return [];
  const highest = Math.max(...raised.map(({ sequence }) => sequence));
  const more = raised.length > 1 ? ` and ${raised.length - 1} more` : "";
  const who = first.who === undefined ? "" : ` (last written by ${first.who})`;
  const ours = others.filter(({ foreign }) => !foreign);
  const effect = sumOf(ours.map((finding) => finding.effect));
  return [
    {
      fingerprint: fingerprintOf("ahead-of-log", target, "mark"),
      kind: "ahead-of-log",
      target,
      subject: "mark",
      severity: "critical",
      summary:
        `${first.subject}${more} ${more === "" ? "carries" : "carry"} revision ${highest}, which Firebreak never wrote there (the newest is ` +
        `${known})${who}: somebody raised the number`,
      effect,
      who: first.who,
      at: undefined,
      healable: true,
      widens: ours.some(({ widens }) => widens),
      foreign: false,
    },
  ];
}

/** What several divergences do together. */
function sumOf(effects: readonly FindingEffect[]): FindingEffect {
  const whole = effects.map(wholeLines);
  const linesOf = (part: "opened" | "closed"): readonly string[] => [
    ...new Set(whole.flatMap((one) => one[part])),
    ...whole.flatMap(({ more }) => (more[part] === 0 ? [] : [`${more[part]} more that its own finding counts`])),
  ];
  const verdicts = new Set(effects.map(({ verdict }) => verdict));
  const doesOpen = verdicts.has("opens") || verdicts.has("both");
  const doesClose = verdicts.has("closes") || verdicts.has("both");
  const verdict = ((): FindingEffect["verdict"] => {
    if (doesOpen && doesClose) return "both";
    if (doesOpen) return "opens";
    if (verdicts.has("uncertain")) return "uncertain";
    return doesClose ? "closes" : "equivalent";
  })();
  return { verdict, ...tellLines({ opened: linesOf("opened"), closed: linesOf("closed") }, String, FINDING_LENGTH) };
}
