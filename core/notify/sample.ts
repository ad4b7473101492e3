import type { Incident } from "../finding/incident.ts";
import { noticeOf } from "./notice.ts";
import type { Notice } from "./notice.ts";

/** How long a receiver that ends things by itself shows the sample, ms. */
const VALID_MS = 5 * 60_000;

/** What `firebreak notify test` sends: looks like a finding, says that it is none, and pages nobody. */
export function sampleNotice(now: number): Notice {
  const at = new Date(now).toISOString();
  const incident: Incident = {
    event: "opened",
    finding: {
      fingerprint: "0000000000000000",
      kind: "modified",
      target: "cluster/example",
      subject: "networkpolicy example/fb-database-ingress",
      severity: "info",
      summary: "this is a test by firebreak notify test, nothing was found",
      effect: { verdict: "opens", opened: ["any → example/database: 5432/tcp (an example)"], closed: [] },
      who: "firebreak",
      at: undefined,
      healable: false,
      widens: false,
      foreign: false,
    },
    firstSeen: at,
    lastSeen: at,
    resolvedAt: undefined,
    heals: 0,
    commit: undefined,
  };
  const head = { group: "0000000000000000", version: 1, as: "message", why: "first", at: now, validUntil: now + VALID_MS } as const;
  return noticeOf(head, [incident], []);
}
