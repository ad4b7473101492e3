/** The DNS of a test cluster, where every distribution has it: Service kube-system/kube-dns and a pod behind it that answers. */
import type { TestCluster } from "./cluster.ts";
import { createPod, createService, type TestPod } from "./pods.ts";

/** What the DNS pod knows; everything else is "nxdomain". */
export const DNS_RECORDS = {
  "kubernetes.default.svc.cluster.local": "10.96.0.1",
  "kube-dns.kube-system.svc.cluster.local": "10.96.0.10",
} as const;

/** Creates the Service and the pod; in a world the pod answers on 53/udp and 53/tcp of its own address. */
export async function createClusterDns(cluster: TestCluster, node?: string): Promise<TestPod> {
  const labels = { "k8s-app": "kube-dns" };
  await createService(cluster, {
    namespace: "kube-system",
    name: "kube-dns",
    selector: labels,
    ports: ["53/udp", "53/tcp"],
    clusterIP: "10.96.0.10",
  });
  const pod = await createPod(cluster, {
    namespace: "kube-system",
    name: "coredns",
    labels,
    ...(node === undefined ? {} : { node }),
  });
  if (pod.namespace !== undefined) await (await pod.agent()).ask({ kind: "serve dns", records: DNS_RECORDS });
  return pod;
}
