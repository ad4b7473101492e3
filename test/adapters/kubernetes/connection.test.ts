/** A whole cluster connection on a real control plane. */
import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ClusterConnection, type ClusterChange } from "../../../adapters/kubernetes/connection.ts";
import { createNamespace, startCluster, type TestCluster } from "../../../testbed/cluster.ts";
import { createNode } from "../../../testbed/nodes.ts";
import { createPod, createService, deletePod, setPodPhase } from "../../../testbed/pods.ts";
import { openRun, type Run } from "../../../testbed/run.ts";
import { until } from "../../support/until.ts";
import { proxyKubeconfig, startProxy } from "./front.ts";

const soon = (): AbortSignal => AbortSignal.timeout(20_000);

let run: Run;
let cluster: TestCluster;

beforeAll(async () => {
  run = openRun();
  cluster = await startCluster({ run, name: "connection" });
  await createNode(cluster, { name: "node-1" });
  await createNamespace(cluster, "shop", { team: "shop" });
  await createPod(cluster, { namespace: "shop", name: "a", labels: { app: "a" } });
});

afterAll(async () => {
  await run?.close();
});

function open(
  file = cluster.kubeconfig,
  context = cluster.context,
  onChange: (change: ClusterChange) => void = () => undefined,
): ClusterConnection {
  return ClusterConnection.open({
    target: "cluster/eu",
    source: { kind: "kubeconfig", file, context },
    onChange,
    timing: { firstPauseMs: 20, longestPauseMs: 200 },
  });
}

describe("the inventory", () => {
  it("holds every workload, the cluster's UID and the essential services, and follows changes", async () => {
    const changes: ClusterChange[] = [];
    await using connection = open(undefined, undefined, (change) => changes.push(change));
    expect(connection.inventory()).toMatchObject({ complete: false, pods: [], namespaces: [] });
    expect(connection.observation().completeness).toBe("failed");
    await connection.synced(soon());
    await until(() => connection.health().isCurrent);
    const inventory = connection.inventory();
    expect(inventory).toMatchObject({ kind: "cluster", target: "cluster/eu", complete: true, uid: await cluster.uid() });
    expect(inventory.namespaces).toContainEqual(
      expect.objectContaining({ name: "shop", labels: expect.objectContaining({ team: "shop" }) as unknown }),
    );
    expect(inventory.pods.map(({ name }) => name)).toEqual(["a"]);
    expect(inventory.nodes.map(({ name }) => name)).toEqual(["node-1"]);
    expect(inventory.services.map(({ namespace, name }) => `${namespace}/${name}`)).toEqual(["default/kubernetes"]);

    const late = await createPod(cluster, { namespace: "shop", name: "b", labels: { app: "b" } });
    await until(() => connection.inventory().pods.find(({ name }) => name === "b")?.addresses.length === 1);
    await setPodPhase(cluster, late, "Succeeded");
    await until(() => connection.inventory().pods.every(({ name }) => name !== "b"));
    await deletePod(cluster, late);
    expect(changes).toContainEqual({ kind: "inventory", event: { kind: "pod-gone", key: "shop/b" } });
    expect(connection.health().error).toBeUndefined();
  });

  it("is incomplete while the API server is away, keeps what it knew, and is complete again", async () => {
    await using connection = open();
    await until(() => connection.health().isCurrent);
    await cluster.stopApiServer();
    await until(() => !connection.inventory().complete);
    expect(connection.inventory().pods.map(({ name }) => name)).toEqual(["a"]);
    expect(connection.observation().completeness).not.toBe("failed");
    expect(connection.health().error).toContain("CLUSTER_UNREACHABLE");
    await expect(connection.readObservation(soon())).rejects.toMatchObject({ code: "CLUSTER_UNREACHABLE" });
    await cluster.startApiServer();
    await until(() => connection.inventory().complete, 30_000);
    expect(connection.inventory().pods.map(({ name }) => name)).toEqual(["a"]);
  });
});

describe("a fresh read", () => {
  it("has every policy of every namespace, and asks for the UID each time (the bug: another cluster at the same address)", async () => {
    await using proxy = await startProxy(cluster);
    await using connection = open(proxyKubeconfig(cluster, proxy.server), "front");
    const spec = { podSelector: {}, policyTypes: ["Ingress"], ingress: [] };
    await cluster.api.put("/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies", {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "theirs" },
      spec,
    });
    const observation = await connection.readObservation(soon());
    expect(observation).toMatchObject({ completeness: "complete", uid: await cluster.uid() });
    expect(observation.policies.map(({ object }) => object.metadata.name)).toEqual(["theirs"]);
    proxy.instead = ({ url }) =>
      url.endsWith("/kube-system") ? { status: 200, body: { metadata: { name: "kube-system", uid: "another" } } } : undefined;
    expect((await connection.readObservation(soon())).uid).toBe("another");
  });

  it("is the list or an error: a page that expires begins it anew (the bug: 500 policies pruned as not there)", async () => {
    await using proxy = await startProxy(cluster);
    await using connection = open(proxyKubeconfig(cluster, proxy.server), "front");
    const page = (names: readonly string[], token: string) => ({
      status: 200,
      body: {
        kind: "NetworkPolicyList",
        metadata: { resourceVersion: "9", continue: token },
        items: names.map((name) => ({ metadata: { name, namespace: "shop" }, spec: {} })),
      },
    });
    let expiries = 1;
    proxy.instead = ({ url }) => {
      if (!url.includes("/networkpolicies?limit")) return undefined;
      if (!url.includes("continue=")) return page(["one"], "more");
      return expiries-- > 0 ? { status: 410, body: { code: 410 } } : page(["two"], "");
    };
    const { policies } = await connection.readObservation(soon());
    expect(policies.map(({ object }) => object.metadata.name)).toEqual(["one", "two"]);
    expiries = 100;
    await expect(connection.readObservation(soon())).rejects.toMatchObject({ code: "CONFLICT" });
  });
});

describe("opening and closing", () => {
  it("a context that is missing is an error of every read, and mended without a restart", async () => {
    const file = join(run.makeFolder("mended"), "kubeconfig");
    await using connection = open(file, "front");
    await expect(connection.readObservation(soon())).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    writeFileSync(file, "apiVersion: v1\nkind: Config\ncontexts: []\n");
    await expect(connection.readObservation(soon())).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    await until(() => connection.health().error?.includes('no context "front"') === true);
    await using proxy = await startProxy(cluster);
    const good = proxyKubeconfig(cluster, proxy.server);
    rmSync(file);
    await using other = open(good, "front");
    await other.synced(soon());
    writeFileSync(file, readFileSync(good));
    await connection.synced(soon());
  });

  it("waiting for the first look ends when the deadline passes or the connection is closed, and says why", async () => {
    await using proxy = await startProxy();
    proxy.instead = () => ({ status: 503 });
    const connection = open(proxyKubeconfig(cluster, proxy.server), "front");
    await expect(connection.synced(AbortSignal.timeout(300))).rejects.toMatchObject({ code: "CLUSTER_UNREACHABLE" });
    const waiting = connection.synced(soon());
    const closing = connection[Symbol.asyncDispose]();
    await expect(waiting).rejects.toMatchObject({ code: "CLUSTER_UNREACHABLE" });
    await closing;
  });

  it("leaves nothing behind: the process ends by itself (the bug: a timer or socket that keeps it)", async () => {
    const script = join(import.meta.dirname, "open-and-close.ts");
    const { stdout } = await promisify(execFile)(process.execPath, [script, cluster.kubeconfig, cluster.context], {
      timeout: 30_000,
    });
    expect(stdout).toBe("closed\n");
  });
});

describe("the enforcer", () => {
  it("is none until its DaemonSet is there (the bug: policies that do nothing, shown as in force)", async () => {
    await using connection = open();
    expect(await connection.detectEnforcer(soon())).toBe("none");
    for (const [name, enforcer] of [
      ["kube-network-policies", "kube-network-policies"],
      ["cilium", "cilium"],
      ["calico-node", "calico"],
    ] as const) {
      const labels = { app: name };
      await cluster.api.put("/apis/apps/v1/namespaces/kube-system/daemonsets", {
        apiVersion: "apps/v1",
        kind: "DaemonSet",
        metadata: { name },
        spec: {
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name, image: "none" }] } },
        },
      });
      expect(await connection.detectEnforcer(soon())).toBe(enforcer);
    }
    await createService(cluster, {
      namespace: "kube-system",
      name: "kube-dns",
      selector: { "k8s-app": "kube-dns" },
      ports: ["53/udp"],
    });
    await until(() => connection.inventory().services.some(({ name }) => name === "kube-dns"));
  });
});
