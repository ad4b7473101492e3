import type { Allow } from "../../../core/model/parse.ts";
import type { SourceFile } from "../../../core/model/source.ts";
import { head, ORGANISATION, yamlFile } from "./organisation.ts";

/** One input that must be refused (or at least noted), with the codes that must be told. */
export interface BadInput {
  readonly name: string;
  readonly codes: readonly string[];
  readonly files: readonly SourceFile[];
  readonly allow?: Allow;
}

const segment = (spec: string, name = "extra") => `${head("Segment", name)}spec:\n${spec}`;
const policy = (spec: string, name = "extra") => `${head("Policy", name)}spec:\n${spec}`;
const cluster = (spec: string, name = "us") => `${head("Cluster", name)}spec:\n${spec}`;
const fleet = (hosts: string, rest = "  transport: {ssh: {user: firebreak}}\n", name = "extra") =>
  `${head("HostFleet", name)}spec:\n${rest}  hosts:\n${hosts}`;
const rule = (text: string) => policy(`  rules:\n    - ${text}\n`);
const bytes = (path: string, content: Uint8Array, mode?: string): readonly SourceFile[] => [
  ...ORGANISATION,
  { path, bytes: content, mode },
];
const extra = (text: string, mode?: string): readonly SourceFile[] => [...ORGANISATION, yamlFile("extra.yaml", text, mode)];
const utf8 = (text: string) => new TextEncoder().encode(text);

const DB_MEMBER = "    - {hosts: {matchLabels: {role: db}}, fleets: {matchLabels: {env: prod}}}\n";

/** Files: what is no text, no YAML, or no ordinary file. */
const FILES: readonly BadInput[] = [
  { name: "file-too-large", codes: ["too-large"], files: bytes("big.yaml", new Uint8Array(10 * 1024 * 1024).fill(35)) },
  { name: "file-symlink", codes: ["symlink"], files: bytes("link.yaml", utf8("segments.yaml"), "120000") },
  { name: "file-symlink-folder", codes: ["symlink"], files: bytes("more", utf8("../elsewhere"), "120000") },
  { name: "file-submodule", codes: ["submodule"], files: bytes("more", new Uint8Array(), "160000") },
  { name: "file-executable", codes: ["executable"], files: extra(rule("{from: [web], to: [db], ports: [any]}"), "100755") },
  { name: "file-binary", codes: ["binary"], files: bytes("logo.yaml", Uint8Array.from([97, 58, 32, 10, 0x50, 0, 1, 2])) },
  { name: "file-not-utf8", codes: ["invalid-utf-8"], files: bytes("latin.yaml", Uint8Array.from([...utf8("# caf"), 0xe9, 10])) },
  { name: "file-utf16", codes: ["byte-order-mark"], files: bytes("wide.yaml", Uint8Array.from([0xff, 0xfe, 97, 0])) },
  { name: "file-byte-order-mark", codes: ["byte-order-mark"], files: bytes("bom.yaml", utf8(`\ufeff${head("Policy", "x")}`)) },
  {
    name: "file-bidi",
    codes: ["control-character"],
    files: extra(`# access only \u202e nimda rof\n${rule("{from: [web], to: [db], ports: [any]}")}`),
  },
  { name: "file-upper-case-suffix", codes: ["bad-suffix"], files: bytes("Segments.YAML", utf8("")) },
  { name: "file-twice", codes: ["duplicate-file"], files: [...ORGANISATION, ...ORGANISATION.slice(2)] },
  { name: "file-too-many", codes: ["too-many-files"], files: Array.from({ length: 5001 }, (_, i) => yamlFile(`f${i}.yaml`, "")) },
  { name: "file-foreign", codes: ["not-a-definition"], files: extra("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n") },
  { name: "file-left-out", codes: ["left-out"], files: bytes(".github/workflows/validate.yml", utf8("on: push\n")) },
];

/** YAML: what is text and no plain data. */
const YAML: readonly BadInput[] = [
  { name: "yaml-tab", codes: ["tab-indentation"], files: extra("kind: Policy\nspec:\n\trules: []\n") },
  { name: "yaml-unclosed", codes: ["yaml-syntax"], files: extra("kind: Policy\nspec: {rules: [\n") },
  {
    name: "yaml-duplicate-key",
    codes: ["duplicate-key"],
    files: extra(`${rule("{from: [web], to: [db], ports: [any]}")}  owner: a\n  owner: b\n`),
  },
  { name: "yaml-alias-bomb", codes: ["alias-bomb"], files: extra(aliasBomb()) },
  { name: "yaml-alias-cycle", codes: ["too-deep"], files: extra("a: &a [*a]\n") },
  { name: "yaml-alias-unknown", codes: ["unknown-alias"], files: extra("a: *nobody\n") },
  { name: "yaml-deep", codes: ["too-deep"], files: extra(`a: ${"[".repeat(5000)}${"]".repeat(5000)}\n`) },
  { name: "yaml-tag", codes: ["tag"], files: extra("a: !!binary aGVsbG8=\n") },
  { name: "yaml-list", codes: ["not-a-definition"], files: extra("- a\n- b\n") },
  {
    name: "yaml-proto",
    codes: ["unknown-key"],
    files: extra(`${head("Policy", "x")}__proto__: {spec: {}}\nspec: {rules: [{from: [web], to: [db], ports: [any]}]}\n`),
  },
  {
    name: "yaml-merge-key",
    codes: ["unknown-key"],
    files: extra(rule("{<<: {from: [web]}, from: [web], to: [db], ports: [any]}")),
  },
];

/** Shape: keys, kinds and types. */
const SHAPE: readonly BadInput[] = [
  { name: "unknown-key", codes: ["unknown-key"], files: extra(segment("  members:\n    - {podz: {}, namespaces: {}}\n")) },
  {
    name: "unknown-key-case",
    codes: ["unknown-key"],
    files: extra(segment("  members:\n    - {externals: {matchlabels: {tier: legacy}}}\n")),
  },
  { name: "unknown-key-far", codes: ["unknown-key"], files: extra(rule("{from: [web], to: [db], ports: [any], comment: hello}")) },
  { name: "unknown-kind", codes: ["unknown-kind"], files: extra(`${head("Segmnet", "x")}spec: {}\n`) },
  {
    name: "wrong-version",
    codes: ["bad-value"],
    files: extra(
      "apiVersion: firebreak.dev/v1\nkind: Policy\nmetadata: {name: x}\nspec: {rules: [{from: [web], to: [db], ports: [any]}]}\n",
    ),
  },
  { name: "no-version", codes: ["missing-field"], files: extra("kind: Policy\nmetadata: {name: x}\nspec: {}\n") },
  { name: "no-kind", codes: ["missing-field"], files: extra("apiVersion: firebreak.dev/v1alpha1\nmetadata: {name: x}\n") },
  { name: "missing-fields", codes: ["missing-field"], files: extra(`${head("Policy", "x")}spec:\n  rules:\n    - from: [web]\n`) },
  { name: "empty-spec", codes: ["wrong-type"], files: extra(`${head("Policy", "x")}spec:\n`) },
  { name: "wrong-types", codes: ["wrong-type"], files: extra(policy("  owner: 7\n  rules: {from: web, to: db}\n")) },
  {
    name: "number-label",
    codes: ["wrong-type"],
    files: extra(
      "apiVersion: firebreak.dev/v1alpha1\nkind: External\nmetadata: {name: x, labels: {version: 2}}\nspec: {addresses: [10.8.0.0/24]}\n",
    ),
  },
  { name: "text-for-list", codes: ["wrong-type"], files: extra(rule("{from: web, to: [db], ports: 443/tcp}")) },
  {
    name: "unsupported-fields",
    codes: ["unsupported-field"],
    files: extra(`${head("Workspace", "x")}spec: {rollout: {}, approvals: {}, routes: []}\n`),
  },
  {
    name: "unsupported-values",
    codes: ["unsupported-value"],
    files: extra(`${head("Workspace", "x")}spec: {essentials: {probes: false}}\n`),
  },
  {
    name: "bad-values",
    codes: ["bad-value"],
    files: extra(`${cluster("  context: us\n  mode: aply\n  enforcer: calcio\n  foreign: delete\n")}`),
  },
  {
    name: "bad-responses",
    codes: ["bad-value"],
    files: extra(`${head("Workspace", "x")}spec: {drift: {default: [propose, holt]}}\n`),
  },
  { name: "boolean-isolate", codes: ["bad-value"], files: extra(segment(`  members:\n${DB_MEMBER}  isolate: {ingress: true}\n`)) },
  {
    name: "empty-lists",
    codes: ["empty-list"],
    files: extra(
      `${segment("  members: []\n")}---\n${policy("  rules: []\n")}---\n${policy("  rules:\n    - {from: [], to: [], ports: []}\n", "more")}`,
    ),
  },
  {
    name: "bad-names",
    codes: ["bad-name"],
    files: extra(
      `${head("Segment", "OrderInput")}spec:\n  members:\n${DB_MEMBER}---\n${head("Policy", `"${"x".repeat(64)}"`)}spec: {rules: [{from: [web], to: [db], ports: [any]}]}\n`,
    ),
  },
  {
    name: "bad-labels",
    codes: ["bad-label"],
    files: extra(
      "apiVersion: firebreak.dev/v1alpha1\nkind: External\nmetadata: {name: x, labels: {-a: b, Ex_ample/c: d, e: 'f g'}}\nspec: {addresses: [10.8.0.0/24]}\n",
    ),
  },
  {
    name: "bad-prose",
    codes: ["bad-text", "empty-text"],
    files: extra(policy('  owner: "a\\nb"\n  reason: " "\n  rules:\n    - {from: [web], to: [db], ports: [any]}\n')),
  },
];

/** Values: addresses, ports, selectors, users. */
const VALUES: readonly BadInput[] = [
  {
    name: "bad-cidr",
    codes: ["bad-cidr"],
    files: extra(segment("  members:\n    - {addresses: [10.0.0.0/33, 10.0.1, db.example.com, '10.0.0.0/8/8', 010.0.0.0/8]}\n")),
  },
  {
    name: "host-bits",
    codes: ["bad-cidr"],
    files: extra(segment("  members:\n    - {addresses: [10.9.8.7/24, '2001:db8::1/32', '::ffff:10.0.0.0/104']}\n")),
  },
  {
    name: "bad-ports",
    codes: ["bad-port"],
    files: extra(
      rule(
        "{from: [web], to: [db], ports: [0/tcp, 65536/tcp, 90-80/udp, 443, 443/TCP, '-1/tcp', 1-2-3/tcp, '', 8443/tcp/x, 022/tcp, 1-08/udp, 0x16/tcp, 1e3/tcp]}",
      ),
    ),
  },
  { name: "port-number", codes: ["wrong-type"], files: extra(rule("{from: [web], to: [db], ports: [8443]}")) },
  { name: "port-any-beside", codes: ["bad-port"], files: extra(rule("{from: [web], to: [db], ports: [443/tcp, any]}")) },
  {
    name: "bad-selector",
    codes: ["bad-selector", "bad-value"],
    files: extra(
      segment(
        "  members:\n    - externals: {matchExpressions: [{key: a, operator: In}, {key: a, operator: Exists, values: [b]}, {key: a, operator: Gt, values: ['1']}]}\n",
      ),
    ),
  },
  {
    name: "host-option",
    codes: ["bad-name", "bad-address"],
    files: extra(fleet("    - {name: -oProxyCommand=touch, addresses: [-oProxyCommand=touch]}\n")),
  },
  {
    name: "host-addresses",
    codes: ["bad-address"],
    files: extra(
      fleet(
        "    - {name: a, addresses: [db.example.com]}\n    - {name: b, addresses: [127.0.0.1, 'fe80::1', 'fe80::1%eth0', 0.0.0.0, 224.0.0.1]}\n",
      ),
    ),
  },
  {
    name: "bad-user",
    codes: ["bad-user", "bad-number"],
    files: extra(fleet("    - {name: a, addresses: [10.20.0.9]}\n", "  transport: {ssh: {user: '-root', port: 0}}\n")),
  },
  {
    name: "bad-transport",
    codes: ["bad-transport"],
    files: extra(
      `${fleet("    - {name: a, addresses: [10.20.0.8]}\n", "  transport: {}\n")}---\n${fleet("    - {name: b, addresses: [10.20.0.9]}\n", "  transport: {local: {}, ssh: {user: a}}\n", "more")}`,
    ),
  },
  {
    name: "bad-connection",
    codes: ["bad-connection"],
    files: extra(`${cluster("  mode: plan\n")}---\n${cluster("  context: a\n  inCluster: true\n", "ap")}`),
  },
  {
    name: "except-outside",
    codes: ["except-outside", "empty-addresses"],
    files: extra(
      `${head("External", "a")}spec: {addresses: [10.8.0.0/24], except: [10.7.0.1]}\n---\n${head("External", "b")}spec: {addresses: [10.8.0.0/24], except: [10.8.0.0/24]}\n`,
    ),
  },
  {
    name: "bad-members",
    codes: ["bad-member"],
    files: extra(
      segment(
        "  members:\n    - {}\n    - {pods: {}}\n    - {clusters: {}}\n    - {pods: {}, namespaces: {}, addresses: [10.0.0.1]}\n",
      ),
    ),
  },
];

/** What fits by itself and not together. */
const TOGETHER: readonly BadInput[] = [
  { name: "dangling-segment", codes: ["unknown-segment"], files: extra(rule("{from: [wbe], to: [inventory], ports: [any]}")) },
  {
    name: "dangling-in-broken-policy",
    codes: ["unknown-segment", "bad-port"],
    files: extra(rule("{from: [wbe], to: [db], ports: [0/tcp]}")),
  },
  {
    name: "duplicate-names",
    codes: ["duplicate-name"],
    files: extra(
      `${segment(`  members:\n${DB_MEMBER}`, "web")}---\n${rule("{from: [web], to: [db], ports: [any]}").replace("extra", "shop")}`,
    ),
  },
  {
    name: "reserved-names",
    codes: ["reserved-name"],
    files: extra(
      `${segment(`  members:\n${DB_MEMBER}`, "internet")}---\n${rule("{from: [workloads], to: [db], ports: [any]}").replace("extra", "builtin")}`,
    ),
  },
  {
    name: "two-workspaces",
    codes: ["duplicate-workspace"],
    files: extra(
      "apiVersion: firebreak.dev/v1alpha1\nkind: Workspace\nspec: {}\n---\napiVersion: firebreak.dev/v1alpha1\nkind: Workspace\nspec: {}\n",
    ),
  },
  { name: "any-to-any", codes: ["any-to-any"], files: extra(rule("{from: [any], to: [any], ports: [any]}")) },
  {
    name: "odd-rules",
    codes: ["redundant-any", "repeated-name", "unenforceable-rule"],
    files: extra(
      policy(
        "  rules:\n    - {from: [any, web], to: [db, db], ports: [any]}\n    - {from: [internet], to: [mainframe], ports: [any]}\n",
      ),
    ),
  },
  {
    name: "isolate-peers",
    codes: ["isolate-peers"],
    files: extra(segment("  members:\n    - {addresses: [10.8.0.0/24]}\n  isolate: {ingress: enforce}\n")),
  },
  {
    name: "required-fields",
    codes: ["required-field"],
    files: extra(
      `apiVersion: firebreak.dev/v1alpha1\nkind: Workspace\nspec: {require: [owner, ticket]}\n---\n${rule("{from: [web], to: [db], ports: [any]}")}`,
    ),
  },
  { name: "same-context", codes: ["duplicate-connection"], files: extra(cluster("  context: eu\n")) },
  { name: "host-names-twice", codes: ["duplicate-host"], files: extra(fleet("    - {name: db-1, addresses: [10.20.0.9]}\n")) },
  {
    name: "two-local-hosts",
    codes: ["duplicate-local"],
    files: extra(
      fleet("    - {name: a, addresses: [10.20.0.8]}\n    - {name: b, addresses: [10.20.0.9]}\n", "  transport: {local: {}}\n"),
    ),
  },
  {
    name: "overlapping-ranges",
    codes: ["overlapping-addresses"],
    files: extra(cluster("  context: us\n  podNetwork: routed\n  podRanges: [10.244.128.0/17, 10.20.0.0/24]\n")),
  },
  {
    name: "addresses-twice",
    codes: ["overlapping-addresses", "repeated-address"],
    files: extra(
      fleet(
        "    - {name: a, addresses: [10.20.0.1]}\n    - {name: b, addresses: ['fd00::1', 'fd00:0::1']}\n    - {name: c, addresses: [10.244.3.4]}\n",
      ),
    ),
  },
  {
    name: "managed-internet",
    codes: ["managed-internet"],
    files: extra(
      `${fleet("    - {name: a, addresses: [8.8.8.8]}\n")}---\n${cluster("  context: us\n  podNetwork: routed\n  podRanges: ['2600:1000::/64']\n")}`,
    ),
  },
  {
    name: "wide-internal",
    codes: ["wide-internal"],
    files: extra("apiVersion: firebreak.dev/v1alpha1\nkind: Workspace\nspec: {internal: [0.0.0.0/0]}\n"),
  },
  {
    name: "contradictory-selector",
    codes: ["contradictory-selector"],
    files: extra(
      `${segment("  members:\n    - pods: {matchLabels: {a: b}, matchExpressions: [{key: a, operator: NotIn, values: [b]}]}\n      namespaces: {}\n      clusters: {}\n", "odd")}---\n${rule("{from: [odd], to: [db], ports: [any]}")}`,
    ),
  },
  {
    name: "matches-nothing",
    codes: ["matches-nothing"],
    files: extra(
      `${segment("  members:\n    - {externals: {matchLabels: {tier: legcay}}}\n    - {hosts: {matchLabels: {role: cache}}, fleets: {matchLabels: {env: dev}}}\n", "odd")}---\n${rule("{from: [odd], to: [db], ports: [any]}")}`,
    ),
  },
  {
    name: "odd-targets",
    codes: ["no-enforcer", "routed-without-ranges", "governs-system", "wide-lifeline"],
    files: extra(
      `${cluster("  context: us\n  enforcer: none\n  podNetwork: routed\n  governs: {}\n")}---\n${fleet("    - {name: a, addresses: [10.20.0.9]}\n", "  transport: {ssh: {user: a}}\n  lifeline: {from: [0.0.0.0/0], ports: [22/tcp]}\n")}`,
    ),
  },
  {
    name: "wide-members",
    codes: ["every-cluster", "every-fleet", "pod-labels-alone", "covers-managed", "unused-segment"],
    files: extra(
      `${segment("  members:\n    - {pods: {matchLabels: {app: a}}, namespaces: {}}\n    - {hosts: {}}\n    - {addresses: [10.0.0.0/8]}\n", "wide")}---\n${rule("{from: [wide], to: [db], ports: [any]}")}---\n${segment(`  members:\n${DB_MEMBER}`, "idle")}`,
    ),
  },
  {
    name: "not-allowed",
    codes: ["context-not-allowed", "host-not-allowed", "user-not-allowed"],
    files: ORGANISATION,
    allow: { contexts: ["us"], users: ["deploy"] },
  },
];

/** Member kinds beside labels, nesting and what is taken away. */
const NESTING: readonly BadInput[] = [
  {
    name: "bad-member-kinds",
    codes: ["bad-member", "missing-field", "bad-name"],
    files: extra(
      segment(
        [
          "  members:",
          "    - {service: {namespace: shop}}",
          "    - {service: {namespace: Shop, name: web}}",
          "    - {service: {namespace: shop, name: web}, pods: {}}",
          "    - {boundary: {clusters: {}}}",
          "    - {boundary: {side: ingress}, clusters: {}}",
          "    - {segments: [web], clusters: {}}",
          "    - {segments: []}",
          "    - {segments: web}\n",
        ].join("\n"),
      ),
    ),
  },
  {
    name: "dangling-nested",
    codes: ["unknown-segment", "reserved-name"],
    files: extra(segment("  members: [{segments: [wbe, internet]}]\n  not: [{segments: [workloads, mainfame]}]\n")),
  },
  {
    name: "segment-cycle",
    codes: ["segment-cycle"],
    files: extra(
      [
        segment("  members: [{segments: [a]}]\n", "a"),
        segment("  members: [{segments: [web, c]}]\n", "b"),
        segment("  members: [{segments: [web]}]\n  not: [{segments: [d]}]\n", "c"),
        segment("  members: [{segments: [b]}]\n", "d"),
      ].join("---\n"),
    ),
  },
  {
    name: "segment-too-deep",
    codes: ["too-deep"],
    files: extra(
      [
        ...Array.from({ length: 40 }, (_, i) => segment(`  members: [{segments: [${i === 0 ? "web" : `s${i - 1}`}]}]\n`, `s${i}`)),
        rule("{from: [s39], to: [db], ports: [80/tcp]}"),
      ].join("---\n"),
    ),
  },
  {
    name: "peers-only-nested",
    codes: ["isolate-peers", "needs-peers", "sealed-peers"],
    files: extra(
      `${segment("  members: [{segments: [mainframe]}, {boundary: {clusters: {}, side: egress}}]\n  isolate: {ingress: observe}\n  needs: [apiserver]\n  sealed: true\n")}---\n${rule("{from: [mainframe], to: [extra], ports: [any]}")}`,
    ),
  },
  {
    name: "not-unlike",
    codes: ["not-unlike", "not-in-part"],
    files: extra(
      [
        segment(
          "  members: [{segments: [web]}]\n  not: [{addresses: [10.9.0.0/24]}, {segments: [mainframe]}, {fleets: {}}]\n",
          "a",
        ),
        segment("  members: [{segments: [mainframe]}]\n  not: [{segments: [web]}]\n", "b"),
        segment("  members: [{segments: [web]}, {segments: [mainframe]}]\n  not: [{segments: [mainframe]}]\n", "c"),
        rule("{from: [b], to: [a, c], ports: [any]}"),
      ].join("---\n"),
    ),
  },
  {
    name: "nested-pod-labels",
    codes: ["pod-labels-alone", "every-cluster"],
    files: extra(
      [
        segment("  members: [{pods: {matchLabels: {app: x}}, namespaces: {}, clusters: {}}]\n", "loose"),
        segment(
          "  members: [{segments: [loose]}, {service: {namespace: shop, name: web}}, {boundary: {side: ingress}}]\n",
          "outer",
        ),
        rule("{from: [outer], to: [web], ports: [80/tcp]}"),
      ].join("---\n"),
    ),
  },
];

/** Conditions, ends of time, tests and guardrails. */
const CLAIMS: readonly BadInput[] = [
  {
    name: "same-without-labels",
    codes: ["same-without-labels", "bad-label", "empty-list", "repeated-name"],
    files: extra(
      [
        segment("  members: [{addresses: [10.9.0.0/24]}, {segments: [web]}]\n", "mixed"),
        segment("  members: [{boundary: {clusters: {}, side: ingress}}]\n", "edge"),
        segment("  members: [{segments: [edge]}]\n", "outer"),
        policy(
          "  rules:\n    - {from: [any], to: [web], ports: [any], same: [color, color]}\n    - {from: [mixed, internet], to: [outer], ports: [any], same: [color]}\n",
        ),
        policy(
          "  rules:\n    - {from: [web], to: [db], ports: [any], same: []}\n    - {from: [web], to: [db], ports: [any], same: [-a]}\n",
          "b",
        ),
        `${head("Guardrail", "g")}spec: {never: [{from: [workloads], reaches: [web], ports: [any], same: [color]}]}\n`,
      ].join("---\n"),
    ),
  },
  {
    name: "bad-expires",
    codes: ["bad-moment", "wrong-type"],
    files: extra(
      ["2027-02-30", "2027-06-30T10:00:00", "tomorrow", "'2027-6-3'", "20270630", "2027-06-30 10:00", "2027-06-30T25:00Z"]
        .map((text, i) => policy(`  expires: ${text}\n  rules:\n    - {from: [web], to: [db], ports: [any]}\n`, `p${i}`))
        .join("---\n"),
    ),
  },
  {
    name: "bad-tests",
    codes: ["unknown-segment", "unknown-host", "bad-address", "reserved-name", "bad-port", "bad-value"],
    files: extra(
      `${policy(
        [
          "  rules:",
          "    - {from: [web], to: [db], ports: [any]}",
          "  tests:",
          "    - {from: wbe, to: db/db-1, port: 80/tcp, expect: allowed}",
          "    - {from: web, to: db/db-2, port: 80/tcp, expect: allowed}",
          "    - {from: 10.0.0.0/8, to: '::ffff:10.1.2.3', port: 80/tcp, expect: denied}",
          "    - {from: workloads, to: 10.1.2.300, port: 80/tcp, expect: denied}",
          "    - {from: 'a b/c', to: internet, port: 80/tcp, expect: denied}\n",
        ].join("\n"),
      )}---\n${policy("  rules:\n    - {from: [web], to: [db], ports: [any]}\n  tests:\n    - {from: web, to: db, port: any, expect: open}\n", "more")}`,
    ),
  },
  {
    name: "bad-guardrails",
    codes: ["bad-guardrail", "unknown-key", "missing-field", "bad-value", "unknown-segment"],
    files: extra(
      [
        `${head("Guardrail", "a")}spec: {never: []}\n`,
        `${head("Guardrail", "b")}spec: {severity: error, never: [{from: [web], ports: [any]}]}\n`,
        `${head("Guardrail", "c")}spec: {always: [{from: [web], to: [db], reaches: [db], ports: [any]}, {from: [web], to: [db]}]}\n`,
        `${head("Guardrail", "d")}spec: {rules: []}\n`,
        `${head("Guardrail", "e")}spec: {never: [{from: [workload], reaches: [dbs], ports: [any]}]}\n`,
        `${head("Guardrail", "e")}spec: {always: [{from: [workloads, workloads], to: [any, web], ports: [80/tcp]}]}\n`,
      ].join("---\n"),
    ),
  },
  {
    name: "bad-icmp-and-names",
    codes: ["bad-port"],
    files: extra(
      rule(
        "{from: [web], to: [db], ports: [icmp/256, icmp/8/300, icmp/echo, 8/icmp, ICMP, Http/tcp, a-very-long-port-name/tcp, a--b/tcp, http]}",
      ),
    ),
  },
  {
    name: "named-lifeline",
    codes: ["bad-port"],
    files: extra(
      fleet(
        "    - {name: a, addresses: [10.20.0.9]}\n",
        "  transport: {ssh: {user: a}}\n  lifeline: {from: [10.0.0.0/8], ports: [ssh/tcp, icmp, x]}\n",
      ),
    ),
  },
  {
    name: "required-expires",
    codes: ["required-field"],
    files: extra(
      `apiVersion: firebreak.dev/v1alpha1\nkind: Workspace\nspec: {require: [expires]}\n---\n${policy("  expires: 2099-01-01\n  rules:\n    - {from: [web], to: [db], ports: [any]}\n")}`,
    ),
  },
  {
    name: "unicode",
    codes: ["bad-name", "bad-label", "unknown-segment"],
    files: extra(
      [
        segment(`  members:\n${DB_MEMBER}`, "größe"),
        segment(`  members:\n${DB_MEMBER}`, "баз"),
        segment("  members: [{externals: {matchLabels: {tier: \u5c64}}}]\n", "tier"),
        rule("{from: [größe, w\u0435b], to: [db], ports: [any]}"),
      ].join("---\n"),
    ),
  },
];

/** What is there twice, or for nothing. */
const REDUNDANT: readonly BadInput[] = [
  {
    name: "duplicate-rules",
    codes: ["duplicate-rule", "shadowed-rule"],
    files: extra(
      [
        segment("  members: [{segments: [web]}, {segments: [db]}]\n", "all"),
        segment("  members: [{segments: [web]}]\n  not: [{segments: [db]}]\n", "some"),
        policy(
          [
            "  rules:",
            "    - {from: [db, web], to: [db], ports: [80/tcp, 81/tcp]}",
            "    - {from: [web, db], to: [db], ports: [80-81/tcp]}",
            "    - {from: [web], to: [db], ports: [81/tcp]}",
            "    - {from: [web], to: [db], ports: [http/tcp]}",
            "    - {from: [web], to: [db], ports: [http/tcp], same: [color]}",
            "    - {from: [web], to: [mainframe], ports: [icmp/8, 1-2/udp]}",
            "    - {from: [all], to: [mainframe], ports: [icmp, 1/udp, 2/udp]}",
            "    - {from: [some], to: [mainframe], ports: [1/udp, icmp/3/4]}",
            "    - {from: [any, web], to: [all], ports: [any]}",
            "    - {from: [internet], to: [web], ports: [443/tcp]}\n",
          ].join("\n"),
        ),
        policy("  expires: 2090-01-01\n  rules:\n    - {from: [db], to: [any], ports: [any]}\n", "until"),
        policy("  expires: 2080-01-01\n  rules:\n    - {from: [db], to: [mainframe], ports: [7/tcp]}\n", "until-earlier"),
        policy("  expires: 2095-01-01\n  rules:\n    - {from: [db], to: [mainframe], ports: [8/tcp]}\n", "until-later"),
      ].join("---\n"),
    ),
  },
  {
    name: "unused",
    codes: ["unused-segment", "unused-external"],
    files: extra(
      [
        `${head("External", "old")}spec: {addresses: [10.7.0.0/24, 10.7.0.0/16, 10.7.128.0/17]}\n`,
        segment(`  members:\n${DB_MEMBER}`, "forgotten"),
        segment("  members: [{segments: [forgotten]}]\n", "forgotten-too"),
        segment(`  members:\n${DB_MEMBER}  isolate: {egress: enforce}\n`, "closes"),
        segment(`  members:\n${DB_MEMBER}  not: [{segments: [taken-away]}]\n  sealed: true\n`, "seals"),
        segment(`  members:\n${DB_MEMBER}`, "taken-away"),
        segment(`  members:\n${DB_MEMBER}`, "guarded"),
        `${head("Guardrail", "g")}spec: {never: [{from: [internet], to: [guarded], ports: [any]}]}\n`,
      ].join("---\n"),
    ),
  },
];

/** Every bad input, by name. */
export const BAD_INPUTS: readonly BadInput[] = [
  ...FILES,
  ...YAML,
  ...SHAPE,
  ...VALUES,
  ...TOGETHER,
  ...NESTING,
  ...CLAIMS,
  ...REDUNDANT,
];

function aliasBomb(): string {
  const levels = ["a: &l0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let level = 1; level <= 9; level += 1) {
    levels.push(`l${level}: &l${level} [${Array.from({ length: 10 }, () => `*l${level - 1}`).join(", ")}]`);
  }
  return `${levels.join("\n")}\n`;
}
