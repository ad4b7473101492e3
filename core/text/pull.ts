import { MAX_BODY } from "../forge/comment.ts";
import type { Check } from "../forge/forge.ts";
import type { Binding } from "../review/binding.ts";
import type { ApprovalState } from "../review/approvals.ts";
import { annotationsOf, verdictOf, type Reviewed } from "../review/reviewed.ts";
import { code, mute } from "../ground/inert.ts";
import { details, reviewMarkdown, reviewTitle } from "./review.ts";

/** What a pull request's comment and check tell. */
export interface PullView {
  readonly reviewed: Reviewed;
  /** Short id. */
  readonly plan: string;
  readonly binding: Binding;
  /** Why it no longer holds; undefined while it does. */
  readonly stale: string | undefined;
  readonly held: { readonly by: string; readonly reason: string } | undefined;
  readonly approvals: ApprovalState;
  /** What came of commands, the oldest first; `text` is ours. */
  readonly answers: readonly { readonly to: string; readonly text: string }[];
}

/** The comment: the decision first, then what stands in its way, then everything else. */
export function pullComment(view: PullView): string {
  const [headline = "", ...rest] = reviewMarkdown(view.reviewed).split("\n\n");
  return cutParts([headline, ...standing(view), ...answers(view)], rest, footer(view));
}

/** Room for the marker and what a cut adds. */
const SLACK = 2_000;

/** Cuts the middle where it is too long, so that the end, with the plan's id, is always there. */
function cutParts(first: readonly string[], middle: readonly string[], last: string): string {
  let left = MAX_BODY - SLACK - [...first, last].join("\n\n").length;
  const kept: string[] = [];
  let open = 0;
  for (const part of middle) {
    left -= part.length + 2;
    if (left < 0) break;
    open += (part.match(/<details>/g) ?? []).length - (part.match(/<\/details>/g) ?? []).length;
    kept.push(part);
  }
  const cut =
    kept.length < middle.length
      ? [...Array<string>(Math.max(0, open)).fill("</details>"), "… the rest was cut: it is longer than the forge takes."]
      : [];
  return [...first, ...kept, ...cut, last].join("\n\n");
}

function standing({ stale, held, approvals, plan }: PullView): readonly string[] {
  const { required, unknown, counted, ownWork, isEnough } = approvals;
  const names =
    counted.length === 0 ? "" : ` (${counted.map(({ who, via }) => code(via === "token" ? `token ${who}` : who)).join(", ")})`;
  const own = ownWork.length === 0 ? "" : `; ${ownWork.map((name) => code(name)).join(", ")} made the change and does not count`;
  const more =
    unknown === 0 || required === 0
      ? ""
      : `; one more than usual, because the forge knows no account for the author or committer of ${unknown} of its commits`;
  const lacks = isEnough ? "" : ". Without them a merge does not come into force";
  return [
    ...(stale === undefined ? [] : [`**Stale:** ${stale}. It is planned again.`]),
    ...(held === undefined
      ? []
      : [
          `**On hold** by ${code(held.by)}${held.reason === "" ? "" : `: ${code(held.reason)}`}. A merge does not come into force until the hold is lifted by \`/firebreak approve ${plan}\`.`,
        ]),
    ...(required === 0 && counted.length === 0
      ? []
      : [`Approvals of this head: ${counted.length} of ${required}${names}${own}${more}${lacks}.`]),
  ];
}

function answers({ answers: said }: PullView): readonly string[] {
  return said.length === 0 ? [] : [said.map(({ to, text }) => `> ${code(to)}: ${text}`).join("\n>\n")];
}

function footer({ plan, binding }: PullView): string {
  const { head, base } = binding;
  return details(`Plan ${plan} of ${head.slice(0, 12)} into ${base.slice(0, 12)}; commands`, [
    "A plan holds for one head, one state of the branch, and what is enforced now; when one of them moves it is made anew, here.",
    [
      "In a comment of their own, by people with write access, for the head that is here now:",
      "",
      "- `/firebreak plan`: plan again, with names and numbers of what runs",
      `- \`/firebreak approve ${plan}\`: approve what this plan says, and lift a hold. It names the plan that you looked at: another head has another one`,
      "- `/firebreak hold REASON`: neither this nor a later head comes into force",
    ].join("\n"),
    `With a token: \`firebreak approve ${plan}\``,
  ]);
}

const STATE = { fine: "success", uncertain: "neutral", rules: "attention" } as const;

/** The check of the same. @param folder of the definitions in the repository */
export function pullCheck(view: PullView, folder: string): Check {
  const { reviewed, held, approvals } = view;
  const { required, counted } = approvals;
  const said = reviewTitle(reviewed);
  const summary = reviewMarkdown(reviewed);
  const annotations = annotationsOf(reviewed, folder);
  if (held !== undefined) return { state: "failure", title: `on hold by ${mute(held.by)}; ${said}`, summary, annotations };
  const verdict = verdictOf(reviewed);
  if (verdict === "blocked") return { state: "failure", title: said, summary, annotations };
  if (!approvals.isEnough)
    return { state: "pending", title: `${counted.length} of ${required} approvals; ${said}`, summary, annotations };
  return { state: STATE[verdict], title: said, summary, annotations };
}
