/** Needs the built control plane; no root. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNamespace, startCluster, type TestCluster } from "../../testbed/cluster.ts";
import { kubeApi } from "../../testbed/kube-api.ts";
import { createNode } from "../../testbed/nodes.ts";
import { createPod, setPodPhase } from "../../testbed/pods.ts";
import { openRun, type Run } from "../../testbed/run.ts";
import { waitFor } from "../../testbed/wait.ts";

let run: Run;
let cluster: TestCluster;

beforeAll(async () => {
  run = openRun();
  cluster = await startCluster({ run, name: "solo" });
  await createNode(cluster, { name: "node-1" });
});

afterAll(async () => {
  await run?.close();
});

describe("a cluster without packets", () => {
  it("verifies TLS with the certificate of its own API server only", async () => {
    await using strangers = kubeApi({ server: cluster.server, ca: "", token: cluster.adminToken });
    await expect(strangers.get("/readyz")).rejects.toThrow();
    expect(await cluster.uid()).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("has a reader that sees everything and changes nothing (the bug: drift that could write)", async () => {
    await using reader = kubeApi({ server: cluster.server, ca: readFileSync(cluster.caFile, "utf8"), token: cluster.readerToken });
    expect((await reader.get("/apis/networking.k8s.io/v1/networkpolicies"))["items"]).toEqual([]);
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "no" } };
    await expect(reader.call("POST", "/api/v1/namespaces", namespace)).rejects.toMatchObject({ status: 403 });
    await expect(reader.call("DELETE", "/api/v1/namespaces/default")).rejects.toMatchObject({ status: 403 });
  });

  it("names its context in both kubeconfigs", () => {
    for (const path of [cluster.kubeconfig, cluster.readerKubeconfig]) {
      const config = JSON.parse(readFileSync(path, "utf8")) as {
        contexts: { name: string }[];
        users: { user: { token: string } }[];
      };
      expect(config.contexts.map((context) => context.name)).toEqual([cluster.context]);
    }
    expect(readFileSync(cluster.readerKubeconfig, "utf8")).not.toContain(cluster.adminToken);
  });

  it("runs pods as API objects, with addresses and phases", async () => {
    await createNamespace(cluster, "shop", { team: "shop" });
    const pod = await createPod(cluster, { namespace: "shop", name: "a", labels: { app: "a" }, ports: ["8443/tcp"] });
    const read = async (): Promise<{ phase?: string; podIP?: string }> =>
      (await cluster.api.get("/api/v1/namespaces/shop/pods/a"))["status"] as object;
    expect(await read()).toMatchObject({ phase: "Running", podIP: pod.address });
    await setPodPhase(cluster, pod, "Succeeded");
    expect(await read()).toMatchObject({ phase: "Succeeded", podIP: pod.address });
    await expect(pod.agent()).rejects.toThrow("API object only");
  });

  it("finishes deleting a namespace (the controller manager runs)", async () => {
    await createNamespace(cluster, "brief");
    await cluster.api.remove("/api/v1/namespaces/brief");
    const isGone = async (): Promise<boolean> =>
      await cluster.api.get("/api/v1/namespaces/brief").then(
        () => false,
        (error: { status?: number }) => error.status === 404,
      );
    await waitFor(isGone, { what: "namespace brief is gone", timeoutMs: 30_000, everyMs: 100 });
  });
});
