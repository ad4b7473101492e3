import { describe, expect, test } from "vitest";
import { formatPorts } from "../../../core/address/ports.ts";
import { compileCluster } from "../../../core/compile/cluster.ts";
import { readManifests } from "../../../core/manifest/read.ts";
import { computeMembership } from "../../../core/membership/compute.ts";
import { planCluster } from "../../../core/plan/cluster.ts";
import { afterSteps } from "../../../core/plan/effect.ts";
import type { ClusterPlan } from "../../../core/plan/plan.ts";
import { wantDigest } from "../../../core/render/digest.ts";
import { INGRESS } from "../../../core/render/nft-names.ts";
import { establishedRule } from "../../../core/render/nft-rules.ts";
import { renderNetworkPolicies } from "../../../core/render/networkpolicy.ts";
import type { NetworkPolicy } from "../../../core/render/networkpolicy-types.ts";
import { formatEffect } from "../../../core/verdict/effect-words.ts";
import { connectivityDiff } from "../../../core/verdict/effect.ts";
import { evaluator } from "../../../core/verdict/evaluator.ts";
import { KUBE_NETWORK_POLICIES, PROFILES } from "../../../core/verdict/profile.ts";
import type { Profile } from "../../../core/verdict/profile.ts";
import type { Verdict } from "../../../core/verdict/verdict.ts";
import type { PolicyObject, World, WorldPod, WorldService } from "../../../core/verdict/world.ts";
import { PolicyStore } from "../../support/cluster-world.ts";
import {
  addressesMember,
  app,
  cluster,
  definitions,
  inventory,
  namespace,
  policy as policyDefinition,
  rule,
  segment,
} from "../../support/definitions.ts";
import { files } from "../manifest/files.ts";
import { end, inDev, isWeb, lets, NAMESPACES, pod, PODS, policy, ports, reachDb, world } from "./small-world.ts";

/**
 * One test for each of the 30 points about NetworkPolicy semantics, named by its number and by the bug it catches. Points that are not
 * the engine's are asked of the part of the product where they hold.
 */

const DB: WorldService = {
  namespace: "shop",
  name: "db",
  addresses: ["10.96.0.7"],
  selector: { app: "db" },
  ports: [{ port: 80, protocol: "TCP", targetPort: "sql" }],
  keepsSource: false,
};

/** Asked at the address of Service shop/db, whose port 80 leads to 5432. */
function toService(
  policies: readonly PolicyObject[],
  from: string,
  over: { readonly port?: number; readonly keepsSource?: boolean } = {},
  profile?: Profile,
): Verdict {
  const services = [{ ...DB, keepsSource: over.keepsSource ?? false }];
  return evaluator({ ...world(policies), services }, profile).verdict(end(from), end("10.96.0.7"), over.port ?? 80, "tcp");
}

type Parts = Parameters<typeof definitions>[0];

/** What definitions become in one cluster with the two namespaces. */
function compiled(parts: Parts, over: Partial<Parameters<typeof compileCluster>[0]> = {}, target = cluster("eu")) {
  const namespaces = NAMESPACES.map(({ name, labels }) => namespace(name, labels));
  const defs = definitions({ ...parts, clusters: [target] });
  return compileCluster({ definitions: defs, cluster: target, namespaces, services: [], memberships: new Map(), ...over });
}

function realise(...given: Parameters<typeof compiled>): readonly NetworkPolicy[] {
  const { want } = compiled(...given);
  return renderNetworkPolicies(want, { instance: "i", sequence: 1, digest: wantDigest(want) });
}

/** The plan from what is live (nothing) to what is wanted. */
function planned(parts: Parts, live: readonly NetworkPolicy[] = []): ClusterPlan {
  const { want } = compiled(parts);
  const mark = { instance: "i", sequence: 1, digest: wantDigest(want) };
  const pods = PODS.map((item) => ({ ...item, uid: item.name, node: "n1", hostNetwork: false, owner: undefined, ports: [] }));
  return planCluster({ want, mark, observation: new PolicyStore(live).observe("cluster/eu"), pods, membershipDigest: "" });
}

describe("selectors and structure", () => {
  test("1: namespaceSelector and podSelector in one peer are AND, two peers are OR, podSelector alone is the own namespace (bug: two peers read as one, or one as two)", () => {
    expect(reachDb([lets([{ ...inDev, ...isWeb }])])).toEqual(["dev/web"]);
    expect(reachDb([lets([inDev, isWeb])])).toEqual(["shop/web", "dev/web", "dev/tool"]);
    expect(reachDb([lets([isWeb])])).toEqual(["shop/web"]);
  });

  test("2: an absent podSelector selects every pod of the namespace; in a peer {} is all and absent is no condition (bug: a policy without podSelector isolates nobody)", () => {
    const deny = policy({ policyTypes: ["Ingress"] });
    expect(reachDb([deny])).toEqual([]);
    expect(ports([deny], "shop/db", "dev/web")).toBe("any");
    expect(reachDb([lets([{ podSelector: {} }])])).toEqual(["shop/web"]);
    expect(reachDb([lets([inDev])])).toEqual(["dev/web", "dev/tool"]);
  });

  test("3: namespaceSelector {} is every namespace; kubernetes.io/metadata.name cannot be forged (bug: {} leaves the own namespace out, or a label names another namespace)", () => {
    expect(reachDb([lets([{ namespaceSelector: {} }])])).toEqual(["shop/web", "dev/web", "dev/tool"]);
    const named = lets([{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "shop" } } }]);
    const forged: World = {
      ...world([named]),
      namespaces: NAMESPACES.map((item) => ({ ...item, labels: { "kubernetes.io/metadata.name": "shop" } })),
    };
    expect(formatPorts(evaluator(forged).connection(end("dev/web"), end("shop/db")))).toBe("nothing");
    expect(formatPorts(evaluator(forged).connection(end("shop/web"), end("shop/db")))).toBe("any");
  });

  test("4: NotIn and DoesNotExist match objects without the key (bug: a pod without the key is not matched, so a deny loses it)", () => {
    const not = (operator: string, values?: readonly string[]) => ({
      namespaceSelector: {},
      podSelector: { matchExpressions: [{ key: "tier", operator, values }] },
    });
    expect(reachDb([lets([not("NotIn", ["x"])])])).toEqual(["shop/web", "dev/web", "dev/tool"]);
    expect(reachDb([lets([not("DoesNotExist")])])).toEqual(["shop/web", "dev/web", "dev/tool"]);
  });

  test("5: ingress absent or [] denies all, [{}] allows all; absent and empty from and ports are any (bug: an empty list of rules allows all, or an empty rule nothing)", () => {
    const types = { podSelector: {}, policyTypes: ["Ingress"] };
    expect(reachDb([policy(types)])).toEqual([]);
    expect(reachDb([policy({ ...types, ingress: [] })])).toEqual([]);
    expect(reachDb([policy({ ...types, ingress: null })])).toEqual([]);
    for (const rule of [{}, { from: [] }, { ports: [] }, { from: null, ports: null }]) {
      expect(ports([policy({ ...types, ingress: [rule] })], "dev/web", "shop/db")).toBe("any");
      expect(ports([policy({ ...types, ingress: [rule] })], "8.8.8.8", "shop/db")).toBe("any");
    }
  });

  test("6: policyTypes absent is Ingress, and Egress only when egress has rules (bug: egress: [] denies DNS to everybody)", () => {
    const out = (spec: object): string => ports([policy({ podSelector: {}, ...spec })], "shop/web", "dev/web");
    expect(out({})).toBe("any");
    expect(out({ egress: [] })).toBe("any");
    expect(out({ egress: [], policyTypes: ["Egress"] })).toBe("nothing");
    expect(out({ egress: [{ ports: [{ port: 80 }] }] })).toBe("80/tcp");
    expect(out({ egress: [{ ports: [{ port: 80 }] }], policyTypes: ["Ingress"] })).toBe("any");
    expect(ports([policy({ podSelector: {}, egress: [{}] })], "dev/web", "shop/web")).toBe("nothing");
  });

  test("7: isolation is per direction, both ends must allow, allows add up (bug: the stricter of two policies wins, or one end is enough)", () => {
    const egress = (port: number) =>
      policy({ podSelector: { matchLabels: { app: "web" } }, policyTypes: ["Egress"], egress: [{ ports: [{ port }] }] });
    expect(ports([egress(80)], "shop/web", "shop/db")).toBe("80/tcp");
    expect(ports([egress(80), egress(81)], "shop/web", "shop/db")).toBe("80-81/tcp");
    expect(ports([egress(80), egress(81), lets([isWeb], [{ port: 81 }])], "shop/web", "shop/db")).toBe("81/tcp");
    expect(ports([egress(80)], "shop/db", "shop/web")).toBe("any");
    const baseline: PolicyObject = {
      kind: "BaselineAdminNetworkPolicy",
      metadata: { name: "default" },
      spec: {
        subject: { namespaces: {} },
        ingress: [{ action: "Deny", from: [{ namespaces: {} }] }],
        egress: [{ action: "Deny", to: [{ namespaces: {} }] }],
      },
    };
    expect(ports([baseline, egress(80)], "shop/web", "shop/db")).toBe("nothing"); // no NetworkPolicy isolates ingress of db
    expect(ports([baseline, egress(80), lets([isWeb])], "shop/web", "shop/db")).toBe("80/tcp");
  });

  test("8: pods carry their template's labels, and pods of one owner can differ (bug: the controller's own labels select its pods)", () => {
    const template = { metadata: { labels: { app: "web" } }, spec: { containers: [] } };
    const deployment = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "front", namespace: "shop", labels: { app: "front" } },
      spec: { template },
    };
    const { manifests } = readManifests(files({ "a.json": [deployment] }));
    const made = manifests?.world.pods ?? [];
    const [db] = PODS.filter(({ name }) => name === "db");
    expect(made.map(({ labels }) => labels)).toEqual([{ app: "web" }]);
    expect(ports([lets([isWeb])], "shop/front[Deployment]", "shop/db", undefined, [...made, db as WorldPod])).toBe("any");
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

  test("9: TCP by default, SCTP is never TCP, a protocol alone is all its ports, endPort is inclusive (bug: a port of one protocol opens another)", () => {
    expect(allowed([{ port: 80 }])).toBe("80/tcp");
    expect(allowed([{ port: 80, protocol: "SCTP" }])).toBe("80/sctp");
    expect(allowed([{ protocol: "UDP" }])).toBe("udp");
    expect(allowed([{}])).toBe("tcp");
    expect(allowed([{ port: 80, endPort: 82 }])).toBe("80-82/tcp");
    expect(allowed([{ port: 80, endPort: 79 }])).toBe("nothing");
    expect(allowed([{ port: "sql", endPort: 79 }])).toBe("nothing");
  });

  test("10: a named port is what each destination declares, by protocol; to nobody outside (bug: two pods' numbers of one name widen each other)", () => {
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

  test("11: policy sees the pod's port behind a Service; a Service's address in an ipBlock is told (bug: the Service's port is allowed)", () => {
    const on = (port: number): readonly PolicyObject[] => [lets([isWeb], [{ port }])];
    expect(toService(on(5432), "shop/web")).toMatchObject({ allowed: true, uncertain: [] });
    expect(toService(on(80), "shop/web")).toMatchObject({ allowed: false });
    expect(toService(on(5432), "shop/web", { port: 81 })).toMatchObject({
      allowed: false,
      uncertain: ["Service shop/db has no tcp port 81"],
    });
    const byAddress = policy({
      podSelector: { matchLabels: { app: "web" } },
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "10.96.0.7/32" } }] }],
    });
    expect(toService([byAddress], "shop/web")).toMatchObject({ egress: false, allowed: false });
    const spec = { clusterIP: "10.96.0.7", selector: { app: "db" }, ports: [{ port: 80, targetPort: 5432 }] };
    const service = { apiVersion: "v1", kind: "Service", metadata: { name: "db", namespace: "shop" }, spec };
    const { notes } = readManifests(files({ "a.json": [service, { apiVersion: "networking.k8s.io/v1", ...byAddress }] }));
    expect(notes.map(({ summary }) => summary)).toContainEqual(
      expect.stringMatching(/egress\[0\].*10\.96\.0\.7\/32 is the address of Service shop\/db/),
    );
  });
});

describe("ipBlock", () => {
  const block = (cidr: string, except?: readonly string[]) => ({ ipBlock: { cidr, ...(except === undefined ? {} : { except }) } });

  test("12: whether a block that covers a pod matches it is the enforcer's reading (bug: one enforcer's reading is told of all)", () => {
    expect(reachDb([lets([block("10.244.1.0/24")])])).toEqual(["dev/web", "dev/tool"]);
    expect(reachDb([lets([block("10.244.1.0/24")])], PROFILES.cilium)).toEqual([]);
    expect(ports([lets([block("10.9.0.0/24")])], "10.9.0.1", "shop/db", PROFILES.cilium)).toBe("any");
    const node = pod("dev/agent", {}, { addresses: ["192.168.0.1"], hostNetwork: true });
    expect(ports([lets([block("192.168.0.0/24")])], "dev/agent", "shop/db", undefined, [...PODS, node])).toBe("any");
    expect(ports([lets([block("192.168.0.0/24")])], "dev/agent", "shop/db", PROFILES.cilium, [...PODS, node])).toBe("nothing");
  });

  test("13: except subtracts inside its block only, another rule can allow it again, 0.0.0.0/0 is not IPv6 (bug: except takes away what another block gives, IPv4's default route opens IPv6)", () => {
    const holed = block("10.244.0.0/16", ["10.244.1.0/24"]);
    expect(reachDb([lets([holed])])).toEqual(["shop/web"]);
    expect(reachDb([lets([holed, block("10.244.1.1/32")])])).toEqual(["shop/web", "dev/web"]);
    expect(ports([lets([block("0.0.0.0/0")])], "8.8.8.8", "shop/db")).toBe("any");
    const dual = PODS.map((item) => (item.name === "db" ? { ...item, addresses: ["10.244.0.2", "fd00::2"] } : item));
    expect(ports([lets([block("0.0.0.0/0")])], "2001:db8::1", "shop/db", undefined, dual)).toBe("nothing");
    expect(ports([lets([block("::/0")])], "2001:db8::1", "shop/db", undefined, dual)).toBe("any");
  });

  test("14: where the source may be rewritten, traffic from outside is uncertain (bug: an ipBlock rule is trusted behind a load balancer)", () => {
    const rewriting: Profile = { ...KUBE_NETWORK_POLICIES, outsideSource: "rewritten" };
    const policies = [lets([block("10.9.0.0/24")])];
    const ask = (profile: Profile, from: string) =>
      evaluator(world(policies), profile).verdict(end(from), end("shop/db"), 80, "tcp");
    expect(ask(KUBE_NETWORK_POLICIES, "10.9.0.1")).toMatchObject({ allowed: true, uncertain: [] });
    expect(ask(rewriting, "10.9.0.1").uncertain).toHaveLength(1);
    expect(ask(rewriting, "shop/web").uncertain).toEqual([]);
    expect(toService(policies, "10.9.0.1").uncertain).toEqual([
      "through a Service, traffic from outside may arrive with a node's address as its source",
    ]);
    expect(toService(policies, "10.9.0.1", { keepsSource: true })).toMatchObject({ allowed: true, uncertain: [] });
    expect(toService([], "10.9.0.1")).toMatchObject({ allowed: true, uncertain: [] });
  });
});

describe("hosts and infrastructure", () => {
  const agent = pod("shop/agent", { app: "db" }, { addresses: ["192.168.0.1"], hostNetwork: true, node: "n1" });
  const withAgent = [...PODS.map((item) => ({ ...item, node: item.namespace === "shop" ? "n1" : "n2" })), agent];

  test("15: hostNetwork pods are no subjects, and peers by their node's address only, or as the profile says (bug: a label opens a path for a node)", () => {
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

  test("16: a pod's own node always reaches it, and the answer says so (bug: the hole is hidden)", () => {
    const deny = policy({ podSelector: {}, policyTypes: ["Ingress"] });
    const engine = evaluator(world([deny], withAgent));
    for (const from of ["192.168.0.1", "shop/agent"]) {
      const verdict = engine.verdict(end(from), end("shop/web"), 8080, "tcp");
      expect(verdict).toMatchObject({ allowed: true, why: [{ direction: "ingress", reason: "own-node" }, {}] });
    }
    expect(engine.verdict(end("192.168.0.9"), end("shop/web"), 8080, "tcp").allowed).toBe(false);
  });

  test("17: a pod reaches its own address; through a Service it differs by profile (bug: default deny cuts a pod off from itself)", () => {
    const deny = policy({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
    const denyIngress = policy({ podSelector: {}, policyTypes: ["Ingress"] });
    expect(ports([deny], "shop/db", "shop/db")).toBe("any");
    expect(ports([deny], "shop/db", "10.244.0.2")).toBe("any");
    expect(toService([deny], "shop/db", {}, PROFILES.cilium)).toMatchObject({ allowed: true, uncertain: [] });
    expect(toService([denyIngress], "shop/db", {}, PROFILES.antrea)).toMatchObject({ allowed: true, uncertain: [] });
    expect(toService([deny], "shop/db", {}, PROFILES.antrea)).toMatchObject({ ingress: true, egress: false, allowed: false });
    const elsewhere = toService([denyIngress], "shop/db");
    expect(elsewhere).toMatchObject({ allowed: false, uncertain: [expect.stringContaining("reaches itself through a Service")] });
    expect(toService([], "shop/db")).toMatchObject({ allowed: true, uncertain: [] });
  });

  test("18: default-deny egress leaves DNS open, NodeLocal DNS too, and both transports (bug: an isolated pod resolves no name)", () => {
    const dns = {
      namespace: "kube-system",
      name: "kube-dns",
      selector: { "k8s-app": "kube-dns" },
      clusterIps: ["10.96.0.10"],
      ports: [
        { protocol: "UDP", port: 53, targetPort: 5353 },
        { protocol: "TCP", port: 53, targetPort: 5353 },
      ],
    };
    const policies = realise({ segments: [segment("web", [app("web")], "off", "enforce")] }, { services: [dns] });
    const coredns = pod("kube-system/coredns", { "k8s-app": "kube-dns" }, { addresses: ["10.244.9.9"] });
    const engine = evaluator({
      ...world(policies, [...PODS, coredns]),
      namespaces: [...NAMESPACES, { name: "kube-system", labels: {} }],
    });
    const reach = (to: string): string => formatPorts(engine.connection(end("shop/web"), end(to)));
    expect([reach("kube-system/coredns"), reach("169.254.20.10"), reach("shop/db")]).toEqual([
      "5353/tcp, 5353/udp",
      "53/tcp, 53/udp",
      "nothing",
    ]);
  });

  test("19: ICMP is by the profile; a rule with ports never opens it (bug: ICMP told as allowed or denied where nobody knows)", () => {
    const ask = (profile: Profile, list?: unknown) =>
      evaluator(world([lets([isWeb], list)]), profile).verdict(end("shop/web"), end("shop/db"), 8 * 256, "icmp");
    for (const profile of [PROFILES.calico, PROFILES.antrea, PROFILES.cilium, PROFILES["ovn-kubernetes"]]) {
      expect(ask(profile, [{ port: 80 }])).toMatchObject({ allowed: false, uncertain: [] });
      expect(ask(profile)).toMatchObject({ allowed: true, uncertain: [] });
    }
    expect(ask(KUBE_NETWORK_POLICIES, [{ port: 80 }])).toMatchObject({
      allowed: false,
      uncertain: [expect.stringContaining("ICMP")],
    });
    expect(ask(KUBE_NETWORK_POLICIES).uncertain).toHaveLength(1);
    expect(evaluator(world([])).verdict(end("shop/web"), end("shop/db"), 8 * 256, "icmp")).toMatchObject({
      allowed: true,
      uncertain: [],
    });
  });
});

describe("time and state", () => {
  test("20: no text says that a running session is cut, and hosts let it go on (bug: a promise that no enforcer keeps)", () => {
    const effect = connectivityDiff(world([]), world([lets([isWeb], [{ port: 80 }])]));
    const steps = planned({ segments: [segment("web", [app("web")], "enforce", "enforce")] }).steps.map(({ why }) => why);
    expect(effect.closed.length).toBeGreaterThan(0);
    for (const line of [...formatEffect(effect), ...steps])
      expect(line).not.toMatch(/established|session|terminat|existing|cut off/i);
    const rule = JSON.stringify(establishedRule(INGRESS));
    expect(rule).toContain('["established","related"]');
    expect(rule).toContain('"accept"');
  });

  test("21: a pod is isolated from birth, and nothing is promised without an enforcer (bug: policies come after the pods they are for)", () => {
    const closed = { segments: [segment("web", [app("web")], "enforce")] };
    const before = realise(closed); // rendered while nothing matches
    expect(before.map(({ metadata }) => metadata.namespace)).toEqual(["dev", "shop"]);
    expect(ports(before, "shop/web", "shop/new", undefined, [...PODS, pod("shop/new", { app: "web" })])).toBe("nothing");
    const nobody = compiled(closed, {}, cluster("eu", { enforcer: "none" }));
    expect(nobody.notes.map(({ summary }) => summary)).toContainEqual(
      expect.stringContaining("has no enforcer, so the policies will not do"),
    );
  });

  test("22: Succeeded and Failed pods are gone, their address is somebody else's; terminating ones stay (bug: a finished pod's labels open a path for the next owner of its address)", () => {
    const done = PODS.map((item) => (item.name === "web" && item.namespace === "shop" ? { ...item, phase: "Succeeded" } : item));
    const reused = [...done, pod("shop/new", { app: "new" }, { addresses: ["10.244.0.1"], phase: "Running" })];
    expect(ports([lets([isWeb])], "10.244.0.1", "shop/db", undefined, reused)).toBe("nothing");
    expect(evaluator(world([], reused)).verdict(end("shop/web"), end("shop/db"), 1, "tcp").uncertain).toEqual([
      "pod shop/web is not known",
    ]);
  });

  test("23: order inside peer lists means nothing (bug: a reordered list is drift)", () => {
    const peers = [isWeb, inDev, { ipBlock: { cidr: "10.9.0.0/24" } }];
    const effect = connectivityDiff(world([lets(peers)]), world([lets(peers.toReversed())]));
    expect(effect).toMatchObject({ kind: "equivalent", opened: [], closed: [], uncertain: [] });
  });

  test("24: at no step does a pod lose or gain what both ends of the plan agree on (bug: a split realisation closes an allowed port)", () => {
    const far = Array.from({ length: 2_500 }, (_, index) => `10.${index >> 8}.${index & 255}.9`);
    const rules = [policyDefinition("p", rule("far", "web", "80/tcp"), rule("any", "web", "9100/tcp"))];
    const parts = {
      segments: [segment("web", [app("web")], "enforce"), segment("far", [addressesMember(...far)])],
      policies: rules,
    };
    const { steps } = planned(parts);
    expect(steps.length).toBeGreaterThan(2);
    const asked = ["10.0.0.9", "10.9.195.9", "198.51.100.1"];
    const answers = steps.map((_, index) => {
      const live = afterSteps([], steps.slice(0, index + 1)) as readonly PolicyObject[];
      return asked.map((from) => ports(live, from, "shop/web"));
    });
    const wanted = ["80/tcp, 9100/tcp", "80/tcp, 9100/tcp", "9100/tcp"];
    for (const answer of answers) answer.forEach((open, index) => expect(["any", wanted[index]]).toContain(open));
    expect(answers.at(-1)).toEqual(wanted);
  });

  test("25: what selects nothing is valid, rendered and told (bug: a typing error in a selector goes unseen)", () => {
    const effect = connectivityDiff(world([]), world([policy({ podSelector: { matchLabels: { app: "nobody" } } }, "idle")]));
    expect(effect).toMatchObject({ kind: "equivalent", notes: ["shop/idle selects 0 pods now"] });
    const defs = definitions({ clusters: [cluster("eu")], segments: [segment("web", [app("nobody")], "enforce")] });
    const { notes } = computeMembership(defs, cluster("eu"), inventory("eu", { namespaces: [namespace("shop")] }), 0);
    expect(notes.map(({ summary }) => summary)).toContainEqual(expect.stringContaining("selects 0 now"));
    expect(realise({ segments: [segment("web", [app("nobody")], "enforce")] })).toHaveLength(2);
  });
});

describe("others", () => {
  test("26: Calico's failsafe ports are holes of hosts, never of pods; labels of hostNetwork pods match nothing (bug: a closed port 22 of a pod is told as open)", () => {
    const agent = pod("shop/agent", { app: "db" }, { addresses: ["192.168.0.1"], hostNetwork: true });
    const deny = policy({ podSelector: {}, policyTypes: ["Ingress"] });
    const engine = evaluator(world([deny], [...PODS, agent]), PROFILES.calico);
    const why = (to: string, port: number): string => engine.verdict(end("8.8.8.8"), end(to), port, "tcp").why[0]?.text ?? "";
    expect(why("shop/agent", 22)).toContain("tcp 22 is a failsafe port of calico");
    expect(why("192.168.0.1", 6443)).toContain("tcp 6443 is a failsafe port of calico");
    expect(why("192.168.0.1", 8080)).not.toContain("failsafe");
    expect(why("8.8.4.4", 22)).not.toContain("failsafe");
    expect(formatPorts(PROFILES.calico.hostFailsafe)).toBe(
      "22/tcp, 179/tcp, 2379-2380/tcp, 5473/tcp, 6443/tcp, 6666-6667/tcp, 68/udp",
    );
    expect(engine.verdict(end("8.8.8.8"), end("shop/db"), 22, "tcp").allowed).toBe(false);
    const fromDb = policy({
      podSelector: { matchLabels: { app: "web" } },
      ingress: [{ from: [{ podSelector: { matchLabels: { app: "db" } } }] }],
    });
    expect(ports([fromDb], "shop/agent", "shop/web", PROFILES.calico, [...PODS, agent])).toBe("nothing");
    expect(ports([fromDb], "shop/db", "shop/web", PROFILES.calico, [...PODS, agent])).toBe("any");
  });

  test("27: ClusterNetworkPolicy: lower priority first, Pass goes on, an unknown peer fails closed, ties and excess are refused (bug: a tie decided by chance)", () => {
    const tiered = (name: string, spec: object): PolicyObject => ({
      kind: "ClusterNetworkPolicy",
      metadata: { name },
      spec: { subject: { namespaces: {} }, ...spec },
    });
    const from = [{ namespaces: {} }];
    const accept80 = { action: "Accept", from, protocols: [{ tcp: { destinationPort: { number: 80 } } }] };
    const admin = (priority: number, ...ingress: object[]): PolicyObject =>
      tiered(`a${priority}`, { tier: "Admin", priority, ingress });
    expect(ports([admin(2, accept80), admin(1, { action: "Deny", from })], "dev/web", "shop/db")).toBe("nothing");
    expect(ports([admin(1, accept80), admin(2, { action: "Deny", from })], "dev/web", "shop/db")).toBe("80/tcp");
    expect(
      ports(
        [admin(1, { action: "Pass", from }), admin(2, { action: "Deny", from }), lets([inDev], [{ port: 81 }])],
        "dev/web",
        "shop/db",
      ),
    ).toBe("81/tcp");
    const baseline = tiered("b", { tier: "Baseline", priority: 0, ingress: [{ action: "Deny", from }] });
    expect(ports([baseline], "dev/web", "shop/db")).toBe("nothing");
    expect(ports([baseline, lets([inDev])], "dev/web", "shop/db")).toBe("any");
    for (const action of ["Accept", "Deny"]) {
      const odd = [admin(1, { action, from: [{ serviceAccounts: {} }] }), lets([isWeb])];
      expect(ports(odd, "dev/web", "shop/db")).toBe("nothing");
      expect(evaluator(world(odd)).verdict(end("dev/web"), end("shop/db"), 80, "tcp").uncertain).not.toEqual([]);
    }
    const reasons = (...policies: PolicyObject[]): string => {
      const objects = policies.map((object) => ({ apiVersion: "policy.networking.k8s.io/v1alpha2", ...object }));
      return readManifests(files({ "a.json": objects }))
        .notes.filter(({ severity }) => severity === "error")
        .map(({ summary }) => summary)
        .join();
    };
    expect(reasons(admin(1, accept80), { ...admin(1, accept80), metadata: { name: "other" } })).toContain("has the priority 1");
    expect(reasons(admin(1_001, accept80))).toContain("from 0 to 1000");
    expect(reasons(admin(1, ...Array<object>(26).fill(accept80)))).toContain("must not hold more than 25");
    expect(reasons(admin(1, { ...accept80, from: Array<object>(26).fill({ namespaces: {} }) }))).toContain(
      "must not hold more than 25",
    );
    expect(reasons(admin(1, { action: "Deny", from: [{ networks: ["10.0.0.0/8"] }] }))).toContain("networks is not known");
    expect(reasons(admin(1, accept80))).toBe("");
  });

  test("28: what is rendered stays below the limits of etcd and of enforcers, and means the same (bug: an object that no API server takes)", () => {
    const far = Array.from({ length: 4_000 }, (_, index) => `10.${index >> 8}.${index & 255}.9`);
    const rules = [policyDefinition("p", rule("far", "web", "80/tcp"))];
    const parts = {
      segments: [segment("web", [app("web")], "enforce"), segment("far", [addressesMember(...far)])],
      policies: rules,
    };
    const policies = realise(parts).filter(({ metadata }) => metadata.namespace === "shop");
    expect(policies.length).toBeGreaterThan(3);
    for (const object of policies) {
      const text = JSON.stringify(object);
      expect(text.length).toBeLessThan(1.5 * 1024 * 1024);
      expect(text.split('"cidr"').length - 1).toBeLessThanOrEqual(1_000);
    }
    const engine = evaluator(world(policies));
    for (const address of [far[0], far[1_999], far[3_999]] as string[]) {
      expect(formatPorts(engine.connection(end(address), end("shop/web")))).toBe("80/tcp");
    }
    expect(formatPorts(engine.connection(end("10.0.0.8"), end("shop/web")))).toBe("nothing");
  });

  test("29: both addresses of a pod count, each in its family; a pod without one is matched by labels only (bug: only the first address of a pod counts)", () => {
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

  test("30: equality is of effect: other words are no drift, one label of a namespace is (bug: equal texts are taken for equal effect)", () => {
    const one = world([lets([inDev])]);
    const relabelled: World = {
      ...one,
      namespaces: [...NAMESPACES.slice(0, 1), { name: "dev", labels: {} }, { name: "new", labels: {} }],
    };
    expect(connectivityDiff(relabelled, one)).toMatchObject({
      kind: "opens",
      opened: [{ from: "every pod of dev", to: "shop/db", ports: "any port" }],
    });
    const otherWords = lets([{ namespaceSelector: { matchExpressions: [{ key: "team", operator: "In", values: ["dev"] }] } }]);
    expect(connectivityDiff(one, world([otherWords]))).toMatchObject({ kind: "equivalent" });
    const parts = {
      segments: [segment("web", [app("web")], "enforce")],
      policies: [policyDefinition("p", rule("any", "web", "80/tcp"))],
    };
    const live = realise(parts).map((object) => ({
      ...object,
      spec: {
        ...object.spec,
        ingress: (object.spec.ingress ?? []).map((item) => ({ from: [], ...item, ports: [...(item.ports ?? [])].reverse() })),
      },
    }));
    expect(planned(parts, live).steps).toEqual([]);
  });
});
