import { describe, expect, test } from "vitest";
import { platformOf } from "../../../adapters/kubernetes/detect.ts";
import { trimApiService } from "../../../adapters/kubernetes/trim-service.ts";
import { compileCluster } from "../../../core/compile/cluster.ts";
import { portWords } from "../../../core/compile/ports.ts";
import type { Platform, Service } from "../../../core/membership/inventory.ts";
import type { ClusterDns } from "../../../core/model/kinds.ts";
import { formatSelector } from "../../../core/selector/index.ts";
import {
  app,
  boundaryMember,
  cluster,
  definitions,
  inventory,
  namespace,
  pod,
  policy,
  port,
  rule,
  segment,
} from "../../support/definitions.ts";
import { differencesOf } from "../../support/compile-organisation.ts";

const tcp = (targetPort: number | string) => ({ protocol: "TCP", port: 53, targetPort });
const dnsOf = (at: string, name: string, selector: Service["selector"], targetPort: number | string): Service => ({
  namespace: at,
  name,
  selector,
  clusterIps: [],
  ports: [tcp(targetPort)],
});
const KUBE_DNS = dnsOf("kube-system", "kube-dns", { "k8s-app": "kube-dns" }, 53);
const FAKE = dnsOf("openshift-dns", "dns-default", { app: "sink" }, 4444);
const namespaces = [
  namespace("shop"),
  namespace("openshift-dns", { "policy-group.network.openshift.io/ingress": "" }),
  namespace("kube-system"),
];

interface Given {
  readonly services: readonly Service[];
  readonly platform?: Platform;
  readonly dns?: Partial<ClusterDns>;
}

/** What isolated pods may ask, as `pods@namespace ports`, and the codes of notes about DNS; both readings agree on it. */
function opened({ services, platform, dns = {} }: Given): readonly string[] {
  const eu = cluster("eu", { dns: { service: undefined, ports: [], ...dns } });
  const vault = segment("vault", [app("vault")], "enforce", "enforce");
  const edge = segment("edge", [boundaryMember("ingress")]);
  const defs = definitions({ clusters: [eu], segments: [vault, edge], policies: [policy("p", rule("edge", "vault", "8200/tcp"))] });
  const pods = [
    pod("shop/vault", { app: "vault" }, "10.1.0.1"),
    pod("openshift-dns/sink", { app: "sink" }, "10.1.0.2"),
    pod("kube-system/dns", { "k8s-app": "kube-dns" }, "10.1.0.3"),
  ];
  const seen = inventory("eu", { namespaces, services, pods, ...(platform === undefined ? {} : { platform }) });
  expect(differencesOf({ definitions: defs, inventories: [seen] })).toEqual([]);
  const { want, notes } = compileCluster({
    definitions: defs,
    cluster: eu,
    namespaces,
    services,
    memberships: new Map(),
    platform,
  });
  const allows = want.objects.flatMap((object) => object.allows);
  const peers = allows.flatMap(({ peers: list, ports, origin }) =>
    list === "any" || ports === "any"
      ? [`${origin} any`]
      : list.flatMap((peer) =>
          peer.kind === "pods"
            ? [`${formatSelector(peer.pods)}@${formatSelector(peer.namespaces)} ${ports.map(portWords).join()}`]
            : [],
        ),
  );
  return [...new Set([...peers, ...notes.map(({ code }) => code).filter((code) => code.startsWith("dns-"))])].map((text) =>
    text.replace("kubernetes.io/metadata.name=", ""),
  );
}

describe("what counts as a cluster's DNS", () => {
  // would catch (H4): egress of every isolated workload open to whoever may create a namespace, and ingress by a label its owner sets
  test("is one Service, whatever a namespace is called", () => {
    expect(opened({ services: [KUBE_DNS, FAKE] })).toEqual(["k8s-app=kube-dns@kube-system 53/tcp"]);
    expect(opened({ services: [FAKE] })).toEqual(["dns-unknown"]);
  });

  test("is OpenShift's where the cluster is one and has no kube-dns", () => {
    const real = dnsOf("openshift-dns", "dns-default", { app: "sink" }, "dns-tcp");
    const routers = "all@policy-group.network.openshift.io/ingress 8200/tcp";
    expect(opened({ services: [real], platform: "openshift" }).toSorted()).toEqual(
      ["app=sink@openshift-dns 5353/tcp", routers].toSorted(),
    );
    expect(opened({ services: [real, KUBE_DNS], platform: "openshift" })).toContain("k8s-app=kube-dns@kube-system 53/tcp");
  });

  // would catch: a Service whose target port opens any port of the pods that it selects
  test("listens on 53 or 5353, unless Git says otherwise", () => {
    const odd = dnsOf("kube-system", "kube-dns", { "k8s-app": "kube-dns" }, 4444);
    expect(opened({ services: [odd] })).toEqual(["dns-port"]);
    const half = { ...odd, ports: [tcp(4444), { protocol: "UDP", port: 53, targetPort: 5353 }] };
    expect(opened({ services: [half] })).toEqual(["k8s-app=kube-dns@kube-system 5353/udp", "dns-port"]);
    const ports = [port("8053/tcp")];
    expect(opened({ services: [odd], dns: { ports } })).toEqual(["k8s-app=kube-dns@kube-system 8053/tcp"]);
  });

  test("is the Service that Git names, and then no other one", () => {
    const service = { namespace: "openshift-dns", name: "dns-default" };
    const there = dnsOf("openshift-dns", "dns-default", { app: "sink" }, 5353);
    expect(opened({ services: [KUBE_DNS, there], dns: { service } })).toEqual(["app=sink@openshift-dns 5353/tcp"]);
    expect(opened({ services: [KUBE_DNS], dns: { service } })).toEqual(["dns-unknown"]);
  });

  // would catch: pods that nobody selected, or everybody, because the Service has no selector
  test("without a selector is nobody that a label names", () => {
    expect(opened({ services: [{ ...KUBE_DNS, selector: {} }] })).toEqual(["dns-unknown"]);
  });
});

// would catch: OpenShift told by the name of a namespace
test("a cluster is an OpenShift when it serves its API groups", () => {
  const group = (name: string) => trimApiService({ metadata: { name: `v1.${name}` }, spec: { group: name } }).group;
  expect(platformOf(["", "apps", "policy-group.network.openshift.io", "config.openshift.io.example"].map(group))).toBeUndefined();
  expect(platformOf(["apps", "config.openshift.io"].map(group))).toBe("openshift");
  expect(platformOf(["route.openshift.io"].map(group))).toBe("openshift");
});
