/** Writes of policies: the bytes on the wire, the fences, and what the API server made of them. Needs the built control plane. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { KubernetesClient } from "../../../adapters/kubernetes/client.ts";
import { applyStep, listPolicies } from "../../../adapters/kubernetes/policies.ts";
import { EARLIER_STEP, type ClusterStep } from "../../../core/plan/plan.ts";
import type { NetworkPolicy, NetworkPolicySpec } from "../../../core/render/networkpolicy-types.ts";
import { createNamespace, startCluster, type TestCluster } from "../../../testbed/cluster.ts";
import { openRun, type Run } from "../../../testbed/run.ts";
import { credentialsFor, startProxy, type Proxy } from "./front.ts";

const PATH = "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies";
const { signal } = new AbortController();

let run: Run;
let cluster: TestCluster;
let proxy: Proxy;
let client: KubernetesClient;

beforeAll(async () => {
  run = openRun();
  cluster = await startCluster({ run, name: "policies" });
  await createNamespace(cluster, "shop");
});

afterAll(async () => {
  await run?.close();
});

beforeEach(async () => {
  proxy = await startProxy(cluster);
  client = new KubernetesClient(credentialsFor(cluster, proxy.server));
  return async () => {
    await client[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
  };
});

function policy(name: string, spec: NetworkPolicySpec): NetworkPolicy {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: "shop", labels: { "app.kubernetes.io/managed-by": "firebreak" } },
    spec,
  };
}

const DENY: NetworkPolicySpec = { podSelector: {}, policyTypes: ["Ingress", "Egress"], ingress: [], egress: [] };

/** Every shape of peer that we render. */
const SHAPES: Readonly<Record<string, NetworkPolicySpec>> = {
  "pods of namespaces": {
    podSelector: { matchLabels: { app: "custRecord" } },
    policyTypes: ["Ingress"],
    ingress: [
      {
        from: [{ podSelector: { matchLabels: { app: "orderInput" } }, namespaceSelector: { matchLabels: { team: "shop" } } }],
        ports: [{ protocol: "TCP", port: 8443 }],
      },
    ],
  },
  addresses: {
    podSelector: {},
    policyTypes: ["Ingress"],
    ingress: [
      {
        from: [{ ipBlock: { cidr: "10.9.0.0/24", except: ["10.9.0.7/32"] } }, { ipBlock: { cidr: "fd00::/64" } }],
        ports: [{ protocol: "UDP", port: 53, endPort: 60 }],
      },
    ],
  },
  "both directions": {
    podSelector: {},
    policyTypes: ["Ingress", "Egress"],
    ingress: [{ from: [{ namespaceSelector: {} }] }],
    egress: [{ to: [{ ipBlock: { cidr: "10.20.0.11/32" } }], ports: [{ protocol: "TCP", port: 636 }] }],
  },
};

async function create(name: string, spec: NetworkPolicySpec): Promise<{ readonly uid: string; readonly resourceVersion: string }> {
  await cluster.api.remove(`${PATH}/${name}`);
  const { metadata } = await cluster.api.call("POST", PATH, policy(name, spec));
  return { uid: metadata.uid ?? "", resourceVersion: metadata.resourceVersion ?? "" };
}

async function specOf(name: string): Promise<unknown> {
  return (await cluster.api.get(`${PATH}/${name}`))["spec"];
}

describe("the bytes sent", () => {
  it.each(Object.entries(SHAPES))("create: %s carries every `from`, and comes back the same", async (_name, spec) => {
    await cluster.api.remove(`${PATH}/fb-shape`);
    const version = await applyStep(client, { kind: "create", why: "", object: policy("fb-shape", spec) }, signal);
    const [sent] = proxy.requests;
    expect(sent?.method).toBe("POST");
    expect(sent?.body).toBe(JSON.stringify(policy("fb-shape", spec)));
    for (const rule of spec.ingress ?? []) expect(sent?.body).toContain(`"from":${JSON.stringify(rule.from)}`);
    expect(sent?.body).not.toContain("_from");
    expect(await specOf("fb-shape")).toEqual(spec);
    expect(version).toBe((await cluster.api.get(`${PATH}/fb-shape`)).metadata.resourceVersion);
  });

  it.each(Object.entries(SHAPES))("replace: %s carries every `from` and its fence", async (_name, spec) => {
    const { resourceVersion } = await create("fb-shape", DENY);
    const version = await applyStep(
      client,
      { kind: "replace", why: "", object: policy("fb-shape", spec), resourceVersion },
      signal,
    );
    const [sent] = proxy.requests;
    expect(sent?.method).toBe("PUT");
    for (const rule of spec.ingress ?? []) expect(sent?.body).toContain(`"from":${JSON.stringify(rule.from)}`);
    expect(sent?.body).toContain(`"resourceVersion":"${resourceVersion}"`);
    expect(await specOf("fb-shape")).toEqual(spec);
    expect(version).not.toBe(resourceVersion);
  });

  it("an isolated direction says `[]`: closed, in words, and the API server keeps it so", async () => {
    await cluster.api.remove(`${PATH}/fb-deny`);
    await applyStep(client, { kind: "create", why: "", object: policy("fb-deny", DENY) }, signal);
    expect(proxy.requests[0]?.body).toContain('"ingress":[],"egress":[]');
    expect(await specOf("fb-deny")).toMatchObject({ policyTypes: ["Ingress", "Egress"] });
  });

  it("an unknown field is refused, never dropped (the bug: `form` for `from` makes a rule for everybody)", async () => {
    await cluster.api.remove(`${PATH}/fb-typo`);
    const spec = {
      podSelector: {},
      policyTypes: ["Ingress"],
      ingress: [{ form: [{ podSelector: {} }] }],
    } as unknown as NetworkPolicySpec;
    await expect(applyStep(client, { kind: "create", why: "", object: policy("fb-typo", spec) }, signal)).rejects.toMatchObject({
      code: "API_REFUSED",
    });
    expect((await listPolicies(client, signal)).map(({ object }) => object.metadata.name)).not.toContain("fb-typo");
  });

  it("says who writes", async () => {
    await cluster.api.remove(`${PATH}/fb-mine`);
    await applyStep(client, { kind: "create", why: "", object: policy("fb-mine", DENY) }, signal);
    const mine = (await listPolicies(client, signal)).find(({ object }) => object.metadata.name === "fb-mine");
    expect(mine?.manager).toBe("firebreak");
  });
});

describe("fences", () => {
  it.each(["replace", "delete"] as const)(
    "%s of an object that somebody changed meanwhile is stale, and leaves it",
    async (kind) => {
      const { uid, resourceVersion } = await create("fb-a", DENY);
      await cluster.api.call("PATCH", `${PATH}/fb-a`, { metadata: { labels: { touched: "1" } } });
      await expect(applyStep(client, step(kind, uid, resourceVersion), signal)).rejects.toMatchObject({ code: "PLAN_STALE" });
      expect((await cluster.api.get(`${PATH}/fb-a`)).metadata.labels).toMatchObject({ touched: "1" });
    },
  );

  it.each(["replace", "delete"] as const)(
    "%s of an object that was made anew under its name is stale, and leaves it",
    async (kind) => {
      const { uid, resourceVersion } = await create("fb-a", DENY);
      const anew = await create("fb-a", SHAPES["addresses"]!);
      await expect(applyStep(client, step(kind, uid, resourceVersion), signal)).rejects.toMatchObject({ code: "PLAN_STALE" });
      expect((await cluster.api.get(`${PATH}/fb-a`)).metadata.uid).toBe(anew.uid);
    },
  );

  it("a delete asks for the UID also when the version fits", async () => {
    const { resourceVersion } = await create("fb-a", DENY);
    const stranger = "00000000-0000-4000-8000-000000000000";
    await expect(applyStep(client, step("delete", stranger, resourceVersion), signal)).rejects.toMatchObject({
      code: "PLAN_STALE",
    });
  });

  it.each(["replace", "delete"] as const)(
    "%s of an object that is gone is stale (the bug: a replace that creates)",
    async (kind) => {
      const { uid, resourceVersion } = await create("fb-a", DENY);
      await cluster.api.remove(`${PATH}/fb-a`);
      await expect(applyStep(client, step(kind, uid, resourceVersion), signal)).rejects.toMatchObject({ code: "PLAN_STALE" });
      await expect(cluster.api.get(`${PATH}/fb-a`)).rejects.toMatchObject({ status: 404 });
    },
  );

  it("a create over a name that is taken is stale, and leaves what is there", async () => {
    const { uid } = await create("fb-a", DENY);
    const create2: ClusterStep = { kind: "create", why: "", object: policy("fb-a", SHAPES["addresses"]!) };
    await expect(applyStep(client, create2, signal)).rejects.toMatchObject({ code: "PLAN_STALE" });
    expect((await cluster.api.get(`${PATH}/fb-a`)).metadata.uid).toBe(uid);
  });

  it("a create into a namespace that is not there is stale", async () => {
    const object = { ...policy("fb-a", DENY), metadata: { name: "fb-a", namespace: "nowhere" } };
    await expect(applyStep(client, { kind: "create", why: "", object }, signal)).rejects.toMatchObject({ code: "PLAN_STALE" });
  });

  it("a step without a fence is our own fault and is not sent (the bug: an empty resourceVersion overwrites anything)", async () => {
    const { uid } = await create("fb-a", DENY);
    const unfenced = [
      step("replace", uid, ""),
      step("replace", uid, EARLIER_STEP),
      step("delete", uid, ""),
      step("delete", "", "1"),
      step("delete", uid, EARLIER_STEP),
    ];
    for (const each of unfenced)
      await expect(applyStep(client, each, signal)).rejects.toMatchObject({ code: "PLAN_INVARIANT_BROKEN" });
    expect(proxy.requests).toEqual([]);
  });

  it("the version that a step left fences the next one", async () => {
    const { uid, resourceVersion } = await create("fb-a", DENY);
    const left = await applyStep(client, step("replace", uid, resourceVersion), signal);
    expect(await applyStep(client, step("delete", uid, left ?? ""), signal)).toBeUndefined();
    await expect(cluster.api.get(`${PATH}/fb-a`)).rejects.toMatchObject({ status: 404 });
  });
});

function step(kind: "replace" | "delete", uid: string, resourceVersion: string): ClusterStep {
  if (kind === "replace") return { kind, why: "", object: policy("fb-a", SHAPES["both directions"]!), resourceVersion };
  return { kind, why: "", namespace: "shop", name: "fb-a", uid, resourceVersion };
}
