import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatSet } from "../../../core/address/index.ts";
import { listTargets } from "../../../core/model/target.ts";
import { hasErrors } from "../../../core/model/note.ts";
import { parseDefinitions } from "../../../core/model/parse.ts";
import { LIMITS } from "../../../core/model/parse/limits.ts";
import type { SourceFile } from "../../../core/model/source.ts";
import { exampleFiles, head, ORGANISATION, yamlFile } from "./organisation.ts";

function parsed(files: readonly SourceFile[]) {
  const { definitions, notes } = parseDefinitions(files);
  expect(notes.filter(({ severity }) => severity !== "info")).toEqual([]);
  if (definitions === undefined) throw new Error("no definitions");
  return definitions;
}

describe("what definitions say", () => {
  // Catches: a default that differs from docs/design/contracts.md "Definitions", and is therefore not what people read there.
  it("fills in the defaults", () => {
    const { clusters, fleets, segments, externals, workspace } = parsed(ORGANISATION);
    expect(clusters.get("eu")).toMatchObject({
      mode: "plan",
      enforcer: "auto",
      foreign: "report",
      connection: { kind: "context", context: "eu" },
      governs: {
        matchExpressions: [
          { key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-node-lease", "kube-public", "kube-system"] },
        ],
      },
      at: { file: "targets.yaml", line: 1, column: 1 },
    });
    expect(fleets.get("db")).toMatchObject({
      mode: "plan",
      transport: { kind: "ssh", user: "firebreak", port: 22 },
      lifeline: { from: [], ports: [] },
      hosts: [{ name: "db-1", addresses: ["10.20.0.1"], labels: { env: "prod", role: "db" }, at: { line: 12, column: 7 } }],
    });
    expect(segments.get("web")?.isolate).toEqual({ ingress: "enforce", egress: "observe" });
    expect(segments.get("mainframe")?.isolate).toEqual({ ingress: "off", egress: "off" });
    expect(formatSet(externals.get("mainframe")?.addresses ?? { v4: [], v6: [] })).toBe("10.9.0.0/24");
    expect(workspace).toEqual({
      kind: "Workspace",
      internal: [],
      essentials: { dns: true, probes: true, dhcp: true, ntp: true, icmpErrors: true, apiserver: true, webhooks: true },
      limits: { unisolate: 0 },
      approvals: { required: 0, distinctFromAuthor: true, forRules: 0 },
      require: [],
      drift: { default: ["alert", "heal"], overrides: [] },
      routes: [],
      at: undefined,
    });
  });

  // Catches: a cluster without podNetwork taken for routed, so that masqueraded pods would get sets of addresses nobody sees.
  it("takes pods for masqueraded unless told", () => {
    const definitions = parsed([...ORGANISATION, yamlFile("us.yaml", `${head("Cluster", "us")}spec: {inCluster: true}\n`)]);
    expect(definitions.clusters.get("us")).toMatchObject({
      podNetwork: "masqueraded",
      podRanges: [],
      connection: { kind: "inCluster" },
    });
  });

  // Catches: `namespaces` or `fleets` alone read as nothing instead of all their pods or hosts.
  it("reads namespaces and fleets alone as all of theirs", () => {
    const members = "{namespaces: {matchLabels: {team: shop}}, clusters: {}}, {fleets: {}}";
    const text = `${head("Segment", "all")}spec: {members: [${members}]}\n---\n${head("Policy", "all")}spec: {rules: [{from: [all], to: [web], ports: [tcp]}]}\n`;
    const definitions = parsed([...ORGANISATION, yamlFile("all.yaml", text)]);
    expect(definitions.segments.get("all")?.members).toMatchObject([
      { kind: "pods", pods: {}, namespaces: { matchLabels: { team: "shop" } }, clusters: {} },
      { kind: "hosts", hosts: {}, fleets: {} },
    ]);
  });

  // Catches: ports that overlap rendered twice, or `any` read as an empty list.
  it("merges and sorts ports", () => {
    const rules =
      "[{from: [web], to: [db], ports: [90/udp, 10-20/tcp, 15-30/tcp, 31/tcp, 5/tcp]}, {from: [web], to: [db], ports: [any]}]";
    const definitions = parsed([...ORGANISATION, yamlFile("p.yaml", `${head("Policy", "p")}spec: {rules: ${rules}}\n`)]);
    const [first, second] = definitions.policies.get("p")?.rules ?? [];
    expect(first).toMatchObject({
      id: "p/0",
      ports: [
        { protocol: "tcp", from: 5, to: 5 },
        { protocol: "tcp", from: 10, to: 31 },
        { protocol: "udp", from: 90, to: 90 },
      ],
    });
    expect(second).toMatchObject({ id: "p/1", ports: "any" });
  });

  // Catches: `no`, `on` and `1_000` read as YAML 1.1 does, also when a directive asks for it.
  it("reads YAML 1.2 whatever the directive says", () => {
    const text =
      "%YAML 1.1\n---\napiVersion: firebreak.dev/v1alpha1\nkind: External\nmetadata: {name: on, labels: {no: yes, off: 1_000}}\nspec: {addresses: [10.8.0.1]}\n";
    expect(parsed([...ORGANISATION, yamlFile("x.yaml", text)]).externals.get("on")?.labels).toEqual({ no: "yes", off: "1_000" });
  });

  // Catches: an alias read as nothing, or at the wrong anchor.
  it("follows aliases", () => {
    const text = `${head("External", "x")}spec: {addresses: &a [10.8.0.1]}\n---\n${head("External", "y")}spec: {addresses: &a [10.8.0.2], except: []}\n---\n${head("External", "z")}spec: {addresses: &a [10.8.0.4/30], except: &b [10.8.0.5]}\n`;
    const definitions = parsed([...ORGANISATION, yamlFile("x.yaml", text)]);
    expect([...definitions.externals.values()].map(({ addresses }) => formatSet(addresses))).toEqual([
      "10.9.0.0/24",
      "10.8.0.1",
      "10.8.0.2",
      "10.8.0.4, 10.8.0.6/31",
    ]);
    const hosts = "[{name: a, addresses: [10.20.0.8], labels: &l {x: y}}, {name: b, addresses: [10.20.0.9], labels: *l}]";
    const fleet = `${head("HostFleet", "f")}spec: {transport: {ssh: {user: a}}, hosts: ${hosts}}\n`;
    expect(parsed([...ORGANISATION, yamlFile("f.yaml", fleet)]).fleets.get("f")?.hosts[1]?.labels).toEqual({ x: "y" });
  });

  // Catches: maps in order of files, so that a renamed file changes what is rendered first.
  it("sorts by name and lists targets", () => {
    const definitions = parsed(exampleFiles());
    for (const map of [definitions.clusters, definitions.segments, definitions.policies]) {
      expect([...map.keys()]).toEqual([...map.keys()].sort());
    }
    expect(listTargets(definitions).map(({ id }) => id)).toEqual([
      "cluster/shop-eu",
      "cluster/shop-us",
      "host/directory/ldap-blue-1",
      "host/directory/ldap-blue-2",
      "host/directory/ldap-red-1",
      "host/directory/ldap-red-2",
    ]);
  });

  // Catches: nothing at all taken for valid definitions of nobody; that decision belongs to whoever accepts revisions.
  it("reads no files as no definitions, without an error", () => {
    expect(parseDefinitions([])).toMatchObject({ notes: [], definitions: { clusters: new Map(), segments: new Map() } });
  });

  // Catches: an allow list that lets nothing through, or that is not asked.
  it("accepts what the operator allows", () => {
    const allow = { contexts: ["eu"], hosts: [{ family: 4, first: 0x0a140000, length: 16 } as const], users: ["firebreak"] };
    expect(parseDefinitions(ORGANISATION, { allow }).notes).toEqual([]);
    expect(parseDefinitions(ORGANISATION, { allow: {} }).notes.map(({ code }) => code)).toEqual([
      "context-not-allowed",
      "user-not-allowed",
      "host-not-allowed",
    ]);
  });

  // Catches: whoever can merge definitions gets root beside the service's keys, on the machine that the operator never named.
  it("lets no fleet be the service's own machine unless the operator says so", () => {
    const fleet = `apiVersion: firebreak.dev/v1alpha1\nkind: HostFleet\nmetadata: {name: own}\nspec:\n  transport: {local: {}}\n  hosts:\n    - {name: me, addresses: [10.20.0.9]}\n`;
    const files = [{ path: "own.yaml", bytes: Buffer.from(fleet) }];
    const hosts = [{ family: 4, first: 0x0a140000, length: 16 } as const];
    const errorsWith = (allow: object): readonly string[] =>
      parseDefinitions(files, { allow: { hosts, ...allow } }).notes.flatMap(({ severity, code }) =>
        severity === "error" ? [code] : [],
      );
    expect(errorsWith({ users: ["root"] })).toEqual(["local-not-allowed"]);
    expect(errorsWith({ local: false })).toEqual(["local-not-allowed"]);
    expect(errorsWith({ local: true })).toEqual([]);
  });
});

/** Generous, because the machine may be busy; nothing here is a timed test. */
const SLOW = { timeout: 120_000 };

describe("bounds", SLOW, () => {
  // Catches: a file of nonsense that fills the log, a comment or the memory of whoever reads the notes.
  it("cuts a flood of notes and still refuses", () => {
    const rules = Array.from({ length: 5000 }, () => "{from: [nobody], to: [nothing], ports: [0/tcp], x: y}");
    const { definitions, notes } = parseDefinitions([
      ...ORGANISATION,
      yamlFile("flood.yaml", `${head("Policy", "flood")}spec: {rules: [${rules.join(", ")}]}\n`),
    ]);
    expect(definitions).toBeUndefined();
    expect(notes.length).toBe(LIMITS.notesPerFile + 1);
    expect(notes.at(-1)).toMatchObject({ severity: "error", code: "more-notes" });
  });

  // Catches: a bound on one file that many files walk around.
  it("refuses too many definitions and too many bytes", () => {
    const many = Array.from({ length: 5 }, (_, i) => yamlFile(`f${i}.yaml`, "---\na: 1\n".repeat(7_000)));
    expect(parseDefinitions(many).notes.map(({ code }) => code)).toContain("too-many-definitions");
    const large = Array.from({ length: 17 }, (_, i) => yamlFile(`f${i}.yaml`, "#".repeat(LIMITS.fileBytes)));
    expect(parseDefinitions(large).notes.map(({ code }) => code)).toEqual(["too-large"]);
  });

  // Catches: work that grows with the square of the input (YAML key checks, overlap checks, aliases).
  it.each([
    ["keys", Array.from({ length: 100_000 }, (_, i) => `k${i}:`).join("\n")],
    ["aliases", `a: &a x\nb: [${"*a,".repeat(200_000)}]`],
    ["brackets", "[".repeat(500_000)],
    ["documents", "---\na: 1\n".repeat(50_000)],
  ])("refuses many %s", (_, text) => {
    expect(hasErrors(parseDefinitions([yamlFile("x.yaml", text)]).notes)).toBe(true);
  });
});

describe("properties", SLOW, () => {
  const files = exampleFiles().filter(({ path }) => path.endsWith(".yaml"));
  const tokens = [...new Set(files.flatMap(({ bytes }) => new TextDecoder().decode(bytes).split(/([\s{}[\],:/]+)/)))];

  // Catches: input that throws, which would stop the service instead of refusing the revision.
  it("never throws, and has definitions exactly when no note is an error", () => {
    const edit = fc.record({
      file: fc.nat(files.length - 1),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      drop: fc.nat(40),
      put: fc.oneof(
        fc.constantFrom(...tokens).map((token) => new TextEncoder().encode(token)),
        fc
          .constantFrom("&a ", "*a", "!x ", "\t", "---\n", "? ", "|", "'", '"', "[", "}", "<<: ", "null", "__proto__")
          .map((text) => new TextEncoder().encode(text)),
        fc.uint8Array({ maxLength: 6 }),
      ),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        const mutated = files.map((file, index) => edits.filter((one) => one.file === index).reduce(applyEdit, file));
        const { definitions, notes } = parseDefinitions(mutated);
        expect(definitions === undefined).toBe(hasErrors(notes));
        for (const note of notes) {
          expect(note.summary).not.toMatch(/\.$|\n/);
          if (note.at !== undefined) expect(Math.min(note.at.line, note.at.column)).toBeGreaterThanOrEqual(1);
        }
      }),
      { numRuns: 200 },
    );
  });

  // Catches: notes or definitions that depend on the order in which Git lists files.
  it("does not depend on the order of files", () => {
    const broken = [
      ...files,
      ...ORGANISATION,
      yamlFile("odd.yaml", `${head("Segment", "web")}spec: {members: [{hosts: {}}], isolate: 3}\n`),
    ];
    for (const set of [files, broken]) {
      const expected = parseDefinitions(set);
      fc.assert(
        fc.property(fc.shuffledSubarray([...set], { minLength: set.length }), (shuffled) => {
          expect(parseDefinitions(shuffled)).toEqual(expected);
        }),
        { numRuns: 20 },
      );
    }
  });

  function applyEdit(
    file: SourceFile,
    { at, drop, put }: { readonly at: number; readonly drop: number; readonly put: Uint8Array },
  ): SourceFile {
    const start = Math.floor(at * file.bytes.length);
    return { ...file, bytes: Uint8Array.from([...file.bytes.subarray(0, start), ...put, ...file.bytes.subarray(start + drop)]) };
  }
});

describe("what people read", () => {
  const parse = (text: string, path = "a.yaml") =>
    parseDefinitions([{ path, bytes: new TextEncoder().encode(text), mode: "100644" }]);
  const opening = "apiVersion: firebreak.dev/v1alpha1\n";

  // would catch: an escape in quotes that turns a note or a reason around on the reviewer's screen
  it("characters that hide or turn text are refused as escapes too, and are never in a note", () => {
    const hostile = `${opening}kind: Policy\nmetadata: {name: p, labels: {a: "x\\u202e"}}\nspec:\n  reason: "ok \\u2066 no"\n  rules: []\n`;
    const { definitions, notes } = parse(hostile);
    expect(definitions).toBeUndefined();
    expect(notes.map(({ code }) => code)).toEqual(expect.arrayContaining(["bad-label", "bad-text"]));
    expect(JSON.stringify(notes)).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
  });

  // would catch: a file name that writes to the terminal of whoever reads the notes
  it("a file name with control characters is refused, and not repeated", () => {
    const { definitions, notes } = parse(`${opening}kind: Workspace\nspec: {}\n`, "a\u001b[2J\u202e.yaml");
    expect(definitions).toBeUndefined();
    expect(notes).toMatchObject([{ code: "bad-file-name", at: { file: "a\ufffd[2J\ufffd.yaml" } }]);
  });
});
