import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ClusterPool } from "../../services/clusters.ts";
import { cluster } from "../support/definitions.ts";

let pool: ClusterPool;

beforeEach(() => {
  pool = new ClusterPool({ kubeconfig: "/nonexistent/kubeconfig", onChange: () => undefined });
});

afterEach(async () => {
  await pool[Symbol.asyncDispose]();
});

describe("the clusters that are open", () => {
  it("are those last asked for; a context that changed is another connection", async () => {
    await pool.update([cluster("eu"), cluster("us")]);
    const eu = pool.connection("cluster/eu");
    await pool.update([cluster("eu"), cluster("ap")]);
    expect([...pool.connections().keys()]).toEqual(["cluster/eu", "cluster/ap"]);
    expect(pool.connection("cluster/eu")).toBe(eu);
    await pool.update([cluster("eu", { connection: { kind: "context", context: "other" } })]);
    expect(pool.connection("cluster/eu")).not.toBe(eu);
    expect(() => pool.connection("cluster/us")).toThrow(expect.objectContaining({ code: "CLUSTER_UNREACHABLE" }));
  });

  it("a kubeconfig that is not there is an error of each read, not of the others (the bug: shut until the next revision)", async () => {
    expect(await pool.update([cluster("eu")])).toEqual(new Map());
    const { signal } = new AbortController();
    await expect(pool.connection("cluster/eu").readObservation(signal)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    expect(pool.connection("cluster/eu").inventory()).toMatchObject({ complete: false, pods: [] });
  });

  // Would catch: whoever can reach /readyz learns the names of clusters.
  it("that are stale are counted for strangers and named for others", async () => {
    expect(pool.notReady()).toBeUndefined();
    await pool.update([cluster("eu"), cluster("us")]);
    expect(pool.notReady()?.brief).toBe("stale watches of clusters: 2");
    expect(pool.notReady()?.detail).toContain("cluster/eu, cluster/us");
  });

  it("updates that overlap end in the order they were asked", async () => {
    await Promise.all([pool.update([cluster("a")]), pool.update([cluster("b")]), pool.update([cluster("c")])]);
    expect([...pool.connections().keys()]).toEqual(["cluster/c"]);
  });

  it("says what firebreak.yaml lacks, per cluster", async () => {
    await using bare = new ClusterPool({ kubeconfig: undefined, onChange: () => undefined });
    const failed = await bare.update([cluster("eu")]);
    expect(failed.get("cluster/eu")).toMatchObject({ code: "CONFIG_INVALID" });
  });
});
