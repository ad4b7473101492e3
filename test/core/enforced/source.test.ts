import { describe, expect, test } from "vitest";
import { formatPorts } from "../../../core/address/ports.ts";
import { liveSource, renderedSource } from "../../../core/enforced/source.ts";
import type { LiveTarget } from "../../../core/enforced/target.ts";
import { estateOf } from "../../../core/estate/build.ts";
import type { Workload } from "../../../core/estate/estate.ts";
import type { Direction } from "../../../core/model/kinds.ts";
import type { End, Party, Source } from "../../../core/reach/source.ts";
import {
  addresses,
  app,
  cluster,
  definitions,
  external,
  externalsMember,
  fleet,
  hostsMember,
  inventory,
  namespace,
  pod,
  policy,
  rule,
  segment,
} from "../../support/definitions.ts";
import { parseListing, inScratchNamespace } from "../../support/nft-kernel.ts";
import { renderAll } from "./render-all.ts";

const eu = inventory("eu", {
  namespaces: [namespace("shop"), namespace("tools")],
  nodes: [{ name: "node-1", addresses: ["192.0.2.1"] }],
  pods: [
    pod("shop/web-1", { app: "web" }, "10.1.0.1"),
    pod("shop/web-2", { app: "web" }, "10.1.0.2"),
    pod("shop/db-1", { app: "db" }, "10.1.0.9", { ports: [{ name: "sql", protocol: "tcp", port: 5432 }] }),
    pod("tools/agent-1", { app: "agent" }, "192.0.2.1", { hostNetwork: true }),
  ],
});
const us = inventory("us", {
  namespaces: [namespace("shop")],
  nodes: [{ name: "node-1", addresses: ["192.0.2.2"] }],
  pods: [pod("shop/web-1", { app: "web" }, "10.244.0.1"), pod("shop/new", { app: "web" })],
});
const defs = definitions({
  clusters: [cluster("eu"), cluster("us", { podNetwork: "masqueraded", mode: "plan" })],
  fleets: [
    fleet("dir", [
      { name: "ldap-1", addresses: ["10.20.0.11"], labels: { role: "ldap" } },
      { name: "ldap-2", addresses: ["10.20.0.12"], labels: { role: "ldap" } },
      { name: "other", addresses: ["10.20.0.13"], labels: { role: "none" } },
    ]),
  ],
  externals: [external("mainframe", { tier: "legacy" }, "10.9.0.0/24")],
  segments: [
    segment("web", [app("web")], "observe", "observe"),
    segment("db", [app("db")], "enforce", "observe"),
    segment("ldap", [hostsMember({ matchLabels: { role: "ldap" } })], "enforce", "observe"),
    segment("legacy", [externalsMember({ matchLabels: { tier: "legacy" } })]),
  ],
  policies: [
    policy("order", rule("web", "db", "5432/tcp"), rule("ldap", "db", "5433/tcp")),
    policy("login", rule("web, legacy", "ldap", "636/tcp")),
  ],
});

const { estate, rendered } = renderAll(defs, [eu, us]);

function workload(id: string): Workload {
  const found = estate.workloads.find((one) => one.id === id);
  if (found === undefined) throw new Error(id);
  return found;
}

function party(name: string): Party {
  return /^[0-9]/.test(name) ? { kind: "addresses", addresses: addresses(name) } : { kind: "workload", workload: workload(name) };
}

/** `enforced: 5432/tcp`. */
function words({ mode, ports }: End): string {
  return `${mode}: ${formatPorts(ports)}`;
}

function ask(source: Source, direction: Direction, subject: string, peer: string): string {
  return words(source.end(direction, party(subject), party(peer)));
}

describe("renderedSource", () => {
  const source = renderedSource(estate, rendered);

  // Bug: a peer of another target looked up by labels, or one of the same cluster by its address only.
  test.each([
    ["ingress", "cluster/eu/shop/db-1", "cluster/eu/shop/web-1", "enforced: 5432/tcp"],
    ["ingress", "cluster/eu/shop/db-1", "cluster/eu/shop/db-1", "enforced: any"],
    ["ingress", "cluster/eu/shop/db-1", "cluster/us/shop/web-1", "enforced: 5432/tcp"],
    ["ingress", "cluster/eu/shop/db-1", "192.0.2.2/32", "enforced: 5432/tcp"],
    ["ingress", "cluster/eu/shop/db-1", "host/dir/ldap-1", "enforced: 5433/tcp"],
    ["ingress", "cluster/eu/shop/db-1", "host/dir/other", "enforced: nothing"],
    ["ingress", "cluster/eu/shop/db-1", "cluster/eu/tools/agent-1", "enforced: nothing"],
    ["ingress", "cluster/eu/shop/db-1", "10.244.0.1/32", "enforced: nothing"],
    ["egress", "cluster/eu/shop/db-1", "cluster/eu/shop/web-1", "open: any"],
    ["ingress", "cluster/eu/shop/web-1", "8.8.8.8/32", "open: any"],
    ["ingress", "cluster/eu/tools/agent-1", "8.8.8.8/32", "open: any"],
    ["ingress", "cluster/us/shop/web-1", "cluster/eu/shop/web-1", "unmanaged: any"],
    ["ingress", "external/mainframe", "cluster/eu/shop/web-1", "unmanaged: any"],
    ["ingress", "10.9.9.9/32", "cluster/eu/shop/web-1", "unmanaged: any"],
    ["ingress", "host/dir/ldap-1", "host/dir/ldap-1", "enforced: any"],
    ["ingress", "host/dir/other", "10.9.0.1/32", "open: any"],
  ] as const)("%s of %s, peer %s: %s", (direction, subject, peer, expected) => {
    expect(ask(source, direction, subject, peer)).toBe(expected);
  });

  // Bug: an open way into a host missed, or the structural ones (ICMP errors, DHCP) lost.
  test.each([
    ["external/mainframe", true],
    ["cluster/eu/shop/web-2", true],
    ["cluster/us/shop/web-1", true],
    ["host/dir/ldap-2", false],
    ["8.8.8.8/32", false],
  ])("a host lets 636/tcp in from %s: %s", (peer, allowed) => {
    const end = source.end("ingress", party("host/dir/ldap-1"), party(peer));
    expect(end.mode).toBe("enforced");
    expect(formatPorts(end.ports)).toBe(`${allowed ? "636/tcp, " : ""}68/udp, icmp/3, icmp/11-12`);
    expect(source.explain("ingress", party("host/dir/ldap-1"), party(peer), "tcp", 636).allowed).toBe(allowed);
  });

  // Bug: observe taken for open, so nobody learns what enforcing would leave.
  test("a direction that only observes says what enforcing would leave", () => {
    const end = source.end("egress", party("host/dir/ldap-1"), party("8.8.8.8/32"));
    expect(end.mode).toBe("observed");
    expect(formatPorts(end.ports)).toBe("67/udp, icmp/3, icmp/11-12");
  });

  // Bug: a class per workload, so that a matrix of 100,000 workloads never ends.
  test("keys join what cannot be told apart, and only that", () => {
    const key = (id: string): string => source.keyOf(workload(id));
    expect(key("cluster/eu/shop/web-1")).toBe(key("cluster/eu/shop/web-2"));
    expect(key("host/dir/ldap-1")).toBe(key("host/dir/ldap-2"));
    expect(key("host/dir/ldap-1")).not.toBe(key("host/dir/other"));
    expect(key("cluster/eu/shop/web-1")).not.toBe(key("cluster/eu/shop/db-1"));
    expect(key("cluster/us/shop/web-1")).not.toBe(key("cluster/eu/shop/web-1"));
    expect(key("cluster/us/shop/new")).not.toBe(key("cluster/us/shop/web-1"));
    expect(source.endKey("ingress", workload("host/dir/ldap-1"))).toBe(source.endKey("ingress", workload("host/dir/ldap-2")));
    expect(source.endKey("egress", workload("cluster/eu/shop/db-1"))).toBe("open");
  });

  test("the reason names the object, or the chain, that decides", () => {
    const db = party("cluster/eu/shop/db-1");
    const allowed = source.explain("ingress", db, party("cluster/us/shop/web-1"), "tcp", 5432);
    expect(allowed).toMatchObject({ allowed: true, mode: "enforced" });
    expect(allowed.origins[0]).toMatch(/^shop\/fb-db-i-/);
    const denied = source.explain("ingress", db, party("host/dir/other"), "tcp", 5432);
    expect(denied).toMatchObject({ allowed: false, origins: [] });
    expect(denied.isolatedBy[0]).toMatch(/^shop\/fb-db-i-/);
    const host = source.explain("ingress", party("host/dir/ldap-1"), party("external/mainframe"), "tcp", 636);
    expect(host.text).toBe("10.9.0.0: inet firebreak in_tcp_636 accepts it (counter in/login/0)");
    const dropped = source.explain("ingress", party("host/dir/ldap-1"), party("external/mainframe"), "tcp", 22);
    expect(dropped.text).toBe("10.9.0.0: inet firebreak input drops it (counter in/deny)");
  });

  // Bug: the hole that no policy closes is never told.
  test("a refused node is told to reach its own pods", () => {
    const reason = source.explain("ingress", party("cluster/eu/shop/db-1"), party("192.0.2.1/32"), "tcp", 5432);
    expect(reason.text).toMatch(/; but node node-1 always reaches the pods it runs$/);
  });

  // Bug: a cluster whose network plugin enforces nothing counted as closed.
  test("without an enforcer every policy is a text", () => {
    const none = renderedSource(estate, rendered, new Map([["cluster/eu", "none"]]));
    expect(ask(none, "ingress", "cluster/eu/shop/db-1", "8.8.8.8/32")).toBe("open: any");
  });
});

describe("liveSource", () => {
  const deny = {
    kind: "NetworkPolicy",
    metadata: { name: "deny", namespace: "shop" },
    spec: { podSelector: {}, policyTypes: ["Ingress"] },
  };
  const named = {
    kind: "NetworkPolicy",
    metadata: { name: "sql", namespace: "shop" },
    spec: { podSelector: { matchLabels: { app: "db" } }, ingress: [{ ports: [{ port: "sql" }] }] },
  };
  const pass = {
    kind: "AdminNetworkPolicy",
    metadata: { name: "monitoring" },
    spec: {
      priority: 5,
      subject: { namespaces: {} },
      ingress: [
        { name: "scrape", action: "Allow", from: [{ namespaces: {} }], ports: [{ portNumber: { protocol: "TCP", port: 9100 } }] },
      ],
    },
  };
  const seen = (policies: readonly unknown[], completeness: LiveTarget["completeness"] = "complete"): LiveTarget => ({
    kind: "cluster",
    completeness,
    policies: policies.map((object) => ({ object: object as typeof deny })),
    tierPolicies: [pass],
  });

  // Bug: only policies of ours looked at; a plan target taken for one that enforces nothing.
  test("anybody's policies count, of every tier, in whatever mode the target is", () => {
    const source = liveSource(
      estate,
      new Map([
        ["cluster/eu", seen([deny, named])],
        ["cluster/us", seen([deny])],
      ]),
    );
    expect(ask(source, "ingress", "cluster/eu/shop/db-1", "cluster/eu/shop/web-1")).toBe("enforced: 5432/tcp, 9100/tcp");
    expect(ask(source, "ingress", "cluster/eu/shop/db-1", "8.8.8.8/32")).toBe("enforced: 5432/tcp");
    expect(ask(source, "ingress", "cluster/us/shop/web-1", "8.8.8.8/32")).toBe("enforced: nothing");
    const reason = source.explain("ingress", party("cluster/eu/shop/db-1"), party("cluster/eu/shop/web-1"), "tcp", 9100);
    expect(reason.text).toBe("AdminNetworkPolicy monitoring ingress rule 1 allows it");
  });

  // Bug: a failed look read as "no policies", and said with certainty.
  test("what was not seen, or only in part, is uncertain", () => {
    const source = liveSource(
      estate,
      new Map([
        ["cluster/eu", seen([], "partial")],
        ["cluster/us", seen([deny], "failed")],
      ]),
    );
    const uncertain = (id: string) => source.end("ingress", party(id), party("8.8.8.8/32")).uncertain;
    expect(uncertain("cluster/eu/shop/db-1")).toEqual(["cluster/eu was read only in part"]);
    expect(uncertain("cluster/us/shop/web-1")).toEqual(["cluster/us was not read"]);
    expect(uncertain("host/dir/ldap-1")).toEqual(["host/dir/ldap-1 was not read"]);
    const unknown = estateOf(defs, new Map());
    expect(liveSource(unknown, new Map([["cluster/eu", seen([deny])]])).doubtsOf("cluster/eu")).toEqual([
      "the workloads of cluster/eu are not known",
    ]);
  });

  test("a policy that nobody understands makes its pods uncertain", () => {
    const odd = { ...deny, spec: { ...deny.spec, mode: "audit" } };
    const source = liveSource(estate, new Map([["cluster/eu", seen([odd])]]));
    expect(source.end("ingress", party("cluster/eu/shop/db-1"), party("8.8.8.8/32")).uncertain).toHaveLength(1);
    expect(source.doubtsOf("cluster/eu")[0]).toContain("shop/deny");
  });

  const host = (ruleset: readonly unknown[], legacyTables: readonly string[] = []): LiveTarget => ({
    kind: "host",
    completeness: "complete",
    ruleset,
    legacyTables,
    addresses: ["10.20.0.11"],
  });
  /** One line per block end, as nft's grammar wants it. */
  const listed = (rules: string): readonly unknown[] =>
    parseListing(
      inScratchNamespace("nft -f - && nft -s -j list ruleset", `${rules.replaceAll("; }", ";\n}\n").replaceAll("} }", "}\n}")}\n`),
    );
  const BASE = "type filter hook input priority 0; policy accept;";

  // Bug: only table inet firebreak looked at, so a stranger's drop or a second table stays unseen.
  test("every table of a host counts: one that drops closes, one that accepts opens nothing", () => {
    const ours =
      "table inet firebreak { chain input { type filter hook input priority -5; policy drop; tcp dport { 22, 80 } accept; } }";
    const theirs = `table ip filter { chain INPUT { ${BASE} tcp dport 80 drop; tcp dport 443 accept; } }`;
    const source = liveSource(estate, new Map([["host/dir/ldap-1", host(listed(`${ours}\n${theirs}`))]]));
    expect(ask(source, "ingress", "host/dir/ldap-1", "8.8.8.8/32")).toBe("enforced: 22/tcp");
    expect(ask(source, "ingress", "host/dir/ldap-1", "host/dir/ldap-2")).toBe("enforced: 22/tcp");
    const v6 = { kind: "addresses", addresses: addresses("2001:db8::1/128") } as const;
    expect(words(source.end("ingress", party("host/dir/ldap-1"), v6))).toBe("enforced: nothing");
    const dual = { ...host(listed(`${ours}\n${theirs}`)), addresses: ["10.20.0.11", "2001:db8::9"] };
    const both = liveSource(estate, new Map([["host/dir/ldap-1", dual]]));
    expect(words(both.end("ingress", party("host/dir/ldap-1"), v6))).toBe("enforced: 22/tcp, 80/tcp");
    const why = source.explain("ingress", party("host/dir/ldap-1"), party("8.8.8.8/32"), "tcp", 80);
    expect(why).toMatchObject({ allowed: false, isolatedBy: ["ip filter INPUT"] });
  });

  test.each([
    [`table ip nat { chain pre { type nat hook prerouting priority -100; tcp dport 80 redirect to :22; } }`, /hook prerouting/],
    [
      `table inet f { chain i { type filter hook input priority 0; policy drop; } chain p { type filter hook prerouting priority -300; policy drop; } }`,
      /hook prerouting/,
    ],
    [`table inet f { chain i { ${BASE} meta mark 7 drop; } }`, /mark/],
  ])("what is not read is told: %s", (rules, expected) => {
    const source = liveSource(estate, new Map([["host/dir/ldap-1", host(listed(rules))]]));
    expect(source.doubtsOf("host/dir/ldap-1").join("\n")).toMatch(expected);
  });

  test("iptables-legacy cannot be listed", () => {
    const source = liveSource(estate, new Map([["host/dir/ldap-1", host([], ["filter"])]]));
    expect(source.end("ingress", party("host/dir/ldap-1"), party("8.8.8.8/32")).uncertain[0]).toContain("iptables-legacy");
  });
});
