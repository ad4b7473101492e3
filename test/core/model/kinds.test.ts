import { describe, expect, it } from "vitest";
import { formatSet } from "../../../core/address/index.ts";
import type { Definitions, Ports } from "../../../core/model/kinds.ts";
import { parseDefinitions } from "../../../core/model/parse.ts";
import { head, ORGANISATION, yamlFile } from "./organisation.ts";

function parsed(...texts: readonly string[]): Definitions {
  const { definitions, notes } = parseDefinitions([...ORGANISATION, ...texts.map((text, i) => yamlFile(`x${i}.yaml`, text))]);
  expect(notes.filter(({ severity }) => severity !== "info")).toEqual([]);
  if (definitions === undefined) throw new Error("no definitions");
  return definitions;
}

const segment = (name: string, spec: string) => `${head("Segment", name)}spec: ${spec}\n`;
const policy = (name: string, spec: string) => `${head("Policy", name)}spec: ${spec}\n`;

function portsOf(ports: string): Ports | undefined {
  return parsed(policy("p", `{rules: [{from: [web], to: [db], ports: [${ports}]}]}`)).policies.get("p")?.rules[0]?.ports;
}

describe("members", () => {
  // Catches: a member kind read as another, or its clusters lost, which would make it reach everywhere.
  it("reads every kind", () => {
    const definitions = parsed(
      segment(
        "all",
        `{members: [
          {service: {namespace: shop, name: web}, clusters: {matchLabels: {env: prod}}},
          {boundary: {clusters: {matchLabels: {env: prod}}, side: ingress}},
          {boundary: {side: egress}},
          {segments: [web, mainframe, web]},
          {externals: {matchLabels: {tier: legacy}}},
          {addresses: [10.8.0.0/24, 10.8.0.0/16, 10.8.128.0/17]}],
        not: [{segments: [mainframe]}, {addresses: [10.8.0.9]}], needs: [apiserver, apiserver], sealed: true}`,
      ),
      policy("p", "{rules: [{from: [all], to: [db], ports: [any]}]}"),
    );
    const all = definitions.segments.get("all");
    expect(all).toMatchObject({
      members: [
        {
          kind: "service",
          service: { namespace: "shop", name: "web" },
          clusters: { matchLabels: { env: "prod" } },
          at: { line: 5 },
        },
        { kind: "boundary", side: "ingress", clusters: { matchLabels: { env: "prod" } } },
        { kind: "boundary", side: "egress", clusters: undefined },
        { kind: "segments", segments: ["web", "mainframe"] },
        { kind: "externals" },
        { kind: "addresses" },
      ],
      not: [{ kind: "segments", segments: ["mainframe"] }, { kind: "addresses" }],
      needs: ["apiserver"],
      sealed: true,
      isolate: { ingress: "observe", egress: "observe" },
    });
    const addresses = all?.members.at(-1);
    expect(addresses?.kind === "addresses" ? formatSet(addresses.addresses) : "").toBe("10.8.0.0/16");
  });

  // Catches: a segment of nothing but nested peers given an isolation mode that nobody can have.
  it("gives no isolation to peers, however they are nested", () => {
    const { segments } = parsed(
      segment("outer", "{members: [{segments: [inner]}]}"),
      segment("inner", "{members: [{segments: [mainframe]}, {boundary: {side: ingress}}]}"),
      segment("mixed", "{members: [{segments: [inner, web]}]}"),
      policy("p", "{rules: [{from: [outer, mixed], to: [db], ports: [any]}]}"),
    );
    expect(segments.get("outer")?.isolate).toEqual({ ingress: "off", egress: "off" });
    expect(segments.get("mixed")?.isolate).toEqual({ ingress: "observe", egress: "observe" });
    expect(segments.get("outer")).toMatchObject({ not: [], needs: [], sealed: false });
  });
});

describe("ports", () => {
  // Catches: sctp, names or ICMP lost from a rule, or the same message listed twice.
  it.each<[string, unknown]>([
    ["sctp", [{ kind: "range", protocol: "sctp", from: 1, to: 65535 }]],
    [
      "1/tcp, 65535/sctp",
      [
        { protocol: "sctp", from: 65535 },
        { protocol: "tcp", from: 1, to: 1 },
      ],
    ],
    [
      "http/tcp, 80/tcp, http/tcp, 8-http/udp",
      [{ kind: "range" }, { kind: "named", protocol: "udp", name: "8-http" }, { name: "http" }],
    ],
    [
      "icmp/8/0, icmp/8, icmpv6/128",
      [
        { kind: "icmp", protocol: "icmp", type: 8, code: undefined },
        { protocol: "icmpv6", type: 128 },
      ],
    ],
    [
      "icmp/3/4, icmp, icmpv6/1/0",
      [
        { protocol: "icmp", type: undefined },
        { protocol: "icmpv6", type: 1, code: 0 },
      ],
    ],
    ["icmp/10, icmp/9", [{ type: 9 }, { type: 10 }]],
  ])("reads %s", (text, ports) => {
    expect(portsOf(text)).toMatchObject(ports as object[]);
    expect(portsOf(text)).toHaveLength((ports as object[]).length);
  });
});

describe("policies and guardrails", () => {
  // Catches: a condition dropped from a rule, so that it allows more than it says.
  it("reads same, sorted and once", () => {
    const definitions = parsed(
      policy("p", "{rules: [{from: [web], to: [db], ports: [any], same: [region, app.kubernetes.io/color]}]}"),
    );
    expect(definitions.policies.get("p")?.rules[0]?.same).toEqual(["app.kubernetes.io/color", "region"]);
    expect(definitions.policies.get("shop")?.rules[0]?.same).toEqual([]);
  });

  // Catches: the end of a policy read a day or a zone off.
  it.each([
    ["2027-06-30", "2027-06-30T00:00:00.000Z"],
    ["2028-02-29", "2028-02-29T00:00:00.000Z"],
    ["2027-06-30T18:30Z", "2027-06-30T18:30:00.000Z"],
    ["2027-06-30T18:30:15.5+02:00", "2027-06-30T16:30:15.500Z"],
    ["2027-12-31T23:00:00-05:30", "2028-01-01T04:30:00.000Z"],
  ])("reads expires: %s", (text, iso) => {
    const definitions = parsed(policy("p", `{expires: ${text}, rules: [{from: [db], to: [web], ports: [any]}]}`));
    expect(new Date(definitions.policies.get("p")?.expires ?? 0).toISOString()).toBe(iso);
  });

  // Catches: a test whose end is looked for among segments although it is a host or an address.
  it("reads tests", () => {
    const tests =
      "{from: web, to: db/db-1, port: 5432/tcp, expect: allowed}, {from: 'fd00::7', to: any, port: icmpv6/128, expect: denied}";
    const definitions = parsed(policy("p", `{rules: [{from: [db], to: [web], ports: [any]}], tests: [${tests}]}`));
    expect(definitions.policies.get("p")?.tests).toMatchObject([
      { from: "web", to: "db/db-1", port: { kind: "range", from: 5432 }, expect: "allowed", at: { line: 4, column: 64 } },
      { from: "fd00::7", to: "any", port: { kind: "icmp" }, expect: "denied" },
    ]);
  });

  // Catches: `reaches` read as one connection, or a claim whose place is lost.
  it("reads guardrails", () => {
    const text = `${head("Guardrail", "g")}spec:
  owner: security
  reason: cards stay here
  ticket: SEC-1
  never:
    - {from: [internet], reaches: [db], ports: [any]}
  always:
    - {from: [web], to: [workloads], ports: [9100/tcp]}
    - {from: [web], to: [db], ports: [5432/tcp], same: [color]}
`;
    expect(parsed(text).guardrails.get("g")).toMatchObject({
      kind: "Guardrail",
      severity: "block",
      owner: "security",
      reason: "cards stay here",
      ticket: "SEC-1",
      rules: [
        {
          id: "g/never/0",
          kind: "never",
          from: ["internet"],
          to: ["db"],
          ports: "any",
          same: [],
          path: "transitive",
          at: { line: 9 },
        },
        { id: "g/always/0", kind: "always", from: ["web"], to: ["workloads"], path: "direct", at: { line: 11 } },
        { id: "g/always/1", same: ["color"], path: "direct" },
      ],
    });
  });

  // Catches: an essential that stays open although the Workspace closes it.
  it("reads essentials and what is required", () => {
    const text =
      "apiVersion: firebreak.dev/v1alpha1\nkind: Workspace\nspec: {essentials: {dns: false, probes: true}, require: [owner]}\n";
    expect(parsed(text).workspace.essentials).toEqual({
      dns: false,
      probes: true,
      dhcp: true,
      ntp: true,
      icmpErrors: true,
      apiserver: true,
      webhooks: true,
    });
  });
});
