/** A fleet of an Ansible inventory. */
import { expect, test } from "vitest";
import { ansibleFleet, inventoryDifferences } from "../../../core/import/ansible.ts";
import { filesOf } from "../../../core/import/write.ts";
import { parseDefinitions } from "../../../core/model/parse.ts";

const INVENTORY = {
  _meta: {
    hostvars: {
      "db-1": { ansible_host: "10.1.0.11", ansible_all_ipv6_addresses: ["2001:db8::11", "fe80::1"] },
      "web.example.org": { ansible_host: "10.1.0.21", ansible_port: 2222 },
      everybody: { ansible_host: "0.0.0.0" },
      named: { ansible_host: "named.example.org" },
      here: { ansible_connection: "local", ansible_host: "127.0.0.1" },
    },
  },
  all: { children: ["ungrouped", "databases", "prod"] },
  ungrouped: { hosts: ["named"] },
  databases: { hosts: ["db-1"] },
  prod: { children: ["databases"] },
  loop: { children: ["prod", "loop"] },
};

// Bugs: what root of a host says becomes his address in Git; a host known by a name only gets an address that nobody gave; groups of groups are lost, or never end.
test("has hosts whose address is known, with their groups as labels, also through groups", () => {
  const made = ansibleFleet(INVENTORY, "servers");
  if (made === undefined) throw new Error("it is an inventory");
  const files = filesOf(made.documents, "servers").map(({ path, text }) => ({ path, bytes: new TextEncoder().encode(text) }));
  const { definitions, notes } = parseDefinitions(files, { allow: undefined });
  expect(notes.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(definitions?.fleets.get("servers")?.hosts).toMatchObject([
    {
      name: "db-1",
      addresses: ["10.1.0.11"],
      labels: { host: "db-1", "group/databases": "true", "group/prod": "true", "group/loop": "true" },
    },
  ]);
  expect(definitions?.fleets.get("servers-port-2222")?.hosts).toMatchObject([{ name: "web-example-org" }]);
  expect(definitions?.fleets.get("servers")?.mode).toBe("plan");
  expect(made.leftOut).toEqual([
    "db-1: it says itself that it has 2001:db8::11, too; add what is true to its addresses",
    "everybody: no address is known; give it ansible_host as an address, not as a name",
    "here: it is reached without a network (ansible_connection: local)",
    "named: no address is known; give it ansible_host as an address, not as a name",
  ]);
});

// Bug: a second import replaces what people wrote of a fleet, or says nothing of a host that came.
test("a fleet that is defined is compared only", () => {
  const made = ansibleFleet(INVENTORY, "servers");
  if (made === undefined) throw new Error("it is an inventory");
  expect(
    inventoryDifferences(made, [
      { name: "db-1", addresses: ["10.9.9.9"] },
      { name: "gone", addresses: ["10.1.0.99"] },
    ]),
  ).toEqual([
    expect.stringContaining('new, add it: - {"name":"web-example-org"'),
    "gone is not in the inventory any more",
    "db-1: the inventory has 10.1.0.11, the definitions 10.9.9.9",
  ]);
});

test.each([[[]], ["text"], [null], [{}], [{ nftables: [] }]])("%j is none", (text) => {
  expect(ansibleFleet(text, "servers")).toBeUndefined();
});
