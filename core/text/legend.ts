/** What marks in brackets mean, said where they are printed. */
export const OBSERVED_LEGEND =
  "(observed): no rule allows it; it passes only where `isolate` says observe, and closes with enforce";

const MADE_UP = "NAME[Segment]: made up; it stands for any workload that is a member of that segment";

/** One line for each mark that a text has; none: the text has none. */
export function legendOf(text: string): readonly string[] {
  return [...(/\((was )?observed( only)?\)/.test(text) ? [OBSERVED_LEGEND] : []), ...(/\[Segment\]/.test(text) ? [MADE_UP] : [])];
}
