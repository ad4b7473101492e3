import type { Incident } from "../../core/finding/incident.ts";

/** An incident as drift makes them. */
export function incident(changes: Partial<Incident["finding"]> = {}, rest: Partial<Incident> = {}): Incident {
  return {
    event: "opened",
    finding: {
      fingerprint: "0123456789abcdef",
      kind: "modified",
      target: "cluster/shop-eu",
      subject: "networkpolicy shop/fb-cust-record-ingress",
      severity: "critical",
      summary: "networkpolicy shop/fb-cust-record-ingress was changed and opens connections",
      effect: { verdict: "opens", opened: ["any → shop/cust-record: any port (3 workloads)"], closed: [] },
      who: "kubectl-edit",
      at: { file: "policies/order-flow.yaml", line: 12, column: 5 },
      healable: true,
      widens: true,
      foreign: false,
      ...changes,
    },
    firstSeen: "2026-11-21T10:00:00.000Z",
    lastSeen: "2026-11-21T10:00:05.000Z",
    resolvedAt: undefined,
    heals: 1,
    commit: "4f2a9c1e0d3b5a6978",
    ...rest,
  };
}

/** What somebody may write into names, managers and annotations that we quote. */
export const HOSTILE = [
  "`code` ``two`` ```three",
  "a | b || c",
  "@everyone @firebreak @org/team",
  "<!-- --> <script>alert(1)</script> <img src=x onerror=alert(1)>",
  "first\n\n# second\r\n- third\u2028fourth",
  "[x](http://evil.test/a) ![y](http://evil.test/b.png) <http://evil.test/c> http://evil.test/d www.evil.test",
  "```\nfence\n```\n~~~",
  "#1 fixes #2 closes !3 4f2a9c1e0d3b5a69784f2a9c1e0d3b5a69784f2a :tada: mail@evil.test",
  "\u202egnp.exe \u200bhidden \ufeff\u0007bell \u001b[31mred",
  "\\` \\| **bold** _it_ ~~gone~~ $x^2$ &lt;b&gt; &#64;everyone",
  "`",
  "``",
  " ",
  "\ud83d half a pair",
  "x".repeat(5_000),
].flatMap((text) => [text, `before ${text} after`]);
