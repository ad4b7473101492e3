import type { AdoptingEdit } from "../adopt/edit.ts";
import { formatSaid, type Said } from "../finding/adoption.ts";
import type { Finding } from "../finding/finding.ts";
import { code, mute } from "../ground/inert.ts";

/** A finding that a pull request would adopt, as it is told. Times are ms since the epoch. */
export interface ProposedFinding extends Pick<Finding, "target" | "subject" | "who" | "widens" | "summary"> {
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** live: it is so now · healed: Firebreak put back what Git says, and the question stays · gone: over. */
  readonly state: "live" | "healed" | "gone";
}

/** What a pull request that adopts a live change says. */
export interface Proposal {
  readonly opened: readonly Said[];
  readonly closed: readonly Said[];
  readonly edit: AdoptingEdit;
  readonly findings: readonly ProposedFinding[];
  /** True when others committed to its branch: then its files are theirs. */
  readonly isTouched: boolean;
}

/** Forges take at most 255 characters. */
const MAX_TITLE = 240;
const MAX_ROWS = 50;
const MAX_LINES = 20;

/** What opens comes first: `Opens geo → cust-record: 8443/tcp`. One line, inert. */
export function proposalTitle({ opened, closed }: Pick<Proposal, "opened" | "closed">): string {
  const part = (verb: string, list: readonly Said[]): readonly string[] => {
    const [first, ...rest] = list;
    return first === undefined ? [] : [`${verb} ${formatSaid(first)}${rest.length === 0 ? "" : ` and ${rest.length} more`}`];
  };
  const words = [...part("opens", opened), ...part("closes", closed)].join("; ");
  return mute(`${words.slice(0, 1).toUpperCase()}${words.slice(1)}`, MAX_TITLE);
}

/** Markdown; what came from outside stands in code spans, so that no name can mention people, draw a link or close a fence. */
export function proposalBody(proposal: Proposal): string {
  const { opened, closed, edit, findings, isTouched } = proposal;
  const lines = [
    "**Somebody changed live what Git does not say.** Merge this, and Git says it; close this, and Git stays as it is.",
    "",
    stateWords(findings),
    "",
    ...listLines("Opens:", opened.map(formatSaid)),
    ...listLines("Closes:", closed.map(formatSaid)),
    ...elsewhereLines(edit),
    ...listLines("**It breaks a guardrail:**", edit.breaks),
    isTouched ? "Others committed to this branch, so its files are left as they are." : "The edit, as small as it can be:",
    "",
    ...(isTouched ? [] : edit.files.map(({ path, what }) => `- ${code(path)}: it ${code(what)}`)),
    "",
    "| Target | What | Written by | First seen | Last seen | Now |",
    "|---|---|---|---|---|---|",
    ...findings.slice(0, MAX_ROWS).map(findingRow),
    ...(findings.length > MAX_ROWS ? ["", `and ${findings.length - MAX_ROWS} more`] : []),
    "",
    "Firebreak asks; it approves nothing. It changes this pull request while the finding or the base branch changes, and closes it when live says again what Git says.",
  ];
  return `${lines.join("\n")}\n`;
}

/** Why a proposal ends, in the comment that closes it. */
export function closingWords(end: "gone" | "said" | "unsayable", why: string | undefined): string {
  switch (end) {
    case "gone":
      return "It is over: every target was looked at again, and live says what Git says. Nothing is left to adopt.";
    case "said":
      return "Git says so already: nothing is left to adopt.";
    case "unsayable":
      return `No edit of the definitions of the base branch says this any more: ${code(why ?? "they have changed")}.`;
    default:
      return end satisfies never;
  }
}

function stateWords(findings: readonly ProposedFinding[]): string {
  const live = findings.filter(({ state }) => state === "live");
  const wide = live.some(({ widens }) => widens);
  if (live.length === 0) return "Meanwhile it is put back: live says what Git says, and stays so until somebody merges this.";
  if (wide) return "**It is live now**, and stays so until somebody decides, or it is put back.";
  return "It is live now. Nothing more is open than Git says.";
}

function elsewhereLines({ elsewhere: { opened, closed } }: AdoptingEdit): readonly string[] {
  const line = (verb: string, targets: readonly string[]): readonly string[] =>
    targets.length === 0
      ? []
      : [
          `The segments have members elsewhere, so merging also ${verb} what is not so live today: ${targets
            .slice(0, MAX_LINES)
            .map((target) => code(target))
            .join(", ")}.`,
          "",
        ];
  return [...line("opens", opened), ...line("closes", closed)];
}

function listLines(title: string, items: readonly string[]): readonly string[] {
  if (items.length === 0) return [];
  const more = items.length > MAX_LINES ? [`- and ${items.length - MAX_LINES} more`] : [];
  return [title, "", ...items.slice(0, MAX_LINES).map((item) => `- ${code(item)}`), ...more, ""];
}

function findingRow({ target, subject, who, firstSeen, lastSeen, state }: ProposedFinding): string {
  const cells = [code(target), code(subject), code(who ?? "unknown"), iso(firstSeen), iso(lastSeen), state];
  return `| ${cells.join(" | ")} |`;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
