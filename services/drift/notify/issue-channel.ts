import type { Forge } from "../../../core/forge/forge.ts";
import { REJOIN_MS } from "../../../core/notify/channel.ts";
import type { Channel } from "../../../core/notify/channel.ts";
import { issueBody, issueLabels, issueMarker, issueTitle, OUR_LABELS } from "../../../core/text/issue.ts";
import type { Notice } from "../../../core/notify/notice.ts";

/**
 * The forge's issues, one per group: edited as it evolves, closed when all of it is over, opened again when it comes back within
 * {@link REJOIN_MS}. An issue that a person closed while the finding is there stays closed until there is news.
 */
export function openIssueChannel(forge: Pick<Forge, "putIssue" | "repository">): Channel {
  return {
    capabilities: { edit: true, thread: false, resolve: true, maxBytes: 60_000 },
    async send(notice, { ref }, signal) {
      const known = ref === undefined ? undefined : Number(ref);
      const state = notice.as === "edit" ? undefined : notice.as === "resolved" ? "closed" : "open";
      const issue = { ...textOf(notice), state, ownLabels: OUR_LABELS, anewAfterMs: REJOIN_MS } as const;
      return String(await forge.putIssue(known, issueMarker(notice.group), issue, signal));
    },
    preview(notice) {
      const { title, body, labels } = textOf(notice);
      return { to: `issue of ${forge.repository}`, headers: { Title: title, Labels: labels.join(", ") }, body };
    },
  };
}

function textOf(notice: Notice) {
  return { title: issueTitle(notice), body: issueBody(notice), labels: issueLabels(notice) };
}
