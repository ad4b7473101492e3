import type { FindingAnswer, PlanAnswer, ReleaseAnswer, StatusAnswer } from "../../core/api/shapes.ts";

/** Answers as the service gives them; moments are so many seconds before or after now, so that ages are the same in every run. */
function at(secondsAgo: number): string {
  return new Date(Date.now() - secondsAgo * 1_000).toISOString();
}

export function statusAnswer(): StatusAnswer {
  const target = {
    mode: "apply",
    revision: 4,
    wanted: 4,
    segments: 9,
    rules: 11,
    openFindings: 0,
    wouldDeny: null,
    error: null,
    nextAttemptAt: null,
  } as const;
  return {
    instance: "test-instance",
    revision: { sequence: 4, commit: "4".repeat(40), subject: "Let monitoring in\u001b[2J", acceptedAt: at(200), actor: "git" },
    repository: {
      head: "5".repeat(40),
      fetchedAt: at(3_600 * 3),
      error: null,
      refused: {
        commit: "5".repeat(40),
        code: "REVISION_INVALID",
        message: "1 definition holds an error",
        notes: [
          {
            severity: "error",
            code: "unknown-key",
            at: { file: "segments/web.yaml", line: 14, column: 7 },
            summary: 'unknown key "podz"',
            detail: 'Did you mean "pods"?',
          },
        ],
      },
    },
    targets: [
      { ...target, target: "cluster/shop-eu", state: "drifted", lastReadAt: at(3 * 86_400), openFindings: 2 },
      { ...target, target: "cluster/shop-us", state: "pending", revision: 3, lastReadAt: at(130) },
      {
        ...target,
        target: "host/directory/ldap-red-1",
        state: "unreachable",
        mode: "apply",
        revision: null,
        lastReadAt: null,
        error: { code: "HOST_UNREACHABLE", message: "connect to 10.20.0.21" },
        nextAttemptAt: at(3_600),
      },
    ],
    troubles: [],
    gaps: [],
    channels: [
      {
        channel: "security",
        refused: 2,
        refusedSince: at(400),
        failing: 1,
        error: { code: "AUTH_DENIED", message: "call Slack's chat.postMessage: token_revoked" },
      },
      {
        channel: "siem",
        refused: 0,
        refusedSince: null,
        failing: 3,
        error: { code: "CHANNEL_FAILED", message: "send an alert to the webhook: HTTP 503" },
      },
    ],
  };
}

export function findingAnswers(): readonly FindingAnswer[] {
  const opened = {
    fingerprint: "0123456789abcdef",
    kind: "modified",
    severity: "critical",
    target: "cluster/shop-eu",
    subject: "networkpolicy shop/fb-cust-record",
    summary: "networkpolicy shop/fb-cust-record was changed and lets anyone in",
    effect: { verdict: "opens", opened: ["any → shop/cust-record: any port (3 workloads)"], closed: [] },
    who: "kubectl-edit",
    at: "segments/shop.yaml:17:1",
    firstSeen: at(400),
    lastSeen: at(2),
    resolvedAt: null,
    heals: 6,
    stopped: true,
  } as const satisfies FindingAnswer;
  return [
    opened,
    {
      ...opened,
      fingerprint: "fedcba9876543210",
      kind: "foreign-nat",
      severity: "high",
      target: "host/directory/ldap-red-1",
      summary: "a nat rule outside our table changes where packets go",
      effect: { verdict: "uncertain", opened: [], closed: [] },
      who: null,
      at: null,
      resolvedAt: at(7_300),
      heals: 0,
      stopped: false,
    },
  ];
}

export function planAnswers(): readonly PlanAnswer[] {
  return [
    {
      target: "cluster/shop-eu",
      mode: "plan",
      revision: 4,
      steps: [{ kind: "create", subject: "networkpolicy shop/fb-web", why: "isolate: selects 2 pods now" }],
      effect: { verdict: "closes", opened: [], closed: ["any → shop/web: any port (2 workloads)"] },
      conflicts: ["networkpolicy shop/fb-database: has our name and no mark"],
      notes: [],
    },
    {
      target: "host/directory/ldap-red-1",
      mode: "apply",
      revision: 4,
      steps: [],
      effect: { verdict: "equivalent", opened: [], closed: [] },
      conflicts: [],
      notes: [],
    },
  ];
}

export function releaseAnswer(done: boolean): ReleaseAnswer {
  return {
    target: "cluster/shop-old",
    done,
    removes: ["networkpolicy shop/fb-web", "networkpolicy shop/fb-database"],
    effect: { verdict: "opens", opened: ["any → shop/database: any port (1 workload)"], closed: [] },
  };
}
