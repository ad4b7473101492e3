import { describe, expect, it } from "vitest";
import type { ExplainAnswer } from "../../../core/explain/answer.ts";
import { explainConnection, withBlame } from "../../../core/explain/explain.ts";
import { madeUpWorld, seenWorld, type ConnectivityWorld } from "../../../core/guardrail/world.ts";
import { parseDefinitions } from "../../../core/model/parse.ts";
import type { Definitions } from "../../../core/model/kinds.ts";
import type { SourceFile } from "../../../core/model/source.ts";
import { formatNotes } from "../../../core/text/notes.ts";
import { inventory, namespace, pod } from "../../support/definitions.ts";
import { SmallClone } from "../../support/small-clone.ts";

const NOW = Date.UTC(2026, 10, 21);
const HEAD = "apiVersion: firebreak.dev/v1alpha1\n";

const WORLD = `${HEAD}kind: Cluster
metadata: {name: eu, labels: {env: prod}}
spec: {mode: apply, context: eu, podNetwork: routed, podRanges: [10.244.0.0/16]}
---
${HEAD}kind: HostFleet
metadata: {name: racks}
spec:
  mode: apply
  transport: {ssh: {user: firebreak}}
  hosts: [{name: lone, addresses: [10.30.0.1]}]
---
${HEAD}kind: External
metadata: {name: printer}
spec: {addresses: [10.40.0.0/30, 10.40.0.9/32]}
---
${HEAD}kind: Workspace
spec: {internal: [10.0.0.0/8]}
---
${segment("web", "observe")}---
${segment("api", "enforce")}---
${segment("db", "enforce")}---
${HEAD}kind: Segment
metadata: {name: partners}
spec: {members: [{addresses: [203.0.113.0/24]}]}
`;

function segment(name: string, mode: string): string {
  return `${HEAD}kind: Segment
metadata: {name: ${name}}
spec:
  members: [{pods: {matchLabels: {app: ${name}}}, namespaces: {matchLabels: {team: shop}}}]
  isolate: {ingress: ${mode}, egress: ${mode}}
`;
}

const FLOW = `${HEAD}kind: Policy
metadata: {name: flow}
spec:
  owner: team-shop
  rules:
    # The one rule.
    - {from: [web], to: [db], ports: [5432/tcp]} # as agreed
`;

const BLOCK = `${HEAD}kind: Policy
metadata:
  name: block
spec:
  rules:
    - from:
        - web
      to:
        - db
      ports:
        - 5432/tcp # postgres
        - 5433/tcp

  # Nothing below this line.
  ticket: T-1
`;

/** Every shape is asked the same way: denied, patched by git, allowed; and nothing but the lines that it takes has changed. */
interface Shape {
  readonly files: Readonly<Record<string, string>>;
  readonly asked?: readonly [from: string, to: string, port: string];
  readonly what: RegExp;
  /** Lines that git counts: added, removed. */
  readonly lines: readonly [number, number];
  readonly path?: string;
}

const SHAPES: Readonly<Record<string, Shape>> = {
  "a port in a flow list of the rule that is there": {
    files: { "policies/flow.yaml": FLOW },
    asked: ["web", "db", "22"],
    what: /^adds 22\/tcp to the rule flow\/0$/,
    lines: [1, 1],
  },
  "a port in a block list, before a comment that ends the list": {
    files: { "policies/block.yaml": BLOCK },
    asked: ["web", "db", "22"],
    what: /^adds 22\/tcp to the rule block\/0$/,
    lines: [1, 0],
  },
  "a rule more in the policy that opens the responder": {
    files: { "policies/flow.yaml": FLOW },
    asked: ["api", "db", "5432"],
    what: /^adds a rule to the policy flow of team-shop$/,
    lines: [1, 0],
  },
  "lines that end with CR LF": {
    files: { "policies/flow.yaml": FLOW.replaceAll("\n", "\r\n") },
    asked: ["api", "db", "5432"],
    what: /^adds a rule to the policy flow/,
    lines: [1, 0],
  },
  "a file that does not end with a line end": {
    files: { "policies/flow.yaml": FLOW.trimEnd() },
    asked: ["api", "db", "5432"],
    what: /^adds a rule to the policy flow/,
    lines: [2, 1],
  },
  "the second document of a file": {
    files: {
      "policies/both.yaml": `${FLOW.replaceAll("flow", "first").replace("[web], to: [db]", "[web], to: [api]")}---\n${BLOCK}`,
    },
    asked: ["web", "db", "22"],
    what: /^adds 22\/tcp to the rule block\/0$/,
    lines: [1, 0],
  },
  "a path with blanks, letters beyond ASCII and quotes": {
    files: { 'pol icies/größe "x".yaml': FLOW },
    asked: ["web", "db", "22"],
    what: /^adds 22\/tcp to the rule flow\/0$/,
    lines: [1, 1],
    path: 'pol icies/größe "x".yaml',
  },
  "a path with a blank only": {
    files: { "pol icies/a b.yaml": FLOW },
    asked: ["web", "db", "22"],
    what: /flow\/0$/,
    lines: [1, 1],
  },
  "ports shared through an anchor: a rule of its own instead": {
    files: {
      "policies/anchored.yaml": `${HEAD}kind: Policy
metadata: {name: anchored}
spec:
  rules:
    - {from: [web], to: [db], ports: &db [5432/tcp]}
    - {from: [api], to: [db], ports: *db}
`,
    },
    asked: ["web", "db", "22"],
    what: /^adds a rule to the policy anchored$/,
    lines: [1, 0],
  },
  "a policy on one line": {
    files: {
      "policies/one.yaml": `${HEAD}kind: Policy
metadata: {name: one}
spec: {rules: [{from: [web], to: [db], ports: [5432/tcp], same: [color]}], owner: o}
`,
    },
    asked: ["web", "db", "22"],
    what: /^adds a rule to the policy one of o$/,
    lines: [1, 1],
  },
  "no policy at all": { files: {}, what: /^adds the policy web-to-db in a file of its own$/, lines: [6, 0] },
  "only policies of somebody else": {
    files: { "policies/other.yaml": FLOW.replace("[web], to: [db]", "[partners], to: [api]") },
    what: /^adds the policy web-to-db in a file of its own$/,
    lines: [6, 0],
    path: "policies/web-to-db.yaml",
  },
  "a policy that expires is no place for it": {
    files: { "policies/flow.yaml": FLOW.replace("  rules:", "  expires: 2027-01-01\n  rules:") },
    asked: ["web", "db", "22"],
    what: /^adds the policy web-to-db/,
    lines: [6, 0],
  },
  "names that are taken, and fields that the workspace requires": {
    files: {
      "policies/web-to-db.yaml": `${HEAD}kind: Segment\nmetadata: {name: spare}\nspec: {members: [{pods: {matchLabels: {app: spare}}, namespaces: {}}]}\n`,
      "policies/x.yaml": FLOW.replace("name: flow", "name: web-to-db-2")
        .replace("owner:", "reason: r\n  owner:")
        .replace("[web], to: [db]", "[partners], to: [api]"),
      "workspace.yaml": `${HEAD}kind: Workspace\nspec: {require: [owner, reason]}\n`,
      "world.yaml": WORLD.replace(/^---\napiVersion: .*\nkind: Workspace\nspec: .*\n/m, ""),
    },
    what: /^adds the policy web-to-db-3 in a file of its own$/,
    lines: [8, 0],
    path: "policies/web-to-db-3.yaml",
  },
  "both ends are isolated": {
    files: { "policies/flow.yaml": FLOW },
    asked: ["db", "api", "443"],
    what: /^adds the policy db-to-api/,
    lines: [6, 0],
  },
  "an address that a segment holds": {
    files: { "policies/flow.yaml": FLOW },
    asked: ["203.0.113.7", "db", "5432"],
    what: /^adds a rule to the policy flow/,
    lines: [1, 0],
  },
  "an address that no segment holds": {
    files: { "policies/flow.yaml": FLOW },
    asked: ["198.51.100.7", "db", "5432"],
    what: /^adds the segment 198-51-100-7 and the policy 198-51-100-7-to-db in a file of its own$/,
    lines: [13, 0],
  },
  "a host by its IPv6 address, which no segment holds": {
    files: { "policies/flow.yaml": FLOW, "world.yaml": WORLD.replace("[10.30.0.1]", '[10.30.0.1, "2001:db8::7"]') },
    asked: ["2001:db8::7", "db", "5432"],
    what: /^adds the segment 2001-db8-7 and/,
    lines: [13, 0],
  },
  "an external without a segment": {
    files: { "policies/flow.yaml": FLOW },
    asked: ["db", "printer", "9100"],
    what: /^adds the segment printer and the policy db-to-printer/,
    lines: [13, 0],
  },
  "a host without a segment": {
    files: { "policies/flow.yaml": FLOW },
    asked: ["racks/lone", "db", "5432"],
    what: /^adds the segment racks-lone and/,
    lines: [13, 0],
  },
  "a range of ports of which one is open": {
    files: { "policies/flow.yaml": FLOW },
    asked: ["web", "db", "5432-5440/tcp"],
    what: /^adds 5432-5440\/tcp to the rule flow\/0$/,
    lines: [1, 1],
  },
};

describe("the smallest edit that would allow it", () => {
  // Bug: a patch that git refuses, that changes more than it says, or after which it is still denied.
  it.each(Object.entries(SHAPES))("%s", async (_name, { files, asked = ["web", "db", "5432"], what, lines, path }) => {
    using clone = new SmallClone({ "world.yaml": WORLD, ...files });
    const before = await ask(clone.files(), asked);
    expect(["denied", "some"]).toContain(before.verdict);
    expect(before.edit?.what).toMatch(what);
    if (path !== undefined) expect(before.edit?.file).toBe(path);
    clone.feed(before.edit?.patch ?? "", "apply", "-");
    clone.git("add", "-A");
    expect(clone.git("diff", "--cached", "--numstat").split("\t").slice(0, 2).map(Number)).toEqual(lines);
    expect(await ask(clone.files(), asked)).toMatchObject({ verdict: "allowed", edit: null });
  });

  // Bug: an edit that adds ICMP to a rule at pods, where nothing is rendered of it, so it is still closed afterwards.
  it("is none for ICMP at pods, which no NetworkPolicy can name", async () => {
    const answer = await ask([source("world.yaml", WORLD), source("policies/flow.yaml", FLOW)], ["web", "db", "icmp/8"]);
    expect(answer).toMatchObject({ verdict: "denied", edit: null });
    expect(JSON.stringify(answer.ends)).toContain("NetworkPolicies cannot name ICMP");
  });

  // Bug: an edit that allows one pair of a segment and is shown as if it allowed all.
  it("allows every pair of what was asked about", async () => {
    const answer = await ask([source("world.yaml", WORLD), source("policies/flow.yaml", FLOW)], ["web", "api", "443"]);
    expect(answer.pairs).toEqual({ asked: 1, allowed: 0 });
    expect(answer.edit?.breaks).toEqual([]);
  });

  // Bug: an edit proposed without a word, although a guardrail or a test says that it must not be.
  it("tells the guardrails and tests that it would break", async () => {
    const rest = `---
${HEAD}kind: Guardrail
metadata: {name: closed}
spec: {never: [{from: [api], to: [db], ports: [5432/tcp]}]}
`;
    const tested = FLOW.replace("  rules:", "  tests: [{from: api, to: db, port: 5432/tcp, expect: denied}]\n  rules:");
    const answer = await ask([source("world.yaml", WORLD + rest), source("policies/flow.yaml", tested)], ["api", "db", "5432"]);
    expect(answer.edit?.breaks).toEqual([
      expect.stringMatching(
        /^guardrail closed \(never api → db: 5432\/tcp\): eu shop\/api\[Segment\] → eu shop\/db\[Segment\]: 5432\/tcp, by flow\/1 at /,
      ),
      expect.stringMatching(/^test flow\/tests\/0 \(policies\/flow.yaml:6:\d+\): api → db: 5432\/tcp is denied$/),
    ]);
  });

  // Bug: a pod known by its template's hash, which the next rollout changes; a new segment that isolates its pods.
  it("knows a pod without a segment by the labels that last", async () => {
    const labels = { app: "batch", "pod-template-hash": "5d9f", tier: "back" };
    const pods = [pod("shop/batch-1", labels, "10.244.0.9"), pod("shop/db-1", { app: "db" }, "10.244.0.4")];
    const seen = inventory("eu", { namespaces: [namespace("shop", { team: "shop" })], pods });
    const files = [source("world.yaml", WORLD), source("policies/flow.yaml", FLOW)];
    const world = seenAs(read(files), seen);
    const answer = await explain(world, files, ["eu/shop/batch-1", "db", "5432"]);
    expect(answer.edit?.patch).toContain(
      "+    - {pods: {matchLabels: {app: batch, tier: back}}, namespaces: {matchLabels: {kubernetes.io/metadata.name: shop}}, clusters: {matchLabels: {env: prod}}}\n+  isolate: {ingress: off, egress: off}\n",
    );
  });

  // Bug: an edit for what no rule of ours can open.
  it("says why there is none", async () => {
    const bare = [pod("shop/bare-1", {}, "10.244.0.9"), pod("shop/db-1", { app: "db" }, "10.244.0.4")];
    const files = [source("world.yaml", WORLD)];
    const seen = inventory("eu", { namespaces: [namespace("shop", { team: "shop" })], pods: bare });
    const answer = await explain(seenAs(read(files), seen), files, ["eu/shop/bare-1", "db", "5432"]);
    expect([answer.edit, answer.notes.at(-1)]).toEqual([null, expect.stringContaining("it has no label to know it by")]);
    const other = await explain(seenAs(read(files), seen), files, ["2001:db8::7", "db", "5432"]);
    expect([other.edit, other.notes.at(-1)]).toEqual([null, "2001:db8::7 and eu shop/db-1[Pod] have no address family in common"]);
  });
});

function seenAs(definitions: Definitions, seen: ReturnType<typeof inventory>): ConnectivityWorld {
  return seenWorld(
    definitions,
    { inventories: new Map([["cluster/eu", seen]]), live: undefined, enforcers: new Map(), hosts: new Map() },
    NOW,
  );
}

async function ask(files: readonly SourceFile[], asked: readonly [string, string, string]): Promise<ExplainAnswer> {
  return await explain(madeUpWorld(read(files), NOW), files, asked);
}

async function explain(
  world: ConnectivityWorld,
  files: readonly SourceFile[],
  [from, to, port]: readonly [string, string, string],
) {
  const answer = explainConnection(world, { files, patchPath: (path) => path }, { from, to, port });
  return await withBlame(answer, async () => await Promise.resolve(null));
}

function read(files: readonly SourceFile[]): Definitions {
  const { definitions, notes } = parseDefinitions(files, { allow: undefined });
  if (definitions === undefined) throw new Error(formatNotes(notes));
  return definitions;
}

function source(path: string, text: string): SourceFile {
  return { path, bytes: Buffer.from(text) };
}
