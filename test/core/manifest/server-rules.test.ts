import { describe, expect, test } from "vitest";
import { readManifests } from "../../../core/manifest/read.ts";
import { files } from "./files.ts";

function read(...objects: readonly object[]): ReturnType<typeof readManifests> {
  return readManifests(files({ "a.json": objects }));
}

function told(...objects: readonly object[]): readonly string[] {
  return read(...objects).notes.map(({ severity, summary }) => `${severity}: ${summary}`);
}

const service = (spec: object, name = "web"): object => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "a" },
  spec,
});
const one = { ports: [{ port: 80 }] };
const pod = (spec: object, name = "x"): object => ({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "a" }, spec });
const container = (...ports: readonly object[]): object => ({ name: "c", image: "i", ports });
const endpoints = (subset: object): object => ({ apiVersion: "v1", kind: "Endpoints", metadata: { name: "x" }, subsets: [subset] });
const slice = (rest: object): object => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: "x" },
  ...rest,
});
const v4 = { addressType: "IPv4", endpoints: [{ addresses: ["10.0.0.1"] }] };

// Each was refused by the API server of Kubernetes 1.34 (test/testbed/dry-run.test.ts asks it again, with many more).
describe("what the API server refuses is refused (bug: a world is analysed that no cluster can have)", () => {
  test.each<[object, RegExp]>([
    [{ apiVersion: "v1", kind: "Namespace", metadata: { name: "a.b" } }, /metadata\.name: "a\.b" must be at most 63/],
    [service(one, "1web"), /"1web" must be small letters, digits and hyphens, and begin with a letter/],
    [service({}), /spec\.ports is missing/],
    [service({ ports: [{ port: 80 }, { port: 81 }] }), /ports\[0\]\.name is missing, and there are several/],
    [service({ ports: [{ name: "a", port: 80 }, { name: "a", port: 81 }] }), /ports\[1\]\.name: "a" is there twice/], // prettier-ignore
    [service({ ports: [{ name: "a", port: 80 }, { name: "b", port: 80 }] }), /ports\[1\]\.port: 80\/TCP is there twice/], // prettier-ignore
    [service({ ports: [{ port: 80, targetPort: "8080" }] }), /targetPort: "8080" is not the name of a port/],
    [service({ ports: [{ port: 80, nodePort: 30_080 }] }), /nodePort must be absent for type ClusterIP/],
    [service({ ...one, type: "clusterip" }), /type must be one of ClusterIP/],
    [service({ ...one, type: "NodePort", clusterIP: "None" }), /clusterIP must not be None for type NodePort/],
    [service({ ...one, clusterIP: "10.96.0.1", clusterIPs: ["10.96.0.2"] }), /clusterIPs\[0\] must be "10\.96\.0\.1"/],
    [service({ ...one, externalIPs: ["127.0.0.1"] }), /must not be a loopback address/],
    [service({ ...one, externalTrafficPolicy: "Local" }), /externalTrafficPolicy must be absent/],
    [service({ type: "ExternalName" }), /externalName is missing/],
    [pod({ containers: [container({ name: "a", containerPort: 1 }, { name: "a", containerPort: 2 })] }), /"a" is there twice/],
    [
      pod({ containers: [container(), container({ hostPort: 1, containerPort: 1 }, { hostPort: 1, containerPort: 2 })] }),
      /1\/TCP is there/,
    ],
    [pod({ hostNetwork: true, containers: [container({ hostPort: 1, containerPort: 2 })] }), /hostPort must be 2/],
    [pod({ nodeName: "Node", containers: [container()] }), /"Node" is not a name/],
    [endpoints({ ports: [{ port: 1 }] }), /subsets\[0\] must have addresses/],
    [endpoints({ addresses: [{ ip: "169.254.0.1" }], ports: [{ port: 1 }] }), /must not be link-local/],
    [endpoints({ addresses: [{ ip: "10.0.0.1" }], ports: [{ port: 1 }, { port: 2 }] }), /name is missing, and there are several/],
    [slice({ ...v4, addressType: "ipv4" }), /addressType must be one of IPv4, IPv6, FQDN/],
    [slice({ ...v4, addressType: "IPv6" }), /"10\.0\.0\.1" is not an IPv6 address/],
    [slice({ ...v4, ports: [{ port: 1, protocol: "" }] }), /protocol must be one of TCP, UDP, SCTP/],
    [slice({ ...v4, ports: [{ port: 1 }, { port: 2 }] }), /"" is there twice/],
    [
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "web" },
        spec: { selector: { matchLabels: { app: "web" } }, template: { metadata: { labels: { app: "wbe" } }, spec: {} } },
      },
      /spec\.selector does not match the labels of its template/,
    ],
    [
      { apiVersion: "v1", kind: "Node", metadata: { name: "n" }, spec: { podCIDRs: ["10.0.0.0/24", "10.0.1.0/24"] } },
      /podCIDRs must not hold two blocks of one family/,
    ],
  ])("%j", (object, problem) => {
    expect(told(object)).toContainEqual(expect.stringMatching(new RegExp(`^error: .*${problem.source}`)));
    expect(read(object).manifests).toBeUndefined();
  });
});

test("a label without a value is gone from a cluster-wide policy (bug: the server's selects everything, ours nothing)", () => {
  const spec = { tier: "Admin", priority: 1, subject: { namespaces: { matchLabels: { team: null } } } };
  const policy = { apiVersion: "policy.networking.k8s.io/v1alpha2", kind: "ClusterNetworkPolicy", metadata: { name: "p" }, spec };
  expect(read(policy).manifests?.world.policies[0]?.spec).toMatchObject({ subject: { namespaces: { matchLabels: {} } } });
  expect(told(policy)).toContainEqual(expect.stringContaining("matchLabels.team has no value, and the API server drops it"));
});

describe("what the API server fills in is filled in", () => {
  test("an empty protocol is TCP, a target port is the port, the type is ClusterIP", () => {
    const { manifests } = read(service({ type: "", ports: [{ port: 80, protocol: "", targetPort: 0 }] }));
    expect(manifests?.services[0]?.ports).toEqual([expect.objectContaining({ port: 80, protocol: "TCP", targetPort: 80 })]);
  });

  test("a pod of the node's network has its ports on the node", () => {
    const { manifests } = read(pod({ hostNetwork: true, containers: [container({ containerPort: 9100 })] }));
    expect(manifests?.world.pods[0]?.ports).toEqual([{ containerPort: 9100, protocol: "TCP", hostPort: 9100 }]);
  });
});

test("what no connection depends on is told once, with a count (bug: a folder is refused for want of an image)", () => {
  const notes = told(pod({ containers: [{}] }, "x"), pod({ containers: [] }, "y"), pod({ containers: [{ name: "c" }] }, "z"));
  expect(notes.filter((note) => note.startsWith("warning"))).toEqual([
    "warning: Pod a/x: spec.containers[0].name is missing (and 2 more mistakes of that kind)",
  ]);
});
