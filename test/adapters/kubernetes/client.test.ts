/** The HTTP client against a real API server, and against answers that one cannot be brought to give. Needs the built control plane. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KubernetesClient } from "../../../adapters/kubernetes/client.ts";
import { errorChain } from "../../../core/ground/error.ts";
import { createNamespace, startCluster, type TestCluster } from "../../../testbed/cluster.ts";
import { openRun, type Run } from "../../../testbed/run.ts";
import { credentialsFor, plainCredentials, startForwarder, startProxy } from "./front.ts";

const POLICIES = "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies";
const { signal } = new AbortController();

let run: Run;
let cluster: TestCluster;

beforeAll(async () => {
  run = openRun();
  cluster = await startCluster({ run, name: "client" });
  await createNamespace(cluster, "shop");
});

afterAll(async () => {
  await run?.close();
});

function policy(name: string, extra: object = {}): object {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: "shop" },
    spec: { podSelector: {} },
    ...extra,
  };
}

describe("a real API server", () => {
  it("answers 1,000 reads over a handful of TLS connections (the bug: a handshake per request)", async () => {
    await using forwarder = await startForwarder(cluster);
    await using client = new KubernetesClient(credentialsFor(cluster, forwarder.server));
    for (let round = 0; round < 50; round++) {
      await Promise.all(Array.from({ length: 20 }, () => client.call("GET", "/api/v1/namespaces/kube-system", { signal })));
    }
    console.log(`1,000 reads, 20 at a time: ${forwarder.accepted()} TLS connections`);
    expect(forwarder.accepted()).toBeGreaterThan(1); // more than one, so that a dead one does not take all others with it
    expect(forwarder.accepted()).toBeLessThanOrEqual(16);
  });

  it.each([
    [
      "an object that is there already",
      "CONFLICT",
      async (client: KubernetesClient) => {
        await client.call("POST", POLICIES, { body: policy("twice"), signal });
        await client.call("POST", POLICIES, { body: policy("twice"), signal });
      },
    ],
    ["an object that is not there", "NOT_FOUND", (client: KubernetesClient) => client.call("GET", `${POLICIES}/none`, { signal })],
    [
      "an object that is not valid (422)",
      "API_REFUSED",
      (client: KubernetesClient) => client.call("POST", POLICIES, { body: policy("No_Name"), signal }),
    ],
    [
      "a body that is no object (400)",
      "API_REFUSED",
      (client: KubernetesClient) => client.call("POST", POLICIES, { body: [1], signal }),
    ],
  ])("%s is %s", async (_what, code, act) => {
    await using client = new KubernetesClient(credentialsFor(cluster));
    await expect(act(client)).rejects.toMatchObject({ code });
  });

  it("tells who we are not (401) and what we may not (403), without the token", async () => {
    await using stranger = new KubernetesClient(credentialsFor(cluster, cluster.server, "no-such-token"));
    await using reader = new KubernetesClient(credentialsFor(cluster, cluster.server, cluster.readerToken));
    for (const attempt of [
      () => stranger.call("GET", POLICIES, { signal }),
      () => reader.call("POST", POLICIES, { body: policy("mine"), signal }),
      () => stranger.watch(POLICIES, { watch: "1" }, signal),
    ]) {
      const error = await attempt().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ code: "CLUSTER_FORBIDDEN" });
      expect(errorChain(error).join()).not.toContain("no-such-token");
    }
  });

  it("calls a write into a namespace that is going away a conflict (the bug: a person is asked for rights nobody lacks)", async () => {
    await using client = new KubernetesClient(credentialsFor(cluster));
    await createNamespace(cluster, "leaving");
    await cluster.api.call("POST", "/api/v1/namespaces/leaving/configmaps", {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "holds", finalizers: ["firebreak.test/hold"] },
    });
    await cluster.api.call("DELETE", "/api/v1/namespaces/leaving");
    const body = { ...policy("late"), metadata: { name: "late", namespace: "leaving" } };
    await expect(client.call("POST", POLICIES.replace("shop", "leaving"), { body, signal })).rejects.toMatchObject({
      code: "CONFLICT",
    });
    await cluster.api.call("PATCH", "/api/v1/namespaces/leaving/configmaps/holds", { metadata: { finalizers: null } });
  });
});

describe("answers of proxies and tired servers", () => {
  it.each([
    [429, "CLUSTER_UNREACHABLE"],
    [500, "CLUSTER_UNREACHABLE"],
    [503, "CLUSTER_UNREACHABLE"],
    [504, "CLUSTER_UNREACHABLE"],
    [410, "CONFLICT"],
    [422, "API_REFUSED"],
    [302, "API_REFUSED"],
  ])("%i is %s, for calls and watches", async (status, code) => {
    await using proxy = await startProxy();
    proxy.instead = () => ({ status, body: "<html>\u001b[31mno</html>" });
    await using client = new KubernetesClient(plainCredentials(proxy.server));
    await expect(client.call("GET", "/x", { signal })).rejects.toMatchObject({ code });
    await expect(client.watch("/x", {}, signal)).rejects.toMatchObject({ code });
  });

  it("a success that is no JSON is no answer (the bug: a captive portal read as an empty cluster)", async () => {
    await using proxy = await startProxy();
    proxy.instead = () => ({ status: 200, body: "<html>log in</html>" });
    await using client = new KubernetesClient(plainCredentials(proxy.server));
    await expect(client.call("GET", "/x", { signal })).rejects.toMatchObject({ code: "CLUSTER_UNREACHABLE" });
  });

  it("a server that falls silent after its headers does not hold a call beyond its deadline", async () => {
    await using proxy = await startProxy();
    proxy.instead = () => "silence";
    await using client = new KubernetesClient(plainCredentials(proxy.server), 300);
    const startedAt = performance.now();
    await expect(client.call("GET", "/x", { signal })).rejects.toMatchObject({ code: "CLUSTER_UNREACHABLE" });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it("stops at once when told to, in a call and in a watch", async () => {
    await using proxy = await startProxy();
    proxy.instead = () => "silence";
    await using client = new KubernetesClient(plainCredentials(proxy.server));
    const stop = new AbortController();
    const call = client.call("GET", "/x", { signal: stop.signal });
    const lines = await client.watch("/x", {}, stop.signal);
    const watching = (async () => {
      for await (const _ of lines) throw new Error("nothing was sent");
    })();
    const outcomes = Promise.allSettled([call, watching]);
    stop.abort();
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "CLUSTER_UNREACHABLE" } });
  });
});
