/** `firebreak guard` on a real API server and its controllers: strangers are refused, and nobody is locked out. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { startCluster, type TestCluster } from "../../../testbed/cluster.ts";
import { kubeApi, KubeApiError, type KubeApi, type KubeObject, type Method } from "../../../testbed/kube-api.ts";
import { openRun, type Run } from "../../../testbed/run.ts";
import { waitFor } from "../../../testbed/wait.ts";
import { runCli, type CliResult } from "../../cli/run-cli.ts";

const DEFINITIONS = `apiVersion: firebreak.dev/v1alpha1
kind: Cluster
metadata: {name: eu}
spec: {mode: apply, context: eu, governs: {matchLabels: {governed: "yes"}}}
---
apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: web}
spec:
  members: [{pods: {matchLabels: {app: web}}, namespaces: {matchExpressions: [{key: team, operator: In, values: [shop]}]}}]
  isolate: {ingress: enforce}
---
apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: database}
spec: {members: [{service: {namespace: shop, name: db}}], isolate: {ingress: enforce}}
`;
const POLICIES = "/apis/networking.k8s.io/v1/namespaces";
const SHOP = `${POLICIES}/shop/networkpolicies`;
const SLICES = "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices";
const ADMISSION = "/apis/admissionregistration.k8s.io/v1";
const MARK = { "firebreak.dev/instance": "i", "firebreak.dev/sequence": "1", "firebreak.dev/digest": "d" };

type Who = "admin" | "tenant" | "firebreak" | "tool" | "emergency";

let run: Run;
let cluster: TestCluster;
let folder: string;
const apis = {} as Record<Who, KubeApi>;

beforeAll(async () => {
  run = openRun();
  cluster = await startCluster({ run, name: "guard" });
  folder = mkdtempSync(join(tmpdir(), "fb-guard-"));
  mkdirSync(join(folder, "policies"));
  writeFileSync(
    join(folder, "firebreak.yaml"),
    "repository: {url: ., path: policies}\nallow: {contexts: [eu]}\nkubernetes: {kubeconfig: kube}\n",
  );
  writeFileSync(join(folder, "policies/all.yaml"), DEFINITIONS);
  apis.admin = cluster.api;
  for (const [namespace, name] of [
    ["tenants", "tenant"],
    ["firebreak", "firebreak-syncer"],
    ["tools", "tool"],
    ["emergency", "emergency"],
  ] as const)
    apis[name === "firebreak-syncer" ? "firebreak" : name] = await account(namespace, name);
  for (const [name, labels] of [
    ["shop", { governed: "yes", team: "shop" }],
    ["wild", {}],
    ["gone", { governed: "yes" }],
  ] as const)
    await cluster.api.put("/api/v1/namespaces", { metadata: { name, labels } });
  for (const namespace of ["shop", "gone"])
    await cluster.api.put(`${POLICIES}/${namespace}/networkpolicies`, policy("fb-web", { marked: true }));
  await cluster.api.put(`${POLICIES}/wild/networkpolicies`, policy("fb-left", { marked: true }));
  await cluster.api.put("/api/v1/namespaces/shop/pods", {
    metadata: { name: "web-1", labels: { app: "web" } },
    spec: { containers: [{ name: "c", image: "none" }] },
  });
  await cluster.api.put("/api/v1/namespaces/shop/services", service({ app: "db" }));
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  for (const [who, api] of Object.entries(apis)) if (who !== "admin") await api[Symbol.asyncDispose]();
  await run?.close();
});

/** A service account that RBAC lets do everything, so that only the guard can refuse. */
async function account(namespace: string, name: string): Promise<KubeApi> {
  await cluster.api.put("/api/v1/namespaces", { metadata: { name: namespace } });
  await cluster.api.put(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name } });
  await cluster.api.put("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
    metadata: { name: `all-${name}` },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ kind: "ServiceAccount", name, namespace }],
  });
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 3600 } };
  const { status } = (await cluster.api.call(
    "POST",
    `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    body,
  )) as unknown as {
    readonly status: { readonly token: string };
  };
  if (name === "firebreak-syncer") {
    const text = readFileSync(cluster.kubeconfig, "utf8")
      .replaceAll(cluster.adminToken, status.token)
      .replaceAll(`"guard"`, `"eu"`);
    writeFileSync(join(folder, "kube"), text);
  }
  return kubeApi({ server: cluster.server, ca: readFileSync(cluster.caFile, "utf8"), token: status.token });
}

function policy(name: string, { marked = false, open = false } = {}): KubeObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, ...(marked ? { annotations: MARK } : {}) },
    spec: { podSelector: {}, policyTypes: ["Ingress"], ...(open ? { ingress: [{}] } : {}) },
  };
}

function service(selector: Readonly<Record<string, string>>): KubeObject {
  return { metadata: { name: "db" }, spec: { selector, ports: [{ port: 5432 }] } };
}

async function guard(...more: readonly string[]): Promise<CliResult> {
  return await runCli(["guard", "cluster/eu", "--break-glass", "system:serviceaccounts:emergency", ...more], { cwd: folder });
}

/** Applies what the verb prints, and waits until the API server asks it. */
async function apply(...more: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await guard("--label-writer", "system:serviceaccount:tools:tool", ...more);
  expect(`${code} ${stderr}`).toMatch(/^0 /);
  for (const document of parseAllDocuments(stdout)) {
    const object = document.toJS() as KubeObject;
    await cluster.api.put(
      `${ADMISSION}/${object.kind === "ValidatingAdmissionPolicy" ? "validatingadmissionpolicies" : "validatingadmissionpolicybindings"}`,
      object,
    );
  }
}

interface Listed {
  readonly status?: { readonly observedGeneration?: number; readonly typeChecking?: { readonly expressionWarnings?: unknown } };
}

async function listed(): Promise<readonly Listed[]> {
  return ((await cluster.api.get(`${ADMISSION}/validatingadmissionpolicies`)) as unknown as { readonly items: readonly Listed[] })
    .items;
}

/** What a call came to: `done`, or the words of the guard. */
async function attempt(who: Who, method: Method, path: string, body?: unknown): Promise<string> {
  try {
    await apis[who].call(method, path, body);
    return "done";
  } catch (error) {
    if (error instanceof KubeApiError && /ValidatingAdmissionPolicy '(firebreak-[a-z-]+)'/.test(error.message))
      return `refused by ${/ValidatingAdmissionPolicy '(firebreak-[a-z-]+)'/.exec(error.message)?.[1] ?? ""}`;
    throw error;
  }
}

const label = (labels: Readonly<Record<string, string | null>>): unknown => ({ metadata: { labels } });
const slice = (name: string): KubeObject => ({
  metadata: { name, labels: { "kubernetes.io/service-name": "db" } },
  addressType: "IPv4",
  endpoints: [{ addresses: ["192.0.2.9"] }],
});

// Each row must hold after all rows before it.
const ATTEMPTS: readonly (readonly [who: Who, what: string, method: Method, path: string, body: unknown, outcome: string])[] = [
  // Bug: a policy can be opened, added or taken away by whoever RBAC lets; an administrator of the cluster counts as Firebreak.
  ["tenant", "opens a policy", "PATCH", `${SHOP}/fb-web`, { spec: { ingress: [{}] } }, "refused by firebreak-policies-governed"],
  ["admin", "opens a policy", "PATCH", `${SHOP}/fb-web`, { spec: { ingress: [{}] } }, "refused by firebreak-policies-governed"],
  ["tenant", "adds a policy", "POST", SHOP, policy("mine", { open: true }), "refused by firebreak-policies-governed"],
  ["tenant", "deletes a policy", "DELETE", `${SHOP}/fb-web`, undefined, "refused by firebreak-policies-governed"],
  ["tenant", "deletes all policies", "DELETE", SHOP, undefined, "refused by firebreak-policies-governed"],
  [
    "tenant",
    "takes the mark",
    "PATCH",
    `${SHOP}/fb-web`,
    { metadata: { annotations: { "firebreak.dev/instance": null } } },
    "refused by firebreak-policies-governed",
  ],
  ["tool", "opens a policy", "PATCH", `${SHOP}/fb-web`, { spec: { ingress: [{}] } }, "refused by firebreak-policies-governed"],
  // Bug: ours in a namespace that is not governed any more can be changed; somebody can copy our mark there.
  [
    "tenant",
    "deletes ours elsewhere",
    "DELETE",
    `${POLICIES}/wild/networkpolicies/fb-left`,
    undefined,
    "refused by firebreak-policies-ours",
  ],
  [
    "tenant",
    "copies the mark",
    "POST",
    `${POLICIES}/wild/networkpolicies`,
    policy("copied", { marked: true }),
    "refused by firebreak-policies-ours",
  ],
  // Bug: what is not governed is guarded, too.
  ["tenant", "has a policy of its own elsewhere", "POST", `${POLICIES}/wild/networkpolicies`, policy("mine"), "done"],
  // Bug: labels that decide can be set, changed or taken away; through a subresource, or by making a namespace that has them.
  [
    "tenant",
    "ungoverns the namespace",
    "PATCH",
    "/api/v1/namespaces/shop",
    label({ governed: null }),
    "refused by firebreak-namespaces",
  ],
  ["tenant", "enters a segment", "PATCH", "/api/v1/namespaces/wild", label({ team: "shop" }), "refused by firebreak-namespaces"],
  [
    "tenant",
    "enters by status",
    "PATCH",
    "/api/v1/namespaces/wild/status",
    label({ team: "shop" }),
    "refused by firebreak-namespaces",
  ],
  [
    "tenant",
    "enters by finalize",
    "PUT",
    "/api/v1/namespaces/wild/finalize",
    { metadata: { name: "wild", labels: { team: "shop" } } },
    "refused by firebreak-namespaces",
  ],
  [
    "tenant",
    "makes one in it",
    "POST",
    "/api/v1/namespaces",
    { metadata: { name: "in", labels: { team: "shop" } } },
    "refused by firebreak-namespaces",
  ],
  ["tenant", "makes one outside", "POST", "/api/v1/namespaces", { metadata: { name: "out", labels: { colour: "red" } } }, "done"],
  ["tenant", "sets another label", "PATCH", "/api/v1/namespaces/shop", label({ contact: "me" }), "done"],
  [
    "tenant",
    "leaves by a pod's label",
    "PATCH",
    "/api/v1/namespaces/shop/pods/web-1",
    label({ app: null }),
    "refused by firebreak-pods",
  ],
  [
    "tenant",
    "leaves by a pod's status",
    "PATCH",
    "/api/v1/namespaces/shop/pods/web-1/status",
    label({ app: "x" }),
    "refused by firebreak-pods",
  ],
  [
    "tenant",
    "reports a pod's status",
    "PATCH",
    "/api/v1/namespaces/shop/pods/web-1/status",
    { status: { phase: "Running" } },
    "done",
  ],
  ["tenant", "sets another label of a pod", "PATCH", "/api/v1/namespaces/shop/pods/web-1", label({ canary: "1" }), "done"],
  // Bug: a Service that stands for a segment can be pointed at other pods, or given other addresses.
  [
    "tenant",
    "points the Service elsewhere",
    "PATCH",
    "/api/v1/namespaces/shop/services/db",
    { spec: { selector: { app: "evil" } } },
    "refused by firebreak-services",
  ],
  [
    "tenant",
    "changes the Service's port",
    "PATCH",
    "/api/v1/namespaces/shop/services/db",
    { spec: { ports: [{ port: 5433 }] } },
    "done",
  ],
  ["tenant", "adds addresses", "POST", SLICES, slice("evil"), "refused by firebreak-endpoints"],
  ["tenant", "adds addresses elsewhere", "POST", "/apis/discovery.k8s.io/v1/namespaces/wild/endpointslices", slice("fine"), "done"],
  // Bug: those who may are refused.
  ["tool", "labels a namespace", "PATCH", "/api/v1/namespaces/wild", label({ team: "shop" }), "done"],
  ["tool", "labels a pod", "PATCH", "/api/v1/namespaces/shop/pods/web-1", label({ app: "web2" }), "done"],
  ["firebreak", "opens a policy", "PATCH", `${SHOP}/fb-web`, { spec: { ingress: [{}] } }, "done"],
  ["firebreak", "deletes one", "DELETE", `${SHOP}/fb-web`, undefined, "done"],
  ["emergency", "adds a policy", "POST", SHOP, policy("emergency"), "done"],
  ["emergency", "ungoverns", "PATCH", "/api/v1/namespaces/wild", label({ team: null }), "done"],
  // Bug: a migration of the storage, which writes each object again as it is, is refused.
  ["tenant", "changes nothing", "PATCH", `${SHOP}/emergency`, { spec: { policyTypes: ["Ingress"] } }, "done"],
];

describe("guard", () => {
  // Bug: it can be printed without a way around it, or for a writer that nobody asked about; the lock-out is then ours.
  it("needs a break-glass group, and asks the cluster as whom Firebreak comes", async () => {
    const without = await runCli(["guard", "cluster/eu"], { cwd: folder });
    expect(without).toMatchObject({ code: 1, stdout: "" });
    const { code, stderr } = await guard();
    expect(`${code} ${stderr}`).toMatch(/^0 /);
    expect(stderr).toContain(
      "who passes: system:serviceaccount:firebreak:firebreak-syncer, and the group system:serviceaccounts:emergency",
    );
    expect(stderr).toContain("labels of namespaces that are guarded: governed, team; of running pods: app");
  });

  // Bug: with --warn something is refused, or nobody hears of it.
  it("refuses nothing with --warn", async () => {
    await apply("--warn");
    const bindings = (await cluster.api.get(`${ADMISSION}/validatingadmissionpolicybindings`)) as unknown as {
      readonly items: readonly { readonly spec: { readonly validationActions: readonly string[] } }[];
    };
    expect(bindings.items.map(({ spec }) => spec.validationActions)).toEqual(bindings.items.map(() => ["Warn", "Audit"]));
    expect(await attempt("tenant", "POST", SHOP, policy("warned"))).toBe("done");
    expect(await attempt("tenant", "DELETE", `${SHOP}/warned`)).toBe("done");
  });

  it("refuses strangers, and lets Firebreak, the group, and a label writer through", async () => {
    await apply();
    // The last of what was applied.
    const isAsked = async (): Promise<boolean> =>
      (await attempt("tenant", "POST", `${SLICES}?dryRun=All`, slice("asked"))) === "refused by firebreak-endpoints";
    await waitFor(isAsked, { what: "the API server asks the guard", timeoutMs: 30_000, everyMs: 200 });
    for (const [who, what, method, path, body, outcome] of ATTEMPTS)
      expect({ who, what, outcome: await attempt(who, method, path, body) }).toEqual({ who, what, outcome });
  });

  // Bug: Kubernetes cannot clean up, so a namespace never goes and its name can never be used again.
  it("lets a namespace with policies be deleted", async () => {
    if (!cluster.hasControllerManager) return;
    await apis.tenant.call("DELETE", "/api/v1/namespaces/gone");
    const isGone = async (): Promise<boolean> =>
      await cluster.api.get("/api/v1/namespaces/gone").then(
        () => false,
        (error: unknown) => error instanceof KubeApiError && error.status === 404,
      );
    await waitFor(isGone, { what: "the namespace is gone", timeoutMs: 60_000, everyMs: 200 });
  });

  // Bug: an expression that the API server cannot compute refuses everything for ever, or a guard cannot be taken away.
  it("has no expression that the API server doubts, and can be removed by whoever may delete it", async () => {
    if (cluster.hasControllerManager) {
      const areTyped = async (): Promise<boolean> =>
        (await listed()).every(({ status }) => status?.observedGeneration !== undefined);
      await waitFor(areTyped, { what: "the expressions are typed", timeoutMs: 60_000, everyMs: 200 });
      expect((await listed()).filter(({ status }) => status?.typeChecking?.expressionWarnings !== undefined)).toEqual([]);
    }
    for (const kind of ["validatingadmissionpolicybindings", "validatingadmissionpolicies"])
      await apis.tenant.call("DELETE", `${ADMISSION}/${kind}?labelSelector=app.kubernetes.io%2Fmanaged-by%3Dfirebreak`);
    const isFree = async (): Promise<boolean> => (await attempt("tenant", "POST", `${SHOP}?dryRun=All`, policy("free"))) === "done";
    await waitFor(isFree, { what: "the guard is gone", timeoutMs: 30_000, everyMs: 200 });
  });

  // Bug: so many labels or Services that the API server calls the expressions too dear; nothing could be applied then.
  it("is taken by the API server with 300 labels and 300 Services", async () => {
    const keys = Array.from({ length: 300 }, (_, index) => `example.com/key-${index}`);
    const many = keys.map(
      (key, index) =>
        `apiVersion: firebreak.dev/v1alpha1\nkind: Segment\nmetadata: {name: s${index}}\nspec: {members: [{pods: {matchLabels: {${key}: a}}, namespaces: {matchLabels: {${key}: a}}}, {service: {namespace: shop, name: svc-${index}}}], isolate: {ingress: enforce}}\n`,
    );
    writeFileSync(join(folder, "policies/all.yaml"), [DEFINITIONS, ...many].join("---\n"));
    const { code, stdout, stderr } = await guard("-o", "json");
    expect(`${code} ${stderr}`).toMatch(/^0 /);
    for (const object of (parse(stdout) as { items: KubeObject[] }).items)
      if (object.kind === "ValidatingAdmissionPolicy")
        await cluster.api.call("POST", `${ADMISSION}/validatingadmissionpolicies?dryRun=All`, object);
  });
});
