/** Needs root, nftables, iproute2, iptables, openssh and the built control plane and enforcer. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { command } from "../../testbed/command.ts";
import { createNamespace, type TestCluster } from "../../testbed/cluster.ts";
import { isFree } from "../../testbed/ports.ts";
import { createPod, deletePod, movePod, relabelPod, type TestPod } from "../../testbed/pods.ts";
import { probe, probeWithReason, resolveFrom } from "../../testbed/probe.ts";
import { waitFor } from "../../testbed/wait.ts";
import { createWorld, type World } from "../../testbed/world.ts";

const POLICIES = "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies";

let world: World;
let eu: TestCluster;
let us: TestCluster;
let orderInput: TestPod;
let custRecord: TestPod;
let abroad: TestPod;

beforeAll(async () => {
  world = await createWorld({
    clusters: [
      { name: "shop-eu", nodes: ["node-1", "node-2"] },
      { name: "shop-us", enforcer: false },
    ],
    hosts: [{ name: "ldap-blue-1", ports: ["636/tcp", "123/udp"] }, { name: "ldap-red-1" }],
    externals: [{ name: "mainframe", ports: ["3270/tcp"] }],
    readCommand: 'printf "%s" "read-back, not $SSH_ORIGINAL_COMMAND"',
  });
  [eu, us] = [world.cluster("shop-eu"), world.cluster("shop-us")];
  await Promise.all([eu, us].map((cluster) => createNamespace(cluster, "shop")));
  orderInput = await createPod(eu, { namespace: "shop", name: "order-input", labels: { app: "orderInput" }, ports: ["8443/tcp"] });
  const ports = ["8443/tcp", "9000/udp"];
  custRecord = await createPod(eu, {
    namespace: "shop",
    name: "cust-record",
    labels: { app: "custRecord" },
    node: "node-2",
    ports,
  });
  abroad = await createPod(us, { namespace: "shop", name: "cust-record", labels: { app: "custRecord" }, ports: ["8443/tcp"] });
});

afterAll(async () => {
  await world?.close();
});

/** A default deny of ingress for pods with this label. */
function deny(name: string, app: string): { metadata: { name: string }; [key: string]: unknown } {
  const spec = { podSelector: { matchLabels: { app } }, policyTypes: ["Ingress"], ingress: [] };
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name }, spec };
}

async function becomes(wanted: "open" | "closed", from: TestPod, to: TestPod): Promise<void> {
  await waitFor(async () => (await probe(from, to, { port: 8443, timeoutMs: 200 })) === wanted, {
    what: `the path is ${wanted}`,
    timeoutMs: 10_000,
  });
}

describe("a world", () => {
  it("routes everything to everything (the bug: a deny that only looks like one, because no route was there)", async () => {
    const host = world.host("ldap-blue-1");
    const verdicts = {
      "pod to pod, other node": await probe(orderInput, custRecord, { port: 8443 }),
      "pod to pod, udp": await probe(orderInput, custRecord, { port: 9000, protocol: "udp" }),
      "cluster to cluster": await probe(orderInput, abroad, { port: 8443 }),
      "pod to host": await probe(orderInput, host, { port: 636 }),
      "pod to host, udp": await probe(orderInput, host, { port: 123, protocol: "udp" }),
      "host to pod": await probe(host, custRecord, { port: 8443 }),
      "host to host": await probe(host, world.host("ldap-red-1"), { port: 22 }),
      "pod to external": await probe(orderInput, world.external("mainframe"), { port: 3270 }),
      "pod to its API server": await probe(orderInput, world.rootAddress, { port: Number(new URL(eu.server).port) }),
      "root to host": await probe(world.root, host, { port: 22 }),
    };
    expect(Object.entries(verdicts).filter(([, verdict]) => verdict !== "open")).toEqual([]);
    expect(await probeWithReason(orderInput, custRecord, { port: 1 })).toEqual({ verdict: "closed", why: "refused" });
  });

  it("lets the enforcer decide: a policy closes, its removal opens (the bug: policies that do not do a thing)", async () => {
    await eu.api.put(POLICIES, deny("deny", "custRecord"));
    await becomes("closed", orderInput, custRecord);
    expect((await probeWithReason(orderInput, custRecord, { port: 8443 })).why).toBe("timeout");
    expect(await probe(custRecord, orderInput, { port: 8443 })).toBe("open");
    await eu.api.remove(`${POLICIES}/deny`);
    await becomes("open", orderInput, custRecord);
  });

  it("decides by address too: ipBlock in, ipBlock out (what reaches across targets)", async () => {
    const [blue, red] = [world.host("ldap-blue-1"), world.host("ldap-red-1")];
    const block = (place: { address: string }): object => ({ ipBlock: { cidr: `${place.address}/32` } });
    const spec = {
      podSelector: { matchLabels: { app: "orderInput" } },
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ from: [block(blue), block(abroad)], ports: [{ protocol: "TCP", port: 8443 }] }],
      egress: [{ to: [block(blue)], ports: [{ protocol: "TCP", port: 636 }] }],
    };
    await eu.api.put(POLICIES, { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "across" }, spec });
    const closed = async (): Promise<boolean> => (await probe(red, orderInput, { port: 8443, timeoutMs: 200 })) === "closed";
    await waitFor(closed, { what: "the other host is closed out", timeoutMs: 10_000 });
    const verdicts = await Promise.all([
      probe(blue, orderInput, { port: 8443 }),
      probe(abroad, orderInput, { port: 8443 }),
      probe(custRecord, orderInput, { port: 8443 }),
      probe(orderInput, blue, { port: 636 }),
      probe(orderInput, blue, { port: 123, protocol: "udp" }),
      probe(orderInput, world.external("mainframe"), { port: 3270 }),
    ]);
    expect(verdicts).toEqual(["open", "open", "closed", "open", "closed", "closed"]);
    await eu.api.remove(`${POLICIES}/across`);
    const open = async (): Promise<boolean> => (await probe(orderInput, custRecord, { port: 8443, timeoutMs: 200 })) === "open";
    await waitFor(open, { what: "the way out is open again", timeoutMs: 10_000 });
  });

  it("has a cluster whose policies do nothing, when it was started without an enforcer", async () => {
    await us.api.put(POLICIES, deny("deny", "custRecord"));
    expect(await probe(orderInput, abroad, { port: 8443 })).toBe("open");
  });

  it("answers DNS where a cluster has it, over UDP and TCP", async () => {
    const dns = eu.pods.get("kube-system/coredns");
    expect(dns).toBeDefined();
    if (dns === undefined) return;
    expect(await resolveFrom(orderInput, dns, { name: "kubernetes.default.svc.cluster.local" })).toBe("10.96.0.1");
    expect(await resolveFrom(orderInput, dns, { name: "no.such.name", protocol: "tcp" })).toBe("nxdomain");
    const path = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices";
    await waitFor(async () => JSON.stringify(await eu.api.get(path)).includes(dns.address), {
      what: "the EndpointSlice names the DNS pod",
    });
  });

  it("moves, relabels and deletes pods", async () => {
    const pod = await createPod(eu, { namespace: "shop", name: "nomad", labels: { app: "a" }, ports: ["8443/tcp"] });
    const relabelled = await relabelPod(eu, pod, { tier: "b" });
    const moved = await movePod(eu, relabelled, { node: "node-2" });
    expect(moved.address).not.toBe(pod.address);
    expect((await eu.api.get("/api/v1/namespaces/shop/pods/nomad")).metadata.labels).toEqual({ tier: "b" });
    // The enforcer hears of the pod's new address a moment after the API server did.
    const isOpen = async (): Promise<boolean> => (await probe(orderInput, moved, { port: 8443 })) === "open";
    await waitFor(isOpen, { what: "the moved pod answers", timeoutMs: 20_000, everyMs: 100 });
    expect(await probe(orderInput, pod, { port: 8443 })).toBe("closed");
    await deletePod(eu, moved);
    await expect(eu.api.get("/api/v1/namespaces/shop/pods/nomad")).rejects.toMatchObject({ status: 404 });
  });

  it("gives hosts an sshd with pinned keys, a read key that can only read back, and an nftables of their own", async () => {
    const [host, other] = [world.host("ldap-blue-1"), world.host("ldap-red-1")];
    const options = [
      "-F",
      "none",
      "-o",
      "IdentitiesOnly=yes",
      "-o",
      `UserKnownHostsFile=${world.knownHosts}`,
      "-o",
      "BatchMode=yes",
    ];
    const ssh = (key: string, script: string) => command(["ssh", ...options, "-i", key, `root@${host.address}`, script]);
    expect(await ssh(world.sshKey, "nft add table inet firebreak && nft list tables")).toBe("table inet firebreak\n");
    expect(await other.exec("nft list tables")).toBe("");
    expect(await ssh(world.sshReadKey, "nft flush ruleset")).toBe("read-back, not nft flush ruleset");
    await host.exec("nft add chain inet firebreak input '{ type filter hook input priority -5; policy drop; }'");
    expect(await probe(orderInput, host, { port: 636, timeoutMs: 200 })).toBe("closed");
    await host.exec("nft delete table inet firebreak");
    expect(await probe(orderInput, host, { port: 636 })).toBe("open");
  });

  it("takes a host down and up, and its sshd", async () => {
    const host = world.host("ldap-red-1");
    await host.down();
    expect(await probe(world.root, host, { port: 22, timeoutMs: 200 })).toBe("closed");
    await host.up();
    await host.restartSshd();
    expect(await probe(world.root, host, { port: 22 })).toBe("open");
  });

  it("restarts an API server on its port, with what it held", async () => {
    const uid = await eu.uid();
    await eu.stopApiServer();
    expect(await isFree(world.rootAddress, Number(new URL(eu.server).port))).toBe(true);
    await eu.startApiServer();
    expect(await eu.uid()).toBe(uid);
  });
});

describe("another world at the same time", () => {
  it("stands beside the first, and leaves nothing (the bug: two test files that take each other's addresses)", async () => {
    const second = await createWorld({ hosts: [{ name: "ldap-blue-1" }] });
    expect(second.plan.index).not.toBe(world.plan.index);
    expect(await probe(second.root, second.host("ldap-blue-1"), { port: 22 })).toBe("open");
    const device = `fbw${second.plan.index}`;
    await second.close();
    expect(await command(["ip", "netns", "list"])).not.toContain(second.run.id);
    await waitFor(async () => !(await command(["ip", "link", "show"])).includes(`${device}@`), { what: `${device} is gone` });
    expect(await probe(world.root, world.host("ldap-blue-1"), { port: 22 })).toBe("open");
  });

  it("is refused the ranges of the first, and leaves nothing", async () => {
    const before = await command(["ip", "netns", "list"]);
    await expect(createWorld({ index: world.plan.index })).rejects.toThrow("no room for a world");
    const ours = (list: string): readonly string[] =>
      list.split("\n").filter((line) => line.includes(world.run.id.split(".").slice(0, 2).join(".")));
    expect(ours(await command(["ip", "netns", "list"]))).toEqual(ours(before));
  });
});
