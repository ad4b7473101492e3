import fc from "fast-check";
import { BASES } from "./bases.ts";
import type { Json } from "./bases.ts";

/** One document: where it is posted, and what. */
export interface Document {
  readonly collection: string;
  readonly object: Json;
}

type Path = readonly (string | number)[];

/** What people and programs write into a field, right and wrong. */
const BY_KEY: Readonly<Record<string, readonly unknown[]>> = {
  name: ["http", "web-1", "Web", "a_b", "a.b", "x".repeat(16), "x".repeat(64), "-a", "", "80", "a--b", "1a", "é"],
  generateName: ["web-", "W-", ""],
  namedPort: ["http", "Web", "", "a--b", "x".repeat(16), "80"],
  destinationNamedPort: ["http", "Web", "", "a--b", "x".repeat(16), "80"],
  protocol: ["TCP", "UDP", "SCTP", "tcp", "ICMP", "", " TCP"],
  port: [0, 1, 80, 443, 65_535, 65_536, -1, "http", "Web", "80", "", "x".repeat(16), 1.5, 2 ** 31, "a--b", "1"],
  endPort: [0, 1, 5432, 8000, 8050, 65_535, 65_536, -1],
  containerPort: [0, 1, 8080, 65_535, 65_536, -1],
  hostPort: [0, 8080, 9100, 65_536, -1],
  nodePort: [0, 30_080, 30_081, 80, 32_768, -1],
  targetPort: [0, 8080, 65_536, "http", "Web", "", "x".repeat(16), "8080", -1],
  number: [0, 80, 65_536, -1],
  start: [0, 1, 8000, 8100, 8101, 65_536],
  end: [0, 1, 8000, 7999, 65_535, 65_536],
  priority: [0, 1000, 1001, -1],
  tier: ["Admin", "Baseline", "admin", ""],
  action: ["Allow", "Accept", "Deny", "Pass", "deny", ""],
  operator: ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "in", ""],
  values: [[], ["front"], ["a b"], [""], ["front", "front"]],
  key: ["app", "example.org/app", "App/x", "/x", "a b", "", "x".repeat(64), "a/b/c", "kubernetes.io/metadata.name"],
  cidr: [
    ..."10.0.0.0/8 0.0.0.0/0 ::/0 10.1.2.3/8 10.0.0.0 10.0.0.0/33 010.0.0.0/8 10.0.0.0/08 ::ffff:10.0.0.0/104 fe80::1%eth0/64 2001:DB8::/32".split(
      " ",
    ),
    "",
    " 10.0.0.0/8",
  ],
  except: [[], ["10.1.0.0/16"], ["10.0.0.0/8"], ["11.0.0.0/16"], ["10.1.2.3/16"], ["10.1.0.0"], ["2001:db8::/48"], [""]],
  networks: [
    [],
    ["10.0.0.0/8"],
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["10.1.2.3/8"],
    ["0.0.0.0/0", "::/0"],
    ["::ffff:10.0.0.0/104"],
    ["10.0.0.0"],
  ],
  domainNames: [["example.org"], ["*.example.org"], ["*"], ["org"], ["a..b"], ["example.org."], []],
  policyTypes: [
    [],
    ["Ingress"],
    ["Egress"],
    ["Ingress", "Egress"],
    ["Egress", "Egress"],
    ["ingress"],
    ["Ingress", "Egress", "Ingress"],
  ],
  clusterIP: ["", "None", "10.96.40.8", "10.1.1.1", "10.96.40", "::1", "none"],
  clusterIPs: [["None"], ["10.96.40.8"], ["10.96.40.8", "fd00::1"], [], ["x"]],
  externalIPs: [
    ["192.0.2.1"],
    ["127.0.0.1"],
    ["x"],
    ["::1"],
    ["0.0.0.0"],
    ["192.0.2.1", "192.0.2.1"],
    ["010.0.0.1"],
    ["2001:db8::1"],
  ],
  externalName: ["db.example.org", "", "Db", "10.0.0.1"],
  type: ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName", "clusterip", ""],
  externalTrafficPolicy: ["Local", "Cluster", "local", ""],
  internalTrafficPolicy: ["Local", "Cluster", "x"],
  sessionAffinity: ["None", "ClientIP", "x"],
  ip: [
    "10.20.0.9",
    "10.20.0",
    "127.0.0.1",
    "169.254.0.1",
    "224.0.0.1",
    "2001:db8::9",
    "",
    "0.0.0.0",
    "010.0.0.1",
    "::ffff:10.0.0.1",
  ],
  addresses: [["10.20.0.9"], ["10.20.0"], [], ["2001:db8::1"], ["127.0.0.1"], ["10.20.0.1", "10.20.0.2"], ["example.org"]],
  addressType: ["IPv4", "IPv6", "FQDN", "ipv4", ""],
  restartPolicy: ["Always", "Never", "OnFailure", "always", ""],
  completionMode: ["Indexed", "NonIndexed", "x"],
  completions: [0, 1, 3, -1],
  parallelism: [0, 1, -1],
  replicas: [0, 1, 3, -1],
  ordinals: [{ start: 3 }, { start: -1 }, {}],
  manualSelector: [true, false],
  hostNetwork: [true, false],
  schedule: ["* * * * *", "x", "", "@daily", "TZ=UTC 0 3 * * *"],
  path: ["/", "x", "", "/a//b"],
  pathType: ["Prefix", "Exact", "ImplementationSpecific", "prefix"],
  host: ["*.example.org", "10.0.0.1", "Shop.example.org", "", "a b"],
  podCIDR: ["10.244.9.0/24", "10.244.9.0", "", "10.244.8.0/24"],
  podCIDRs: [["10.244.9.0/24"], ["10.244.9.0/24", "fd00::/64"], ["x"], []],
  nodeName: ["node-1", "Node", ""],
  image: ["i", "", " i"],
  app: ["web", "db", "", "a b", "x".repeat(64), "-"],
  hostIP: ["10.0.0.1", "x"],
};

/** Fields that belong somewhere, to be put anywhere. */
const ADDED = Object.keys(BY_KEY).concat(
  "podSelector namespaceSelector ipBlock matchLabels matchExpressions selector ports from to ingress egress labels annotations spec status Port lables x".split(
    " ",
  ),
);
const ANYTHING: readonly unknown[] = [null, "", "a", 0, 7, -1, 1.5, true, false, [], {}, [null], [{}], { a: "b" }, ["a"]];

/** Every place but those that decide where an object is posted. */
function placesOf(value: unknown, path: Path = []): readonly Path[] {
  const isFixed = path.length === 1 && (path[0] === "apiVersion" || path[0] === "kind");
  if (isFixed || path.join(".") === "metadata.namespace") return [];
  const inside = typeof value === "object" && value !== null ? Object.entries(value) : [];
  const places = inside.flatMap(([key, item]) => placesOf(item, [...path, Array.isArray(value) ? Number(key) : key]));
  return path.length === 0 ? places : [path, ...places];
}

interface Edit {
  readonly at: number;
  readonly how: "replace" | "odd" | "drop" | "twice" | "add" | "rename";
  readonly pick: number;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(),
  how: fc.constantFrom("replace", "replace", "replace", "replace", "odd", "drop", "twice", "add", "add", "rename"),
  pick: fc.nat(),
});

/** A seeded run gives the same documents on every machine. */
export const documents: fc.Arbitrary<Document> = fc
  .tuple(fc.constantFrom(...BASES), fc.array(edit, { minLength: 0, maxLength: 3 }))
  .map(([base, edits]) => {
    let { object } = base;
    for (const change of edits) object = applied(object, change);
    return { collection: base.collection, object };
  });

function applied(object: Json, { at, how, pick }: Edit): Json {
  const copy = structuredClone(object);
  const places = placesOf(copy);
  if (places.length === 0) return copy;
  const path = pickOf(places, at);
  const parent = path.slice(0, -1).reduce<unknown>((value, step) => (value as Json)[step], copy) as Json; // a place of it
  const key = path.at(-1) as string; // no place is empty; an index works the same
  const value = parent[key];
  if (how === "drop") remove(parent, key);
  else if (how === "twice" && Array.isArray(parent)) parent.push(value);
  else if (how === "add" && typeof value === "object" && value !== null && !Array.isArray(value)) {
    const name = pickOf(ADDED, pick);
    (value as Json)[name] = pickOf(BY_KEY[name] ?? ANYTHING, pick >> 8);
  } else if (how === "rename" && !Array.isArray(parent)) {
    remove(parent, key);
    parent[pickOf([key.toUpperCase(), `${key}s`, `${key[0]?.toUpperCase()}${key.slice(1)}`], pick)] = value;
  } else if (how === "odd") parent[key] = pickOf(ANYTHING, pick);
  else parent[key] = pickOf(BY_KEY[nameOf(path)] ?? ANYTHING, pick);
  return copy;
}

/** The field a place is in: of an item of a list of texts, the list's. */
function nameOf(path: Path): string {
  return String(path.findLast((step) => typeof step === "string"));
}

function remove(parent: Json, key: string): void {
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
}

function pickOf<Item>(items: readonly Item[], pick: number): Item {
  return items[pick % items.length] as Item; // none of them is empty
}
