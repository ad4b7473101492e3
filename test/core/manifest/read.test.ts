import { describe, expect, test } from "vitest";
import { readManifests } from "../../../core/manifest/read.ts";
import type { Manifests } from "../../../core/manifest/read.ts";
import { files } from "./files.ts";

function read(texts: Parameters<typeof files>[0]): { readonly manifests: Manifests; readonly told: readonly string[] } {
  const { manifests, notes } = readManifests(files(texts));
  const told = notes.map(({ severity, at, summary }) => `${at?.file}:${at?.line} ${severity} ${summary}`);
  if (manifests === undefined) throw new Error(told.join("\n"));
  return { manifests, told };
}

const pods = ({ world }: Manifests): readonly string[] => world.pods.map(({ namespace, name }) => `${namespace}/${name}`).sort();

describe("what is read", () => {
  test("documents, Lists in Lists, typed Lists without kinds, YAML and JSON (bug: a form that kubectl takes is dropped)", () => {
    const { manifests } = read({
      "a.yaml":
        "# nothing\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: one}\nspec: {}\n---\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Pod, metadata: {name: two}, spec: {}}]}\n",
      "b.json": '{"apiVersion": "v1", "kind": "PodList", "items": [{"metadata": {"name": "three"}, "spec": {}}]}',
      "c.yml": '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "four", "namespace": "x"}, "spec": {}}',
      "d.json": '{"apiVersion": "v1", "kind": "PodList", "items": null}',
    });
    expect(pods(manifests)).toEqual(["default/one", "default/three", "default/two", "x/four"]);
  });

  test("anchors and merge keys (bug: a merged label is missing, so a policy does not select the pod)", () => {
    const { manifests } = read({
      "a.yaml":
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: one\n  labels: &labels {app: web}\n  annotations: {<<: *labels}\nspec: {nodeName: n1}\n---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: two\n  labels:\n    <<: {app: web}\n    tier: a\nspec: {}\n",
    });
    expect(manifests.world.pods.map(({ labels }) => labels)).toEqual([{ app: "web" }, { app: "web", tier: "a" }]);
  });

  test("a null label is empty, a null list is no list", () => {
    const { manifests } = read({
      "a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: one, namespace: ns, labels: {app: null}}\nspec: {containers: null}\n",
    });
    expect(manifests.world.pods[0]).toMatchObject({ namespace: "ns", labels: { app: "" }, ports: [] });
  });

  test("a pod belongs to the controller above its own when that is there too, and else to the one it names", () => {
    const reference = (kind: string, name: string): object => ({ ownerReferences: [{ kind, name, controller: true }] });
    const pod = (name: string, owner: object): object => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, ...owner },
      spec: {},
    });
    const template = { metadata: { labels: {} }, spec: {} };
    const { manifests } = read({
      "a.json": [
        { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, spec: { template } },
        {
          apiVersion: "apps/v1",
          kind: "ReplicaSet",
          metadata: { name: "web-1", ...reference("Deployment", "web") },
          spec: { template },
        },
        {
          apiVersion: "apps/v1",
          kind: "ReplicaSet",
          metadata: { name: "api-1", ...reference("Deployment", "api") },
          spec: { template },
        },
        pod("a", reference("ReplicaSet", "web-1")),
        pod("b", reference("ReplicaSet", "api-1")),
        pod("c", reference("ReplicaSet", "gone-1")),
        pod("d", reference("Node", "n1")),
      ],
    });
    expect(Object.fromEntries(manifests.world.pods.map(({ name, owner }) => [name, owner]))).toEqual({
      "web[Deployment]": "Deployment/web",
      "web-1[ReplicaSet]": "Deployment/web",
      "api-1[ReplicaSet]": "ReplicaSet/api-1",
      a: "Deployment/web",
      b: "ReplicaSet/api-1",
      c: "ReplicaSet/gone-1",
      d: undefined,
    });
  });

  test("NetworkPolicy and Route as old clusters had them (bug: a policy is left out as if it were foreign)", () => {
    const { manifests, told } = read({
      "a.yaml":
        "apiVersion: extensions/v1beta1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {}}\n---\napiVersion: v1\nkind: Route\nmetadata: {name: r}\nspec: {to: {kind: Service, name: web}}\n",
    });
    expect(manifests.world.policies.map(({ kind }) => kind)).toEqual(["NetworkPolicy"]);
    expect(manifests.entries.map(({ id }) => id)).toEqual(["Route default/r"]);
    expect(told).toContainEqual(expect.stringMatching(/^a\.yaml:1 warning .*not served since Kubernetes 1\.16/));
  });

  test("sidecars declare ports, other init containers do not", () => {
    const port = (name: string): object => ({ ports: [{ name, containerPort: 80 }] });
    const spec = { containers: [port("a")], initContainers: [{ ...port("b"), restartPolicy: "Always" }, port("c")] };
    const { manifests } = read({ "a.json": [{ apiVersion: "v1", kind: "Pod", metadata: { name: "x" }, spec }] });
    expect(manifests.world.pods[0]?.ports?.map(({ name }) => name)).toEqual(["a", "b"]);
  });
});

describe("what is told", () => {
  test("kinds that are not read, once each; those that decide connections as warnings", () => {
    const { told } = read({
      "a.yaml":
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\n---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: z}\n---\napiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: z}\n",
    });
    expect(told).toEqual([
      "a.yaml:1 info v1 ConfigMap is not read (2 objects)",
      "a.yaml:9 warning cilium.io/v2 CiliumNetworkPolicy is not read",
      "a.yaml:13 warning projectcalico.org/v3 NetworkPolicy is not read",
    ]);
  });

  test("custom workloads as a warning, types of others as nothing wrong (bug: their pods are missing and nobody says so)", () => {
    const { told } = read({
      "a.yaml":
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: x}\nspec: {template: {spec: {containers: []}}}\n---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: y}\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: z}\n---\napiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: z}\n---\napiVersion: template.openshift.io/v1\nkind: Template\nmetadata: {name: z}\nobjects: [{kind: Pod}]\n",
    });
    expect(told).toEqual([
      "a.yaml:1 warning argoproj.io/v1alpha1 Rollout is not read",
      "a.yaml:6 info autoscaling/v2 HorizontalPodAutoscaler is not read",
      "a.yaml:10 info rbac.authorization.k8s.io/v1 Role is not read",
      "a.yaml:14 info serving.knative.dev/v1 Service is not read",
      "a.yaml:18 warning template.openshift.io/v1 Template is not read",
    ]);
  });

  test("pods of a ClusterNetworkPolicy without the selector of namespaces: all of them (bug: nobody says so)", () => {
    const { told } = read({
      "a.yaml":
        "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: p}\nspec:\n  tier: Admin\n  priority: 1\n  subject: {namespaces: {}}\n  egress:\n  - action: Deny\n    to: [{pods: {podSelector: {}}}]\n",
    });
    expect(told).toEqual(["a.yaml:10 warning ClusterNetworkPolicy p: spec.egress[0].to[0].pods.namespaceSelector is missing"]);
  });

  test("namespaces that are used and not declared, host bits, rules without effect, names for blocks", () => {
    const { told } = read({
      "a.yaml": `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Egress]
  ingress: [{}]
  egress:
  - to: [{ipBlock: {cidr: 10.0.0.5/8}}]
    ports: [{port: web}]
  - to: [{ipBlock: {cidr: "::ffff:10.0.0.0/104"}}]
`,
    });
    expect(told).toEqual([
      "a.yaml:1 info namespace shop is not declared; it is assumed with the label kubernetes.io/metadata.name only",
      "a.yaml:7 warning NetworkPolicy shop/p: spec.ingress has no effect, because policyTypes leaves Ingress out",
      "a.yaml:9 warning NetworkPolicy shop/p: spec.egress[0]: a named port matches no address outside the cluster",
      expect.stringMatching(/^a\.yaml:9 warning .*10\.0\.0\.5\/8 has host bits set; the network is 10\.0\.0\.0\/8/),
      expect.stringMatching(/^a\.yaml:11 warning .*IPv4-mapped/),
    ]);
  });

  test("the same object twice is told, and refused when the two differ", () => {
    const one = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {x: a}}\n";
    expect(read({ "a.yaml": one, "b.yaml": one }).told).toEqual([
      "b.yaml:1 info Namespace a is there twice; the first is at a.yaml:1",
    ]);
    const { manifests } = readManifests(files({ "a.yaml": one, "b.yaml": one.replace("x: a", "x: z") }));
    expect(manifests).toBeUndefined();
  });
});
