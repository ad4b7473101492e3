import type { Incident } from "../../core/finding/incident.ts";
import { noticeOf } from "../../core/notify/notice.ts";
import type { Notice } from "../../core/notify/notice.ts";
import { incident } from "./incidents.ts";

/** A notice as the service makes them. */
export function notice(
  over: Partial<Pick<Notice, "version" | "as" | "why" | "group">> = {},
  incidents: readonly Incident[] = [incident()],
): Notice {
  const head = {
    group: "00112233445566ff",
    version: 1,
    as: "message" as const,
    why: over.as === "resolved" ? ("over" as const) : over.as === "edit" ? ("changed" as const) : ("first" as const),
    at: Date.parse("2026-11-21T10:00:30Z"),
    validUntil: Date.parse("2036-11-21T14:10:00Z"),
    ...over,
  };
  const ended = incidents.map((one): Incident => ({ ...one, event: "resolved", resolvedAt: "2026-11-21T10:01:00.000Z" }));
  return head.as === "resolved" ? noticeOf(head, [], ended) : noticeOf(head, incidents, []);
}
