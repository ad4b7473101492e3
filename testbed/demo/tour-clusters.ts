/** The steps of the tour that need clusters with packets. */
import type { TestCluster } from "../cluster.ts";
import type { KubeObject } from "../kube-api.ts";
import type { Place } from "../probe.ts";
import { commitStep } from "./commit-step.ts";
import type { Way } from "./packets.ts";
import type { Clusters, Pods, Stage } from "./stage.ts";
import type { Step } from "./step.ts";
import { tamperStep } from "./tamper-step.ts";

/** Clusters that are there. */
type Fleet = Exclude<Clusters, { readonly missing: string }>;

const CLUSTER = "shop-eu";
const OTHER = "shop-us";
const COLLECTION = "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies";

const POLICY = `apiVersion: firebreak.dev/v1alpha1
kind: Policy
metadata: {name: tour-customers}
spec:
  owner: team-shop
  reason: Locations and the blue directory look customers up; locations ask the red directory.
  rules:
    - {from: [geo-location, ldap-servers-blue], to: [cust-record], ports: [8443/tcp]}
    - {from: [geo-location], to: [ldap-servers-red], ports: [636/tcp]}
`;

/** The steps; their policies are looked up now, so the clusters must be in sync. */
export async function clusterSteps({ world }: Stage, { pods, withoutPackets }: Fleet): Promise<readonly Step<Stage>[]> {
  const cluster = world.cluster(CLUSTER);
  const eu = podOf(pods, CLUSTER);
  const us = podOf(pods, OTHER);
  const ingress = await policyNamed(cluster, /^fb-cust-record-i-[0-9a-f]+$/);
  const egress = await policyNamed(cluster, /^fb-cust-record-e-[0-9a-f]+$/);
  const target = `cluster/${CLUSTER}`;
  const hasPackets = withoutPackets === undefined;
  const custRecord = eu("shop/cust-record");
  return [
    commitStep({
      title: hasPackets
        ? "A policy change: within a cluster, between clusters, to and from hosts"
        : "A policy change is pushed, and taken back",
      path: "policies/policies/tour.yaml",
      text: POLICY,
      message: "Locations and the blue directory look customers up",
      ways: hasPackets
        ? [
            wayOf(eu("geo/geo-location"), custRecord, 8443),
            wayOf(us("geo/geo-location"), custRecord, 8443),
            wayOf(world.host("ldap-blue-1"), custRecord, 8443),
            wayOf(eu("geo/geo-location"), world.host("ldap-red-1"), 636),
          ]
        : [],
    }),
    tamperStep({
      title: "Somebody opens a default-deny policy with ingress: [{}]",
      target,
      command: `kubectl --context ${CLUSTER} -n shop edit networkpolicy ${ingress}`,
      way: hasPackets ? wayOf(eu("geo/geo-location"), custRecord, 8080) : undefined,
      effect: "opens",
      by: "kubectl-edit",
      tamper: async () =>
        await cluster.api.call("PATCH", `${COLLECTION}/${ingress}?fieldManager=kubectl-edit`, { spec: { ingress: [{}] } }),
      look: async () => await specOf(cluster, ingress),
    }),
    tamperStep({
      title: "Somebody deletes a policy",
      target,
      command: `kubectl --context ${CLUSTER} -n shop delete networkpolicy ${egress}`,
      way: hasPackets ? wayOf(custRecord, world.external("mainframe"), 1414) : undefined,
      effect: "opens",
      tamper: async () => await cluster.api.remove(`${COLLECTION}/${egress}`),
      look: async () => await specOf(cluster, egress),
    }),
  ];
}

function podOf(pods: Pods, cluster: string): (name: string) => Place {
  return (name) => {
    const pod = pods.get(cluster)?.get(name);
    if (pod === undefined) throw new Error(`${cluster} has no pod ${name}`);
    return pod;
  };
}

function wayOf(from: Place, to: Place, port: number): Way {
  return { from, to, port, name: `${shortName(from)} → ${shortName(to)}:${port}` };
}

/** `shop-eu/cust-record` of a pod, `ldap-red-1` of a host. */
function shortName({ label }: Place): string {
  const parts = label.split("/");
  return parts.length === 3 ? `${parts[0]}/${parts[2]}` : label.replace(/^(host|external) /, "");
}

async function policyNamed(cluster: TestCluster, pattern: RegExp): Promise<string> {
  const list = (await cluster.api.get(COLLECTION)) as unknown as { readonly items: readonly KubeObject[] }; // a list has items
  const name = list.items.map(({ metadata }) => metadata.name).find((candidate) => pattern.test(candidate));
  if (name === undefined) throw new Error(`${cluster.name} has no policy like ${pattern.source}`);
  return name;
}

async function specOf(cluster: TestCluster, name: string): Promise<string> {
  return JSON.stringify((await cluster.api.get(`${COLLECTION}/${name}`))["spec"]);
}
