import { contains, fromPrefixes, parseAddress, parsePrefix, type AddressSet, type Prefix } from "../address/index.ts";
import type { Document } from "./document.ts";
import { HOST_LABEL } from "./host-definitions.ts";
import { labelName } from "./names.ts";

/** Hosts of an Ansible inventory as a fleet. */
export interface AnsibleFleet {
  readonly documents: readonly Document[];
  readonly hosts: number;
  /** What could not be said, each a sentence that names the host or group. */
  readonly leftOut: readonly string[];
}

/** Groups that every inventory has: they tell no host from another. */
const EVERYBODY = new Set(["all", "ungrouped"]);

/** Hosts in sum, and groups in sum; an inventory with more is refused. */
const MOST = 20_000;

/**
 * A HostFleet of what `ansible-inventory --list` prints: the address is `ansible_host` (or the name, where that is one; never what was
 * gathered from the host, whose root says it), the labels are its
 * own name as `host` and each group that it is in, also through other groups, as `group/NAME: "true"`.
 *
 * Format: https://docs.ansible.com/ansible/latest/dev_guide/developing_inventory.html ("Inventory scripts": `_meta.hostvars`, and groups
 * with `hosts` and `children`).
 *
 * @param inventory the parsed JSON, of whatever shape
 * @returns undefined when it is none
 */
export function ansibleFleet(inventory: unknown, fleet: string): AnsibleFleet | undefined {
  const groups = readGroups(inventory);
  if (groups === undefined) return undefined;
  const variables = recordOf(recordOf(recordOf(inventory)["_meta"])["hostvars"]);
  const leftOut: string[] = [];
  const names = [...new Set([...Object.keys(variables), ...[...groups.values()].flatMap(({ hosts }) => hosts)])].toSorted();
  const taken = new Map<string, string>();
  const hosts = names.flatMap((original) => {
    const own = recordOf(variables[original]);
    const name = labelName(original);
    const address = addressOf(original, own);
    const twin = taken.get(name);
    if (name === "" || twin !== undefined) {
      leftOut.push(
        `${original}: ${name === "" ? "no name of a host can be made of it" : `its name would be ${name}, as that of ${twin ?? ""}`}`,
      );
      return [];
    }
    if (own["ansible_connection"] === "local") {
      leftOut.push(`${original}: it is reached without a network (ansible_connection: local)`);
      return [];
    }
    if (address === undefined) {
      leftOut.push(`${original}: no address is known; give it ansible_host as an address, not as a name`);
      return [];
    }
    const more = gatheredOf(own, address);
    if (more.length > 0)
      leftOut.push(`${original}: it says itself that it has ${more.join(", ")}, too; add what is true to its addresses`);
    taken.set(name, original);
    const labels = { [HOST_LABEL]: name, ...groupLabels(original, groups, leftOut) };
    return [{ port: portOf(own), host: { name, addresses: [address], labels } }];
  });
  // A fleet has one port: hosts of another one are a fleet of their own.
  const ports = [...Map.groupBy(hosts, ({ port }) => port)].toSorted((a, b) => b[1].length - a[1].length || a[0] - b[0]);
  return {
    documents: ports.map(([port, own], place): Document => ({
      kind: "HostFleet",
      metadata: { name: place === 0 ? fleet : `${fleet}-port-${port}` },
      spec: { mode: "plan", transport: { ssh: { user: "firebreak", port } }, hosts: own.map(({ host }) => host) },
    })),
    hosts: hosts.length,
    leftOut: [...new Set(leftOut)],
  };
}

/** A host as definitions have it. */
export interface KnownHost {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** What an inventory has otherwise than the fleets that are defined: lines to add, hosts that are gone, addresses. */
export function inventoryDifferences(made: AnsibleFleet, known: readonly KnownHost[]): readonly string[] {
  const there = new Map(
    made.documents.flatMap(({ spec }) => (spec["hosts"] as readonly KnownHost[]).map((host) => [host.name, host])),
  ); // ansibleFleet makes them
  const here = new Map(known.map((host) => [host.name, host]));
  const added = [...there.values()].filter(({ name }) => !here.has(name));
  const gone = [...here.values()].filter(({ name }) => !there.has(name));
  const moved = [...there.values()].flatMap((host) => {
    const mine = here.get(host.name);
    const isSame = mine === undefined || host.addresses.every((address) => mine.addresses.includes(address));
    return isSame
      ? []
      : [`${host.name}: the inventory has ${host.addresses.join(", ")}, the definitions ${mine.addresses.join(", ")}`];
  });
  return [
    ...added.map((host) => `new, add it: - ${JSON.stringify(host)}`),
    ...gone.map(({ name }) => `${name} is not in the inventory any more`),
    ...moved,
  ];
}

interface Group {
  readonly hosts: readonly string[];
  readonly children: readonly string[];
}

function readGroups(inventory: unknown): ReadonlyMap<string, Group> | undefined {
  const all = recordOf(inventory);
  const entries = Object.entries(all).filter(([name]) => name !== "_meta");
  if (all["_meta"] === undefined && entries.every(([, group]) => !Object.hasOwn(recordOf(group), "hosts"))) return undefined;
  if (entries.length > MOST || Object.keys(recordOf(recordOf(all["_meta"])["hostvars"])).length > MOST) return undefined;
  return new Map(
    entries.map(([name, group]) => {
      // An old form: a group that is a list is its hosts.
      const { hosts, children } = Array.isArray(group) ? { hosts: group as unknown, children: [] } : recordOf(group);
      return [name, { hosts: textsOf(hosts), children: textsOf(children) }];
    }),
  );
}

/** The groups of a host, also those that hold a group of it. */
function groupLabels(host: string, groups: ReadonlyMap<string, Group>, leftOut: string[]): Readonly<Record<string, string>> {
  const found = new Set([...groups].filter(([, { hosts }]) => hosts.includes(host)).map(([name]) => name));
  for (const name of found) for (const [other, { children }] of groups) if (children.includes(name)) found.add(other);
  const labels: Record<string, string> = {};
  for (const name of [...found].toSorted()) {
    if (EVERYBODY.has(name)) continue;
    if (/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(name)) labels[`group/${name}`] = "true";
    else leftOut.push(`group ${name}: no label can be called so`);
  }
  return labels;
}

/** Where Ansible reaches it: what somebody wrote, not what the host says of itself. */
function addressOf(name: string, own: Readonly<Record<string, unknown>>): string | undefined {
  const found = [own["ansible_host"], own["ansible_ssh_host"], name].find(
    (text) => typeof text === "string" && isHostAddress(text),
  );
  return typeof found === "string" ? found : undefined;
}

/** Addresses that Ansible gathered from the host, beside the one where it is reached. */
function gatheredOf(own: Readonly<Record<string, unknown>>, address: string): readonly string[] {
  const gathered = [...textsOf(own["ansible_all_ipv4_addresses"]), ...textsOf(own["ansible_all_ipv6_addresses"])];
  return [...new Set(gathered.filter((text) => text !== address && isHostAddress(text)))].slice(0, 10);
}

/** What can be one host's address on a network: neither its own loop, nor its link's, nor everybody's. */
const NO_HOST = fromAddressBlocks(["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/127", "fe80::/10", "ff00::/8"]);

function fromAddressBlocks(texts: readonly string[]): AddressSet {
  return fromPrefixes(texts.flatMap((text) => constantPrefix(text)));
}

function constantPrefix(text: string): readonly Prefix[] {
  const parsed = parsePrefix(text);
  return "ok" in parsed ? [parsed.ok] : [];
}

function isHostAddress(text: string): boolean {
  const parsed = parseAddress(text);
  return "ok" in parsed && !contains(NO_HOST, parsed.ok);
}

function portOf(own: Readonly<Record<string, unknown>>): number {
  const port = Number(own["ansible_port"] ?? own["ansible_ssh_port"] ?? 22);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 22;
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};
}
