import { describe, expect, it } from "vitest";
import { parseDefinitions } from "../../../core/model/parse.ts";
import { isStale, liveDigest, planId } from "../../../core/review/binding.ts";
import { reviewCandidate } from "../../../core/review/candidate.ts";
import { annotationsOf, verdictOf, type Reviewed } from "../../../core/review/reviewed.ts";
import { reviewMarkdown, reviewTitle } from "../../../core/text/review.ts";
import { reviewAnswer } from "../../../core/text/review-json.ts";
import { inventory, namespace, pod } from "../../support/definitions.ts";
import { expectGolden } from "../../support/golden.ts";
import { HOSTILE } from "../../support/incidents.ts";

const TARGETS = `apiVersion: firebreak.dev/v1alpha1
kind: Cluster
metadata: {name: eu}
spec: {mode: apply, context: eu, enforcer: calico, podNetwork: routed, podRanges: [10.244.0.0/16]}
---
apiVersion: firebreak.dev/v1alpha1
kind: Cluster
metadata: {name: lab}
spec: {mode: plan, context: lab, enforcer: calico, podNetwork: routed, podRanges: [10.245.0.0/16]}
---
apiVersion: firebreak.dev/v1alpha1
kind: Workspace
spec: {internal: [10.0.0.0/8]}
`;
const SEGMENTS = (ingress = "enforce"): string => `apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: web}
spec: {members: [{pods: {matchLabels: {app: web}}, namespaces: {}, clusters: {}}], isolate: {ingress: off, egress: off}}
---
apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: db}
spec: {members: [{pods: {matchLabels: {app: db}}, namespaces: {}, clusters: {}}], isolate: {ingress: ${ingress}, egress: off}}
`;
const POLICY = (rules: string, more = ""): string => `apiVersion: firebreak.dev/v1alpha1
kind: Policy
metadata: {name: flow}
spec:
  owner: me
  reason: because${more}
  rules: ${rules}
`;
const GUARDRAIL = `apiVersion: firebreak.dev/v1alpha1
kind: Guardrail
metadata: {name: private}
spec: {reason: "it is private", never: [{from: [internet], to: [db], ports: [any]}]}
`;
const CLOSED = POLICY("[{from: [web], to: [db], ports: [8443/tcp]}]");
const OPENS = POLICY("[{from: [web], to: [db], ports: [8443/tcp]}, {from: [web], to: [db], ports: [5432/tcp]}]");

const SECRET = "carthage"; // a live name that nobody without rights may see
const PODS = inventory("eu", {
  namespaces: [namespace(SECRET)],
  pods: [
    ...Array.from({ length: 137 }, (_, index) => pod(`${SECRET}/web-${index}`, { app: "web" }, `10.244.1.${index + 1}`)),
    pod(`${SECRET}/db-0`, { app: "db" }, "10.244.2.1"),
  ],
});
const LAB = inventory("lab", { namespaces: [], pods: [] });

const file = (path: string, text: string) => ({ path, bytes: Buffer.from(text), mode: "100644" });
const tree = (policy: string, segments = SEGMENTS()) => [
  file("guardrails/private.yaml", GUARDRAIL),
  file("policies/flow.yaml", policy),
  file("segments.yaml", segments),
  file("targets.yaml", TARGETS),
];

interface Wish {
  readonly policy?: string;
  readonly segments?: string;
  readonly isFull?: boolean;
  readonly isWhole?: boolean;
  readonly base?: string;
}

function review({ policy = CLOSED, segments, isFull = true, isWhole = true, base = CLOSED }: Wish): Reviewed {
  const { definitions: before } = parseDefinitions(tree(CLOSED));
  const inventories = new Map([PODS, LAB].map((one) => [one.target, { ...one, complete: isWhole }]));
  return reviewCandidate({
    common: tree(CLOSED),
    base: tree(base),
    head: tree(policy, segments),
    allow: undefined,
    before,
    now: Date.UTC(2027, 0, 1),
    operator: { floor: { from: [], ports: [] }, ownPaths: [] },
    live: isFull ? { inventories, orphans: [], enforced: new Map() } : undefined,
  });
}

const STORIES: Readonly<Record<string, Wish>> = {
  "opens a port": { policy: OPENS },
  "opens a port, told to a stranger": { policy: OPENS, isFull: false },
  "changes nothing": { policy: `${CLOSED}\n# a comment\n` },
  "closes a port and ends by itself": {
    policy: POLICY("[{from: [web], to: [db], ports: [8444/tcp]}]", "\n  expires: 2027-01-05"),
  },
  "breaks a guardrail": { policy: POLICY("[{from: [internet], to: [db], ports: [5432/tcp]}]") },
  "takes isolation away": { segments: SEGMENTS("off") },
  "takes isolation away, told to a stranger": { segments: SEGMENTS("off"), isFull: false },
  "is invalid": { policy: POLICY("[{from: [wob], to: [db], ports: [5432/tcp]}]") },
  "changed on both sides": { policy: OPENS, base: POLICY("[{from: [web], to: [db], ports: [443/tcp]}]") },
  "workloads that are not known whole": { policy: OPENS, isWhole: false },
};

describe("a review", () => {
  it("says what a merge would do, the decision first (golden)", () => {
    expectGolden(
      "review/stories.md",
      Object.entries(STORIES)
        .map(([title, wish]) => {
          const reviewed = review(wish);
          return `# ${title}\n\ncheck: ${verdictOf(reviewed)}: ${reviewTitle(reviewed)}\n\n${reviewMarkdown(reviewed)}`;
        })
        .join("\n\n"),
    );
  });

  it.each([OPENS, POLICY("[{from: [internet], to: [db], ports: [5432/tcp]}]"), CLOSED])(
    "of intent has no live name or number in it (would catch: a stranger's pull request maps a network) %#",
    (policy) => {
      for (const segments of [SEGMENTS(), SEGMENTS("off")]) {
        const reviewed = review({ policy, segments, isFull: false });
        const all = `${reviewMarkdown(reviewed)} ${reviewTitle(reviewed)} ${JSON.stringify(reviewAnswer(reviewed))}`;
        expect(all).not.toContain(SECRET);
        expect(all).not.toMatch(/\b13[78]\b/);
        const other = reviewMarkdown(review({ policy, segments, isFull: false, isWhole: false }));
        expect(reviewMarkdown(reviewed)).toBe(other);
      }
    },
  );

  it("puts notes on the lines of the repository, whatever the folder of definitions", () => {
    const reviewed = review({ policy: POLICY("[{from: [wob], to: [db], ports: [5432/tcp]}]") });
    expect(annotationsOf(reviewed, "deploy/policies/")).toContainEqual(
      expect.objectContaining({ path: "deploy/policies/policies/flow.yaml", line: 7, level: "failure" }),
    );
    expect(annotationsOf(reviewed, ".")[0]?.path).toBe("policies/flow.yaml");
  });

  it.each(HOSTILE)("shows strangers' text and obeys nothing of it: %j", (text) => {
    const note = { severity: "error", code: "x", at: { file: text, line: 1, column: 1 }, summary: text, detail: text } as const;
    const conflict = reviewMarkdown({ kind: "conflict", paths: [text] });
    for (const out of [
      reviewMarkdown({ kind: "invalid", notes: [note] }),
      conflict,
      reviewMarkdown({ kind: "unplannable", why: text }),
    ]) {
      // What is left without code spans and our own markup is ours.
      const bare = out.replaceAll(/`[^`\n]*`/g, "");
      expect(bare).not.toMatch(/[@#<[|]|https?:|www\.|:tada:/);
      expect(out.split("`").length % 2).toBe(1);
    }
  });
});

describe("what a plan holds for", () => {
  const binding = { head: "a", base: "b", live: liveDigest("1 c", [{ id: "cluster/eu", observationDigest: "x" }]) };

  it("is stale when the head, the branch or what is enforced moves, and only then", () => {
    expect(isStale(binding, { ...binding })).toBeUndefined();
    expect(isStale(binding, { ...binding, head: "z" })).toBe("the head has moved");
    expect(isStale(binding, { ...binding, base: "z" })).toBe("the branch has moved");
    for (const targets of [[], [{ id: "cluster/eu", observationDigest: "y" }], [{ id: "cluster/eu", observationDigest: null }]])
      expect(isStale(binding, { ...binding, live: liveDigest("1 c", targets) })).toBe("what is enforced now has changed");
    expect(isStale(binding, { ...binding, live: liveDigest("2 d", [{ id: "cluster/eu", observationDigest: "x" }]) })).toBeDefined();
  });

  it("has an id of its own for every pull request, binding and text", () => {
    const ids = [
      planId(1, binding, "x"),
      planId(2, binding, "x"),
      planId(1, { ...binding, live: "" }, "x"),
      planId(1, binding, "y"),
    ];
    expect(new Set(ids).size).toBe(4);
    expect(ids[0]).toMatch(/^[0-9a-f]{12}$/);
    const two = [
      { id: "b", observationDigest: "1" },
      { id: "a", observationDigest: "2" },
    ];
    expect(liveDigest("1 c", two)).toBe(liveDigest("1 c", two.toReversed()));
  });
});
