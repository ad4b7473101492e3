import { describe, expect, it } from "vitest";
import type { Definitions } from "../../../core/model/kinds.ts";
import { parseDefinitions } from "../../../core/model/parse.ts";
import { reviewCandidate } from "../../../core/review/candidate.ts";
import { verdictOf, type Reviewed } from "../../../core/review/reviewed.ts";
import { safeguardChanges } from "../../../core/review/safeguards.ts";
import { pullCheck } from "../../../core/text/pull.ts";
import { reviewAnswer } from "../../../core/text/review-json.ts";
import { reviewMarkdown, reviewTitle } from "../../../core/text/review.ts";
import { inventory, namespace, pod } from "../../support/definitions.ts";

const V = "apiVersion: firebreak.dev/v1alpha1\n";
const document = (kind: string, name: string, spec: string): string =>
  `${V}kind: ${kind}\nmetadata: {name: ${name}}\nspec: ${spec}\n`;

const BASE_POLICY = document("Policy", "flow", "{owner: me, rules: [{from: [dev], to: [dev], ports: [any]}]}");

/** A whole set of definitions, each part by its key, so that a test says only what changes. */
const BASE = {
  workspace: `${V}kind: Workspace
spec:
  internal: [10.0.0.0/8]
  limits: {unisolate: 0}
  approvals: {required: 2}
  require: [owner]
  drift: {default: [alert, heal], overrides: [{targets: {matchLabels: {stage: prod}}, respond: [alert, heal, issue]}]}
  routes: [{match: {targets: {matchLabels: {stage: prod}}}, channels: [security]}, {match: {teams: [me]}, channels: [mine]}]
`,
  eu: `${V}kind: Cluster\nmetadata: {name: eu, labels: {stage: prod}}
spec: {mode: apply, context: eu, enforcer: calico, podNetwork: routed, podRanges: [10.244.0.0/16], foreign: remove}\n`,
  us: document("Cluster", "us", "{mode: apply, context: us, enforcer: calico}"),
  fleet: document(
    "HostFleet",
    "old",
    "{mode: apply, transport: {ssh: {user: fw, port: 22}}, lifeline: {from: [10.1.0.0/16], ports: [22/tcp]}, hosts: [{name: a, addresses: [10.1.0.1], labels: {role: db}}, {name: b, addresses: [10.1.0.2], labels: {role: db}}]}",
  ),
  far: `${V}kind: External\nmetadata: {name: far, labels: {place: far}}\nspec: {addresses: [10.9.0.0/24]}\n`,
  dev: document(
    "Segment",
    "dev",
    "{members: [{namespaces: {matchLabels: {env: dev}}}, {hosts: {matchLabels: {role: db}}}], isolate: {ingress: off, egress: off}}",
  ),
  prod: document(
    "Segment",
    "prod",
    "{members: [{namespaces: {matchLabels: {env: prod}}, clusters: {}}], isolate: {ingress: enforce, egress: off}, sealed: true}",
  ),
  outside: document("Segment", "outside", "{members: [{externals: {matchLabels: {place: far}}}, {addresses: [192.0.2.0/24]}]}"),
  guard: document(
    "Guardrail",
    "apart",
    "{never: [{from: [dev, outside], to: [prod], ports: [443/tcp, 8000-8999/tcp]}], always: [{from: [dev], to: [dev], ports: [53/udp]}]}",
  ),
  watched: document(
    "Segment",
    "watched",
    "{members: [{namespaces: {matchLabels: {env: test}}}], isolate: {ingress: observe, egress: off}}",
  ),
  policy: BASE_POLICY,
};
type Change = Partial<Record<keyof typeof BASE | "more", string>>;

const filesOf = (change: Change) =>
  Object.entries({ ...BASE, ...change })
    .filter(([, text]) => text !== "")
    .map(([name, text]) => ({ path: `${name}.yaml`, bytes: Buffer.from(text), mode: "100644" }));

function defined(change: Change): Definitions {
  const { definitions, notes } = parseDefinitions(filesOf(change));
  if (definitions === undefined) throw new Error(JSON.stringify(notes));
  return definitions;
}

const changes = (change: Change) => safeguardChanges(defined({}), defined(change));
/** `Guardrail apart never changed`. */
const listed = (change: Change): readonly string[] =>
  changes(change).map(({ kind, name, field, how }) => [kind, name, field, how].filter((part) => part !== "").join(" "));
const edit = (key: keyof typeof BASE, from: string, to: string): Change => {
  if (!BASE[key].includes(from)) throw new Error(`${from} is not in ${key}`);
  return { [key]: BASE[key].replace(from, to) };
};

/** Every kind of change, with what must be listed. */
const LISTED: Readonly<Record<string, readonly [Change, readonly string[]]>> = {
  "a guardrail is gone": [{ guard: "" }, ["Guardrail apart removed"]],
  "it only warns": [edit("guard", "{never", "{severity: warn, never"), ["Guardrail apart severity changed"]],
  "a claim is gone": [
    edit("guard", ", always: [{from: [dev], to: [dev], ports: [53/udp]}]", ""),
    ["Guardrail apart always removed"],
  ],
  "fewer ports": [edit("guard", "443/tcp, ", ""), ["Guardrail apart never narrowed"]],
  "a smaller range": [edit("guard", "8000-8999", "8000-8998"), ["Guardrail apart never narrowed"]],
  "other ports": [edit("guard", "443/tcp", "444/tcp"), ["Guardrail apart never changed"]],
  "one end less": [edit("guard", "[dev, outside]", "[dev]"), ["Guardrail apart never narrowed"]],
  "another end": [edit("guard", "[dev, outside]", "[dev, internet]"), ["Guardrail apart never changed"]],
  "only where labels agree": [
    edit("guard", "ports: [53/udp]}", "ports: [53/udp], same: [zone]}"),
    ["Guardrail apart always narrowed"],
  ],
  "one connection becomes any path": [
    edit("guard", "to: [prod], ports: [443", "reaches: [prod], ports: [443"),
    ["Guardrail apart never changed"],
  ],
  "any port, which leaves out what begins no connection": [
    edit("guard", "ports: [53/udp]", "ports: [any]"),
    ["Guardrail apart always changed"],
  ],
  "a segment that it names has one member less": [
    edit("dev", ", {hosts: {matchLabels: {role: db}}}", ""),
    ["Guardrail apart never narrowed", "Guardrail apart always narrowed"],
  ],
  "a segment that it names leaves somebody out": [
    edit("prod", "clusters: {}}]", "clusters: {}}], not: [{pods: {matchLabels: {app: x}}, namespaces: {}}]"),
    ["Guardrail apart never narrowed"],
  ],
  "a segment that it names chooses other labels": [edit("prod", "env: prod", "env: prd"), ["Guardrail apart never changed"]],
  "a segment that it names is in some clusters only": [
    edit("prod", "clusters: {}", "clusters: {matchLabels: {stage: prod}}"),
    ["Guardrail apart never narrowed"],
  ],
  "an external that it names has fewer addresses": [edit("far", "10.9.0.0/24", "10.9.0.0/25"), ["Guardrail apart never narrowed"]],
  "an external that it names is labelled otherwise": [edit("far", "place: far", "place: near"), ["Guardrail apart never narrowed"]],
  "a host that it names is labelled otherwise": [
    edit("fleet", "addresses: [10.1.0.2], labels: {role: db}", "addresses: [10.1.0.2], labels: {role: web}"),
    ["Guardrail apart never narrowed", "Guardrail apart always narrowed"],
  ],
  "fewer approvals": [
    edit("workspace", "required: 2", "required: 1"),
    ["Workspace approvals.forRules changed", "Workspace approvals.required changed"],
  ],
  "approvals for rules": [edit("workspace", "required: 2", "required: 2, forRules: 2"), ["Workspace approvals.forRules changed"]],
  "one's own approval": [
    edit("workspace", "required: 2", "required: 2, distinctFromAuthor: false"),
    ["Workspace approvals.distinctFromAuthor changed"],
  ],
  limits: [edit("workspace", "unisolate: 0", "unisolate: 1000000"), ["Workspace limits.unisolate changed"]],
  require: [edit("workspace", "[owner]", "[]"), ["Workspace require changed"]],
  drift: [edit("workspace", "default: [alert, heal]", "default: [hold]"), ["Workspace drift.default changed"]],
  "a drift override": [
    edit("workspace", "respond: [alert, heal, issue]", "respond: [hold]"),
    ["Workspace drift.overrides changed"],
  ],
  routes: [edit("workspace", "channels: [security]", "channels: [nowhere]"), ["Workspace routes changed"]],
  internal: [edit("workspace", "10.0.0.0/8", "10.0.0.0/9"), ["Workspace internal changed"]],
  essentials: [edit("workspace", "internal:", "essentials: {dns: false}\n  internal:"), ["Workspace essentials.dns changed"]],
  "no Workspace any more": [
    { workspace: "" },
    ["approvals.forRules", "approvals.required", "drift.overrides", "internal", "require", "routes"].map(
      (field) => `Workspace ${field} changed`,
    ),
  ],
  "an override by label no longer holds": [
    edit("eu", "stage: prod", "stage: test"),
    ["Cluster eu labels (drift) changed", "Cluster eu labels (routes) changed"],
  ],
  mode: [edit("eu", "mode: apply", "mode: plan"), ["Cluster eu mode changed"]],
  foreign: [edit("eu", "foreign: remove", "foreign: report"), ["Cluster eu foreign changed"]],
  enforcer: [edit("eu", "calico", "none"), ["Cluster eu enforcer changed"]],
  context: [edit("eu", "context: eu", "context: other"), ["Cluster eu connection changed"]],
  "pod network": [edit("eu", "routed", "masqueraded"), ["Cluster eu podNetwork changed"]],
  "pod ranges": [edit("eu", "10.244.0.0/16", "10.244.0.0/17"), ["Cluster eu podRanges changed"]],
  governs: [edit("us", "enforcer", "governs: {matchLabels: {a: b}}, enforcer"), ["Cluster us governs changed"]],
  "a cluster is gone": [{ us: "" }, ["Cluster us removed"]],
  "mode of a fleet": [edit("fleet", "mode: apply", "mode: plan"), ["HostFleet old mode changed"]],
  "user of a fleet": [edit("fleet", "user: fw", "user: root2"), ["HostFleet old transport changed"]],
  "port of a fleet": [edit("fleet", "port: 22}", "port: 2222}"), ["HostFleet old transport changed"]],
  lifeline: [edit("fleet", "from: [10.1.0.0/16]", "from: [10.0.0.0/8]"), ["HostFleet old lifeline.from changed"]],
  "address of a host": [edit("fleet", "10.1.0.2", "10.1.0.3"), ["HostFleet old/b addresses changed"]],
  "a segment that it names will miss a host with a label, though none has it today": [
    edit(
      "dev",
      "{hosts: {matchLabels: {role: db}}}",
      "{hosts: {matchLabels: {role: db}, matchExpressions: [{key: zone, operator: DoesNotExist}]}}",
    ),
    ["Guardrail apart never narrowed", "Guardrail apart always narrowed"],
  ],
  "a segment that it names will miss hosts of other fleets": [
    edit(
      "dev",
      "{hosts: {matchLabels: {role: db}}}",
      "{hosts: {matchLabels: {role: db}}, fleets: {matchExpressions: [{key: far, operator: DoesNotExist}]}}",
    ),
    ["Guardrail apart never narrowed", "Guardrail apart always narrowed"],
  ],
  "not even observed": [edit("watched", "ingress: observe", "ingress: off"), ["Segment watched isolate.ingress changed"]],
  "another owner of a policy, whom a route does not know": [
    edit("policy", "owner: me", "owner: you"),
    ["Policy flow owner (routes) changed", "Segment dev owners (routes) changed"],
  ],
  "the same by a policy of another name": [
    { policy: BASE_POLICY.replace("name: flow", "name: stream").replace("owner: me", "owner: you") },
    ["Policy flow owner (routes) changed", "Segment dev owners (routes) changed"],
  ],
  "a guardrail whose incidents went to everybody has an owner": [
    edit("guard", "{never", "{owner: me, never"),
    ["Guardrail apart owner (routes) changed"],
  ],
  "sealed no more": [edit("prod", ", sealed: true", ""), ["Segment prod sealed changed"]],
  "observed only": [edit("prod", "ingress: enforce", "ingress: observe"), ["Segment prod isolate.ingress changed"]],
};

/** What a change may do without being listed: connections say it. */
const NOT_LISTED: Readonly<Record<string, Change>> = {
  nothing: {},
  "a rule": edit("policy", "ports: [any]", "ports: [any]}, {from: [dev], to: [prod], ports: [8080/tcp]"),
  "a guardrail more": { more: document("Guardrail", "more", "{never: [{from: [internet], to: [prod], ports: [any]}]}") },
  "more ports in it": edit("guard", "443/tcp, ", "22/tcp, 443/tcp, "),
  "one range for two": edit("guard", "443/tcp, 8000-8999/tcp", "1-65535/tcp"),
  "one end more in it": edit("guard", "to: [prod]", "to: [prod, dev]"),
  "claims in another order": edit("guard", "{never: [", "{never: [{from: [prod], to: [dev], ports: [1/tcp]}, "),
  "a reason, an owner whom no route knows": edit("guard", "{never", "{owner: you, reason: why, never"),
  "one more owner, who is told besides": {
    more: document("Policy", "more", "{owner: you, rules: [{from: [prod], to: [dev], ports: [1/tcp]}]}"),
  },
  "another name and the same owner": { policy: BASE_POLICY.replace("name: flow", "name: stream") },
  "it blocks": edit("guard", "{never", "{severity: block, never"),
  "a segment that it names holds more": edit("prod", "members: [", "members: [{namespaces: {matchLabels: {env: live}}}, "),
  "an external that it names has more addresses": edit("far", "10.9.0.0/24", "10.9.0.0/23"),
  "a segment of its own": { more: document("Segment", "web", "{members: [{namespaces: {}}]}") },
  "more is enforced": edit("dev", "ingress: off", "ingress: enforce"),
  "a host more": edit("fleet", "hosts: [", "hosts: [{name: c, addresses: [10.1.0.9]}, "),
  "labels that no rule asks for": edit("us", "enforcer", "enforcer"),
  "another order and comments": { guard: `# hello\n${BASE.guard}` },
};

describe("safeguards", () => {
  // Would catch: a safeguard that a change takes away in silence (H1).
  it.each(Object.entries(LISTED))("lists: %s", (_title, [change, expected]) => {
    expect(listed(change)).toEqual(expected);
  });

  it.each(Object.entries(NOT_LISTED))("does not list: %s", (_title, change) => {
    expect(listed(change)).toEqual([]);
  });

  // Would catch: a pull request that has forge and work tree show reviewers another text than is read, or no difference at all.
  it("lists .gitattributes among the definitions, whatever becomes of them", () => {
    const withLines = (...lines: readonly string[]): Definitions => {
      const file = { path: "deep/.gitattributes", bytes: Buffer.from(lines.join("\n")), mode: "100644" };
      return parseDefinitions([...filesOf({}), file]).definitions ?? defined({});
    };
    const told = (before: Definitions, after: Definitions) =>
      safeguardChanges(before, after).map(({ kind, name, how, after: text }) => [kind, name, how, text]);
    const quiet = withLines("*.yaml -diff");
    expect(told(defined({}), quiet)).toEqual([["File", "deep/.gitattributes", "changed", "*.yaml -diff"]]);
    expect(told(quiet, withLines("*.yaml ident"))).toEqual([["File", "deep/.gitattributes", "changed", "*.yaml ident"]]);
    expect(told(quiet, withLines("# hello", "*.yaml -diff", ""))).toEqual([]);
    expect(told(quiet, defined({}))).toEqual([["File", "deep/.gitattributes", "removed", null]]);
  });

  it("names the segments through which a claim may be about less", () => {
    const [never] = changes(edit("prod", "env: prod", "env: prd"));
    expect(never?.through).toEqual(["prod"]);
    expect(never?.before).toBe(never?.after);
  });

  it("follows nested segments (would catch: a member moved out two segments away)", () => {
    const nest = document(
      "Segment",
      "prod",
      "{members: [{segments: [inner]}], isolate: {ingress: enforce, egress: off}, sealed: true}",
    );
    const inner = (more: string) => document("Segment", "inner", `{members: [{namespaces: {matchLabels: {env: prod}}}${more}]}`);
    const before = defined({ prod: nest, more: inner(", {addresses: [10.77.0.0/16]}") });
    const after = defined({ prod: nest, more: inner("") });
    expect(safeguardChanges(before, after).map(({ through }) => through)).toEqual([["prod"]]);
    expect(safeguardChanges(after, before)).toEqual([]);
  });

  it("lists nothing for the first revision, which is judged by the defaults", () => {
    expect(safeguardChanges(undefined, defined({}))).toEqual([]);
  });

  it("compares no more claims with each other than its budget, and lists what is left as removed or changed", () => {
    const many = (port: number) =>
      document(
        "Guardrail",
        "apart",
        `{never: [${Array.from({ length: 400 }, (_, index) => `{from: [dev], to: [prod], ports: [${port + index}/tcp]}`).join(", ")}]}`,
      );
    const found = safeguardChanges(defined({ guard: many(1) }), defined({ guard: many(20_000) }));
    expect(found).toHaveLength(400);
  });
});

const LIVE = {
  inventories: new Map(
    [
      inventory("eu", { namespaces: [namespace("shop", { env: "prod" })], pods: [pod("shop/a", { app: "a" }, "10.244.0.9")] }),
      inventory("us", {}),
    ].map((one) => [one.target, one]),
  ),
  orphans: [],
  enforced: new Map<string, Definitions>(),
};

function reviewOf(change: Change, isFull: boolean): Reviewed {
  return reviewCandidate({
    common: filesOf({}),
    base: filesOf({}),
    head: filesOf(change),
    allow: undefined,
    before: defined({}),
    now: Date.UTC(2027, 0, 1),
    operator: { floor: { from: [], ports: [] }, ownPaths: [] },
    live: isFull ? LIVE : undefined,
  });
}

const APPROVED = { required: 0, unknown: 0, counted: [], ownWork: [], isEnough: true };

describe.each([
  ["a full plan", true],
  ["a plan of intent", false],
] as const)("%s", (_kind, isFull) => {
  // Would catch: "opens nothing, closes nothing" and green for a change that abolishes every safeguard (H1).
  it.each(Object.entries(LISTED))("says it first and is never green: %s", (_title, [change, expected]) => {
    const reviewed = reviewOf(change, isFull);
    if (reviewed.kind !== "reviewed") throw new Error(JSON.stringify(reviewed));
    const sure = reviewed.review.problems.length === 0;
    if (sure) expect(verdictOf(reviewed)).toBe("rules");
    expect(reviewTitle(reviewed)).toContain(`changes how changes are judged (${expected.length})`);
    const [headline, ...body] = reviewMarkdown(reviewed).split("\n\n");
    expect(headline).toContain(`**changes how changes are judged (${expected.length}); `);
    expect(body.join("\n\n")).toContain("**Changes how changes are judged.**");
    expect(reviewAnswer(reviewed)).toMatchObject({ safeguards: reviewed.review.safeguards });
    const binding = { head: "1", base: "2", live: "3" };
    const view = { reviewed, plan: "0", binding, stale: undefined, held: undefined, approvals: APPROVED, answers: [] };
    expect(pullCheck(view, "").state).toBe(sure ? "attention" : "failure");
  });

  it.each([
    edit("eu", "context: eu", "context: other"),
    edit("fleet", "10.1.0.1", "10.1.0.77"),
    edit("fleet", "user: fw", "user: other"),
  ])("says that a target is reached another way, whose rules stay the same (M8) %#", (change) => {
    const reviewed = reviewOf(change, isFull);
    if (reviewed.kind !== "reviewed") throw new Error(JSON.stringify(reviewed));
    expect(reviewed.review.touched.targets.map(({ how }) => how)).toContain("reconnected");
    expect(reviewMarkdown(reviewed)).toContain("is reached another way");
  });

  it("says that a policy stays open for longer, and for ever", () => {
    const ends = (when: string) => ({ policy: BASE.policy.replace("owner: me", `owner: me${when}`) });
    const prolonged = (from: string, to: string) => {
      const reviewed = reviewCandidate({
        common: filesOf(ends(from)),
        base: filesOf(ends(from)),
        head: filesOf(ends(to)),
        allow: undefined,
        before: defined(ends(from)),
        now: Date.UTC(2027, 0, 1),
        operator: { floor: { from: [], ports: [] }, ownPaths: [] },
        live: isFull ? LIVE : undefined,
      });
      return `${reviewTitle(reviewed)}\n${reviewMarkdown(reviewed)}`;
    };
    expect(prolonged(", expires: 2027-02-01", ", expires: 2028-02-01")).toMatch(
      /keeps flow open for longer[^]*`flow` on 2028-02-01 \(before: on 2027-02-01\)/,
    );
    expect(prolonged(", expires: 2027-02-01", "")).toMatch(/keeps flow open for longer[^]*Ends no more by itself: `flow`/);
    expect(prolonged(", expires: 2027-02-01", ", expires: 2027-01-15")).not.toContain("for longer");
  });
});
