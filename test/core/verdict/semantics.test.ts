import { describe, expect, test } from "vitest";
import { formatPorts } from "../../../core/address/ports.ts";
import { connectivityDiff } from "../../../core/verdict/effect.ts";
import { evaluator } from "../../../core/verdict/evaluator.ts";
import { KUBE_NETWORK_POLICIES, PROFILES, profileOf } from "../../../core/verdict/profile.ts";
import type { Profile } from "../../../core/verdict/profile.ts";
import type { Endpoint, PolicyObject, World, WorldPod } from "../../../core/verdict/world.ts";

/** One named test per point of the facts about NetworkPolicy that concerns verdicts. */

const NAMESPACES = [
  { name: "shop", labels: { team: "shop" } },
  { name: "dev", labels: { team: "dev" } },
];

const PODS: readonly WorldPod[] = [
  pod("shop/web", { app: "web" }, { addresses: ["10.244.0.1"] }),
  pod("shop/db", { app: "db" }, { addresses: ["10.244.0.2"], ports: [{ name: "sql", containerPort: 5432 }] }),
  pod("dev/web", { app: "web" }, { addresses: ["10.244.1.1"] }),
  pod("dev/tool", { app: "tool" }, { addresses: ["10.244.1.2"], ports: [{ name: "sql", containerPort: 15432 }] }),
];

function pod(id: string, labels: Readonly<Record<string, string>>, more: Partial<WorldPod> = {}): WorldPod {
  const [namespace = "", name = ""] = id.split("/");
  return { namespace, name, labels, addresses: [], ...more };
}

function policy(spec: unknown, name = "p"): PolicyObject {
  return { kind: "NetworkPolicy", metadata: { name, namespace: "shop" }, spec };
}

/** A policy on shop/db that lets these peers in. */
function lets(from: unknown, ports?: unknown): PolicyObject {
  return policy({ podSelector: { matchLabels: { app: "db" } }, policyTypes: ["Ingress"], ingress: [{ from, ports }] });
}

function world(policies: readonly PolicyObject[], pods: readonly WorldPod[] = PODS): World {
  return { namespaces: NAMESPACES, pods, policies, nodes: [{ name: "n1", addresses: ["192.168.0.1"] }] };
}

function end(text: string): Endpoint {
  const [namespace = "", name = ""] = text.split("/");
  return text.includes("/") ? { kind: "pod", namespace, name } : { kind: "address", address: text };
}

/** What may connect, as `5432/tcp`, `any` or `nothing`. */
function ports(policies: readonly PolicyObject[], from: string, to: string, profile?: Profile, pods?: readonly WorldPod[]): string {
  return formatPorts(evaluator(world(policies, pods), profile).connection(end(from), end(to)));
}

/** Which of the four pods reach shop/db at all. */
function reachDb(policies: readonly PolicyObject[], profile?: Profile): readonly string[] {
  return ["shop/web", "dev/web", "dev/tool"].filter((from) => ports(policies, from, "shop/db", profile) !== "nothing");
}

const isWeb = { podSelector: { matchLabels: { app: "web" } } };
const inDev = { namespaceSelector: { matchLabels: { team: "dev" } } };

describe("selectors and structure", () => {
  test("1: namespaceSelector and podSelector in one peer are AND, two peers are OR, podSelector alone is the own namespace", () => {
    expect(reachDb([lets([{ ...inDev, ...isWeb }])])).toEqual(["dev/web"]);
    expect(reachDb([lets([inDev, isWeb])])).toEqual(["shop/web", "dev/web", "dev/tool"]);
    expect(reachDb([lets([isWeb])])).toEqual(["shop/web"]);
  });

  test("2: an absent podSelector selects every pod of the namespace; in a peer {} is all and absent is no condition", () => {
    const deny = policy({ policyTypes: ["Ingress"] });
    expect(reachDb([deny])).toEqual([]);
    expect(ports([deny], "shop/db", "dev/web")).toBe("any");
    expect(reachDb([lets([{ podSelector: {} }])])).toEqual(["shop/web"]);
    expect(reachDb([lets([inDev])])).toEqual(["dev/web", "dev/tool"]);
  });

  test("3: namespaceSelector {} is every namespace; kubernetes.io/metadata.name cannot be forged", () => {
    expect(reachDb([lets([{ namespaceSelector: {} }])])).toEqual(["shop/web", "dev/web", "dev/tool"]);
    const named = lets([{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "shop" } } }]);
    const forged: World = {
      ...world([named]),
      namespaces: NAMESPACES.map((item) => ({ ...item, labels: { "kubernetes.io/metadata.name": "shop" } })),
    };
    expect(formatPorts(evaluator(forged).connection(end("dev/web"), end("shop/db")))).toBe("nothing");
    expect(formatPorts(evaluator(forged).connection(end("shop/web"), end("shop/db")))).toBe("any");
  });

  test("4: NotIn and DoesNotExist match objects without the key", () => {
    const not = (operator: string, values?: readonly string[]) => ({
      namespaceSelector: {},
      podSelector: { matchExpressions: [{ key: "tier", operator, values }] },
    });
    expect(reachDb([lets([not("NotIn", ["x"])])])).toEqual(["shop/web", "dev/web", "dev/tool"]);
    expect(reachDb([lets([not("DoesNotExist")])])).toEqual(["shop/web", "dev/web", "dev/tool"]);
  });

  test("5: ingress absent or [] denies all, [{}] allows all; absent and empty from and ports are any", () => {
    const types = { podSelector: {}, policyTypes: ["Ingress"] };
    expect(reachDb([policy(types)])).toEqual([]);
    expect(reachDb([policy({ ...types, ingress: [] })])).toEqual([]);
    expect(reachDb([policy({ ...types, ingress: null })])).toEqual([]);
    for (const rule of [{}, { from: [] }, { ports: [] }, { from: null, ports: null }]) {
      expect(ports([policy({ ...types, ingress: [rule] })], "dev/web", "shop/db")).toBe("any");
      expect(ports([policy({ ...types, ingress: [rule] })], "8.8.8.8", "shop/db")).toBe("any");
    }
  });

  test("6: policyTypes absent is Ingress, and Egress only when egress has rules", () => {
    const out = (spec: object): string => ports([policy({ podSelector: {}, ...spec })], "shop/web", "dev/web");
    expect(out({})).toBe("any");
    expect(out({ egress: [] })).toBe("any");
    expect(out({ egress: [], policyTypes: ["Egress"] })).toBe("nothing");
    expect(out({ egress: [{ ports: [{ port: 80 }] }] })).toBe("80/tcp");
    expect(out({ egress: [{ ports: [{ port: 80 }] }], policyTypes: ["Ingress"] })).toBe("any");
    expect(ports([policy({ podSelector: {}, egress: [{}] })], "dev/web", "shop/web")).toBe("nothing");
  });

  test("7: isolation is per direction, both ends must allow, allows add up", () => {
    const egress = (port: number) =>
      policy({ podSelector: { matchLabels: { app: "web" } }, policyTypes: ["Egress"], egress: [{ ports: [{ port }] }] });
    expect(ports([egress(80)], "shop/web", "shop/db")).toBe("80/tcp");
    expect(ports([egress(80), egress(81)], "shop/web", "shop/db")).toBe("80-81/tcp");
    expect(ports([egress(80), egress(81), lets([isWeb], [{ port: 81 }])], "shop/web", "shop/db")).toBe("81/tcp");
    expect(ports([egress(80)], "shop/db", "shop/web")).toBe("any");
  });

  test("8: pods of one owner can differ in labels, and then in what they may", () => {
    const owner = "ReplicaSet/web-5d8f7c9b4";
    const twins = [
      pod("shop/db", { app: "db" }, { addresses: ["10.244.0.2"] }),
      pod("shop/web-1", { app: "web" }, { owner }),
      pod("shop/web-2", { app: "canary" }, { owner }),
    ];
    expect(ports([lets([isWeb])], "shop/web-1", "shop/db", undefined, twins)).toBe("any");
    expect(ports([lets([isWeb])], "shop/web-2", "shop/db", undefined, twins)).toBe("nothing");
  });
});

describe("ports", () => {
  const allowed = (list: unknown): string => ports([lets([isWeb], list)], "shop/web", "shop/db");

  test("9: TCP by default, SCTP is never TCP, a protocol alone is all its ports, endPort is inclusive", () => {
    expect(allowed([{ port: 80 }])).toBe("80/tcp");
    expect(allowed([{ port: 80, protocol: "SCTP" }])).toBe("80/sctp");
    expect(allowed([{ protocol: "UDP" }])).toBe("udp");
    expect(allowed([{}])).toBe("tcp");
    expect(allowed([{ port: 80, endPort: 82 }])).toBe("80-82/tcp");
    expect(allowed([{ port: 80, endPort: 79 }])).toBe("nothing");
    expect(allowed([{ port: "sql", endPort: 79 }])).toBe("nothing");
  });

  test("10: a named port is what each destination declares, by protocol; to nobody outside", () => {
    expect(allowed([{ port: "sql" }])).toBe("5432/tcp");
    expect(allowed([{ port: "sql", protocol: "UDP" }])).toBe("nothing");
    const out = [
      policy({ podSelector: { matchLabels: { app: "web" } }, policyTypes: ["Egress"], egress: [{ ports: [{ port: "sql" }] }] }),
    ];
    expect(ports(out, "shop/web", "shop/db")).toBe("5432/tcp");
    expect(ports(out, "shop/web", "dev/tool")).toBe("15432/tcp");
    expect(ports(out, "shop/web", "dev/web")).toBe("nothing");
    expect(ports(out, "shop/web", "8.8.8.8")).toBe("nothing");
  });

  test("11: the port is the pod's; a cluster address in an ipBlock is nobody's", () => {
    const toService = policy({
      podSelector: { matchLabels: { app: "web" } },
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "10.96.0.7/32" } }] }],
    });
    expect(ports([toService], "shop/web", "shop/db")).toBe("nothing");
    expect(
      evaluator(world([lets([isWeb], [{ port: "sql" }])])).verdict(end("shop/web"), end("shop/db"), "sql", "tcp").allowed,
    ).toBe(true);
  });
});

describe("ipBlock", () => {
  const block = (cidr: string, except?: readonly string[]) => ({ ipBlock: { cidr, ...(except === undefined ? {} : { except }) } });

  test("12: whether a block that covers a pod matches it is the enforcer's reading", () => {
    expect(reachDb([lets([block("10.244.1.0/24")])])).toEqual(["dev/web", "dev/tool"]);
    expect(reachDb([lets([block("10.244.1.0/24")])], PROFILES.cilium)).toEqual([]);
    expect(ports([lets([block("10.9.0.0/24")])], "10.9.0.1", "shop/db", PROFILES.cilium)).toBe("any");
    const node = pod("dev/agent", {}, { addresses: ["192.168.0.1"], hostNetwork: true });
    expect(ports([lets([block("192.168.0.0/24")])], "dev/agent", "shop/db", undefined, [...PODS, node])).toBe("any");
    expect(ports([lets([block("192.168.0.0/24")])], "dev/agent", "shop/db", PROFILES.cilium, [...PODS, node])).toBe("nothing");
  });

  test("13: except subtracts inside its block only, another rule can allow it again, 0.0.0.0/0 is not IPv6", () => {
    const holed = block("10.244.0.0/16", ["10.244.1.0/24"]);
    expect(reachDb([lets([holed])])).toEqual(["shop/web"]);
    expect(reachDb([lets([holed, block("10.244.1.1/32")])])).toEqual(["shop/web", "dev/web"]);
    expect(ports([lets([block("0.0.0.0/0")])], "8.8.8.8", "shop/db")).toBe("any");
    const dual = PODS.map((item) => (item.name === "db" ? { ...item, addresses: ["10.244.0.2", "fd00::2"] } : item));
    expect(ports([lets([block("0.0.0.0/0")])], "2001:db8::1", "shop/db", undefined, dual)).toBe("nothing");
    expect(ports([lets([block("::/0")])], "2001:db8::1", "shop/db", undefined, dual)).toBe("any");
  });

  test("14: where the source may be rewritten, a verdict on traffic from outside is uncertain", () => {
    const rewriting: Profile = { ...KUBE_NETWORK_POLICIES, outsideSource: "rewritten" };
    const ask = (profile: Profile, from: string) =>
      evaluator(world([lets([block("10.9.0.0/24")])]), profile).verdict(end(from), end("shop/db"), 80, "tcp");
    expect(ask(KUBE_NETWORK_POLICIES, "10.9.0.1")).toMatchObject({ allowed: true, uncertain: [] });
    expect(ask(rewriting, "10.9.0.1").uncertain).toHaveLength(1);
    expect(ask(rewriting, "shop/web").uncertain).toEqual([]);
  });

  test("host bits are masked and IPv4-mapped blocks are IPv4, as Kubernetes reads them", () => {
    expect(reachDb([lets([block("10.244.1.77/24")])])).toEqual(["dev/web", "dev/tool"]);
    expect(reachDb([lets([block("::ffff:10.244.1.0/120")])])).toEqual(["dev/web", "dev/tool"]);
  });
});

describe("hosts and infrastructure", () => {
  const agent = pod("shop/agent", { app: "db" }, { addresses: ["192.168.0.1"], hostNetwork: true, node: "n1" });
  const withAgent = [...PODS.map((item) => ({ ...item, node: item.namespace === "shop" ? "n1" : "n2" })), agent];

  test("15: hostNetwork pods are no subjects, and peers by their node's address only, unless the profile says so", () => {
    const deny = policy({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
    expect(ports([deny], "8.8.8.8", "shop/agent", undefined, withAgent)).toBe("any");
    const everyPod = policy({
      podSelector: { matchLabels: { app: "tool" } },
      policyTypes: ["Ingress"],
      ingress: [{ from: [{ namespaceSelector: {}, podSelector: {} }] }],
    });
    const devPolicy = { ...everyPod, metadata: { name: "p", namespace: "dev" } };
    expect(ports([devPolicy], "shop/agent", "dev/tool", undefined, withAgent)).toBe("nothing");
    expect(ports([devPolicy], "shop/agent", "dev/tool", PROFILES["ovn-kubernetes"], withAgent)).toBe("any");
    expect(ports([devPolicy], "shop/web", "dev/tool", undefined, withAgent)).toBe("any");
  });

  test("16: a pod's own node always reaches it, and the answer says so", () => {
    const deny = policy({ podSelector: {}, policyTypes: ["Ingress"] });
    const engine = evaluator(world([deny], withAgent));
    for (const from of ["192.168.0.1", "shop/agent"]) {
      const verdict = engine.verdict(end(from), end("shop/web"), 8080, "tcp");
      expect(verdict).toMatchObject({ allowed: true, why: [{ direction: "ingress", reason: "own-node" }, {}] });
    }
    expect(engine.verdict(end("192.168.0.9"), end("shop/web"), 8080, "tcp").allowed).toBe(false);
  });

  test("17: a pod reaches its own address whatever isolates it", () => {
    const deny = policy({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
    expect(ports([deny], "shop/web", "shop/web")).toBe("any");
    expect(ports([deny], "shop/web", "10.244.0.1")).toBe("any");
  });
});

describe("time and state", () => {
  test("22: Succeeded and Failed pods are gone, their address is somebody else's; terminating ones stay", () => {
    const done = PODS.map((item) => (item.name === "web" && item.namespace === "shop" ? { ...item, phase: "Succeeded" } : item));
    const reused = [...done, pod("shop/new", { app: "new" }, { addresses: ["10.244.0.1"], phase: "Running" })];
    expect(ports([lets([isWeb])], "10.244.0.1", "shop/db", undefined, reused)).toBe("nothing");
    expect(evaluator(world([], reused)).verdict(end("shop/web"), end("shop/db"), 1, "tcp").uncertain).toEqual([
      "pod shop/web is not known",
    ]);
  });

  test("23: order inside peer lists means nothing", () => {
    const peers = [isWeb, inDev, { ipBlock: { cidr: "10.9.0.0/24" } }];
    const effect = connectivityDiff(world([lets(peers)]), world([lets(peers.toReversed())]));
    expect(effect).toMatchObject({ kind: "equivalent", opened: [], closed: [], uncertain: [] });
  });

  test("24: one realisation split over several objects allows the same", () => {
    const effect = connectivityDiff(
      world([lets([isWeb, inDev])]),
      world([lets([isWeb]), { ...lets([inDev]), metadata: { name: "q", namespace: "shop" } }]),
    );
    expect(effect.kind).toBe("equivalent");
  });

  test("25: a policy that selects nothing is valid, silent and told", () => {
    const effect = connectivityDiff(world([]), world([policy({ podSelector: { matchLabels: { app: "nobody" } } }, "idle")]));
    expect(effect).toMatchObject({ kind: "equivalent", notes: ["shop/idle selects 0 pods now"] });
  });
});

describe("others", () => {
  test("29: both addresses of a pod count, each in its family; a pod without one is matched by labels only", () => {
    const dual = [
      pod("shop/db", { app: "db" }, { addresses: ["10.244.0.2", "fd00::2"] }),
      pod("dev/both", {}, { addresses: ["10.244.1.1", "fd00::1:1"] }),
      pod("dev/six", {}, { addresses: ["fd00::1:2"] }),
      pod("dev/four", {}, { addresses: ["10.244.1.4"] }),
      pod("dev/pending", { app: "web" }),
    ];
    const from6 = [lets([{ ipBlock: { cidr: "fd00::1:0/112" } }])];
    expect(ports(from6, "dev/both", "shop/db", undefined, dual)).toBe("any");
    expect(ports(from6, "dev/six", "shop/db", undefined, dual)).toBe("any");
    expect(ports(from6, "dev/four", "shop/db", undefined, dual)).toBe("nothing");
    expect(ports(from6, "10.244.1.1", "shop/db", undefined, dual)).toBe("nothing");
    expect(ports(from6, "fd00::1:1", "shop/db", undefined, dual)).toBe("any");
    expect(ports([], "dev/four", "dev/six", undefined, dual)).toBe("nothing");
    expect(ports(from6, "dev/pending", "shop/db", undefined, dual)).toBe("nothing");
    expect(ports([lets([{ ...isWeb, namespaceSelector: {} }])], "dev/pending", "shop/db", undefined, dual)).toBe("any");
  });

  test("30: one label on a namespace that opens a path is a change although no policy changed", () => {
    const one = world([lets([inDev])]);
    const relabelled: World = {
      ...one,
      namespaces: [...NAMESPACES.slice(0, 1), { name: "dev", labels: {} }, { name: "new", labels: {} }],
    };
    expect(connectivityDiff(relabelled, one)).toMatchObject({
      kind: "opens",
      opened: [{ from: "every pod of dev", to: "shop/db", ports: "any port" }],
    });
  });
});

describe("what is not understood allows nothing and is named", () => {
  test.each([
    ["an unknown peer field", lets([{ serviceAccountSelector: {} }])],
    ["an empty peer", lets([{}])],
    ["a peer that is a block and a selector", lets([{ ipBlock: { cidr: "0.0.0.0/0" }, podSelector: {} }])],
    ["a block that is no CIDR", lets([{ ipBlock: { cidr: "10.0.0/8" } }])],
    ["a block with a bad except", lets([{ ipBlock: { cidr: "0.0.0.0/0", except: ["x"] } }])],
    ["from that is no list", lets("any")],
    ["ports that are no list", lets([inDev], { port: 80 })],
    ["an unknown rule field", policy({ podSelector: {}, ingress: [{ to: [inDev] }] })],
    ["a rule that is no object", policy({ podSelector: {}, ingress: ["all"] })],
    ["an operator that does not exist", lets([{ namespaceSelector: { matchExpressions: [{ key: "a", operator: "Like" }] } }])],
    ["an unknown protocol", lets([inDev], [{ protocol: "ICMP" }])],
    ["port 0", lets([inDev], [{ port: 0 }])],
    ["port 65536", lets([inDev], [{ port: 65_536 }])],
  ])("%s", (_, object) => {
    expect(reachDb([object])).toEqual([]);
    const effect = connectivityDiff(world([]), world([object]));
    expect(effect.uncertain.length).toBeGreaterThan(0);
    const verdict = evaluator(world([object])).verdict(end("dev/web"), end("shop/db"), 80, "tcp");
    expect(verdict.allowed).toBe(false);
    expect(verdict.uncertain.length).toBeGreaterThan(0);
  });

  test("a subject selector that cannot be read is uncertain (bug: called harmless because it selects nobody)", () => {
    const effect = connectivityDiff(world([]), world([policy({ podSelector: { matchLabel: { app: "db" } } })]));
    expect(effect.uncertain).toEqual(["shop/p: podSelector.matchLabel is not known"]);
  });

  test("an endpoint that is not known is refused, not guessed", () => {
    const engine = evaluator(world([]));
    expect(engine.verdict(end("shop/nobody"), end("shop/db"), 80, "tcp")).toMatchObject({
      allowed: false,
      uncertain: ["pod shop/nobody is not known"],
    });
    expect(engine.verdict(end("10.0.0"), end("shop/db"), 80, "tcp").allowed).toBe(false);
    expect(profileOf("constructor")).toBe(KUBE_NETWORK_POLICIES);
  });
});
