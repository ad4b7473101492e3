import { expect, test } from "vitest";
import { readManifests } from "../../../core/manifest/read.ts";
import { reachOf } from "../../../core/reach/matrix.ts";
import { expandPairs } from "../../../core/reach/render.ts";
import { KUBE_NETWORK_POLICIES } from "../../../core/verdict/profile.ts";
import { files } from "../manifest/files.ts";

const app = (name: string): object => ({ matchLabels: { app: name } });

function deployment(name: string, ports: readonly object[] = []): object {
  const template = { metadata: { labels: { app: name } }, spec: { containers: [{ name: "c", image: "i", ports }] } };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name, namespace: "a" }, spec: { selector: app(name), template } };
}

function policy(name: string, spec: object): object {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace: "a" }, spec };
}

function reach(objects: readonly object[]) {
  const { manifests, notes } = readManifests(files({ "all.json": objects }));
  if (manifests === undefined) throw new Error(notes.map(({ summary }) => summary).join("\n"));
  const { notes: told, ...found } = reachOf(manifests, KUBE_NETWORK_POLICIES);
  const lines = told.map(({ severity, summary }) => `${severity}: ${summary}`);
  return {
    told: lines,
    pairs: [...expandPairs({ ...found, notes: told })].map(({ src, dst, conn }) => `${src} => ${dst} : ${conn}`),
  };
}

test("policies, rules and names without effect are told (bug: a mistake in a label is as silent as in a cluster)", () => {
  const { told } = reach([
    deployment("web", [{ name: "http", containerPort: 80 }]),
    deployment("db"),
    policy("idle", { podSelector: app("gone") }),
    policy("never", { podSelector: { ...app("web"), matchExpressions: [{ key: "app", operator: "NotIn", values: ["web"] }] } }),
    policy("web", {
      podSelector: app("web"),
      ingress: [{ from: [{ podSelector: app("gone") }] }, { ports: [{ port: "http" }, { port: "http", protocol: "UDP" }] }],
      egress: [{ to: [{ podSelector: app("db") }], ports: [{ port: "pg" }] }, { to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }],
    }),
  ]);
  expect(told).toContain("info: a/idle selects 0 pods now; a/never selects 0 pods now");
  expect(told).toContain("info: a/web ingress[0] names 0 pods now");
  expect(told).toContain(
    "warning: a/web ingress[1]: no pod it applies to declares the port http (UDP); a/web egress[0]: no pod it applies to declares the port pg (TCP)",
  );
});

test("a cluster-wide policy's name of a port is of any protocol, and of the pods it names", () => {
  const admin = (port: string): object => ({
    apiVersion: "policy.networking.k8s.io/v1alpha1",
    kind: "AdminNetworkPolicy",
    metadata: { name: port },
    spec: {
      priority: port.length,
      subject: { namespaces: {} },
      egress: [{ action: "Deny", to: [{ namespaces: {} }], ports: [{ namedPort: port }] }],
    },
  });
  const { told } = reach([deployment("dns", [{ name: "dns", containerPort: 53, protocol: "UDP" }]), admin("dns"), admin("http")]);
  expect(told.filter((line) => line.includes("declares the port"))).toEqual([
    "warning: AdminNetworkPolicy http egress[0]: no pod it applies to declares the port http",
  ]);
});

test("an Ingress means a port of the service, a Route its target port, before the other (bug: the number of another port)", () => {
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "a" },
    spec: {
      selector: { app: "web" },
      ports: [
        { name: "one", port: 80, targetPort: 8080 },
        { name: "two", port: 8080, targetPort: 9090 },
      ],
    },
  };
  const web = deployment("web", [{ containerPort: 8080 }, { containerPort: 9090 }]);
  const ingress = {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "web", namespace: "a" },
    spec: { defaultBackend: { service: { name: "web", port: { number: 8080 } } } },
  };
  const route = {
    apiVersion: "route.openshift.io/v1",
    kind: "Route",
    metadata: { name: "web", namespace: "a" },
    spec: { to: { kind: "Service", name: "web" }, port: { targetPort: 8080 } },
  };
  expect(reach([web, service, ingress]).pairs).toContain("{ingress-controller} => a/web[Deployment] : TCP 9090");
  expect(reach([web, service, route]).pairs).toContain("{ingress-controller} => a/web[Deployment] : TCP 8080");
});

// Bug: "and 7 more" is all that anybody can learn of the policies that select nobody.
test("names beyond the first few are counted with the way to them, and --full names all", () => {
  const idle = Array.from({ length: 9 }, (_, index) => policy(`idle-${index}`, { podSelector: app("gone") }));
  const { manifests } = readManifests(files({ "all.json": [deployment("web"), ...idle] }));
  if (manifests === undefined) throw new Error("the manifests do not read");
  const told = (most?: number): string =>
    reachOf(manifests, KUBE_NETWORK_POLICIES, most)
      .notes.map(({ summary }) => summary)
      .join("\n");
  expect(told()).toMatch(/; and 4 more \(--full names all\)/);
  for (let index = 0; index < 9; index += 1) expect(told(1_000)).toContain(`idle-${index} selects 0 pods`);
  expect(told(1_000)).not.toContain("more");
});
