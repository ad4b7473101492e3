import { describe, expect, test } from "vitest";
import { readManifests } from "../../../core/manifest/read.ts";
import { files } from "./files.ts";

/** The errors of one cluster-wide policy with one egress rule. */
function errors(kind: string, rule: object, subject: object = { namespaces: {} }): readonly string[] {
  const isNew = kind === "ClusterNetworkPolicy";
  const place = isNew ? { tier: "Admin", priority: 1 } : kind === "AdminNetworkPolicy" ? { priority: 1 } : {};
  const object = {
    apiVersion: `policy.networking.k8s.io/${isNew ? "v1alpha2" : "v1alpha1"}`,
    kind,
    metadata: { name: "default" },
    spec: { ...place, subject, egress: [{ action: "Deny", to: [{ namespaces: {} }], ...rule }] },
  };
  return readManifests(files({ "a.json": [object] }))
    .notes.filter(({ severity }) => severity === "error")
    .map(({ summary }) => summary);
}

const range = (start: number, end: number): object => ({ protocols: [{ tcp: { destinationPort: { range: { start, end } } } }] });

// The validations of the CRDs of sigs.k8s.io/network-policy-api v0.1.7 and v0.2.0.
describe("what the CRDs refuse is refused (bug: a policy that is not there is analysed)", () => {
  test.each([
    ["a range of one port", "ClusterNetworkPolicy", range(23, 23), /end must be 24 or more/],
    ["a range that goes back", "AdminNetworkPolicy", { ports: [{ portRange: { start: 23, end: 22 } }] }, /end must be 23 or more/],
    ["pods without podSelector", "ClusterNetworkPolicy", { to: [{ pods: { namespaceSelector: {} } }] }, /podSelector is missing/],
    ["pods without namespaces", "AdminNetworkPolicy", { to: [{ pods: { podSelector: {} } }] }, /namespaceSelector is missing/],
    ["pods without pods", "BaselineAdminNetworkPolicy", { to: [{ pods: { namespaceSelector: {} } }] }, /podSelector is missing/],
    ["a network twice", "AdminNetworkPolicy", { to: [{ networks: ["10.0.0.0/8", "10.0.0.0/8"] }] }, /is there twice/],
    ["a network that is IPv4 in IPv6", "AdminNetworkPolicy", { to: [{ networks: ["::ffff:10.0.0.0/104"] }] }, /not a CIDR block/],
    ["26 networks", "ClusterNetworkPolicy", { to: [{ networks: Array.from({ length: 26 }, (_, i) => `10.0.${i}.0/24`) }] }, /25/],
    ["a name that is none", "AdminNetworkPolicy", { action: "Allow", to: [{ domainNames: ["x"] }] }, /not a domain name/],
    ["names in a baseline", "BaselineAdminNetworkPolicy", { to: [{ domainNames: ["a.example"] }] }, /domainNames is not known/],
    [
      "a named port beside networks",
      "ClusterNetworkPolicy",
      { to: [{ networks: ["10.0.0.0/8"] }], protocols: [{ destinationNamedPort: "dns" }] },
      /named port beside networks/,
    ],
    [
      "a named port beside nodes",
      "AdminNetworkPolicy",
      { to: [{ nodes: {} }], ports: [{ namedPort: "dns" }] },
      /named port beside/,
    ],
  ])("%s", (_, kind, rule, reason) => {
    expect(errors(kind, rule).join("\n")).toMatch(reason);
  });

  test("of a subject too", () => {
    expect(errors("AdminNetworkPolicy", {}, { pods: { podSelector: {} } }).join()).toMatch(/namespaceSelector is missing/);
  });

  test("and what they take is taken", () => {
    expect(errors("ClusterNetworkPolicy", range(23, 24))).toEqual([]);
    expect(errors("ClusterNetworkPolicy", { to: [{ pods: { podSelector: {} } }] })).toEqual([]);
    expect(errors("AdminNetworkPolicy", { ports: [{ portRange: { start: 23, end: 23 } }] })).toEqual([]);
    expect(errors("AdminNetworkPolicy", { to: [{ networks: ["10.0.0.0/8", "::/0"] }] })).toEqual([]);
  });
});
