/**
 * The small organisation that faults are tried on, and what its definitions say: the driver knows of every path whether a commit allows
 * it, without asking Firebreak.
 *
 * ```
 *   alpha, beta (externals)  ──►  one, two (hosts)     8001, 8002, 8003
 *   web, job (pods)          ──►  db (pod), one, two
 * ```
 */
import type { AddressPlan } from "../../testbed/plan.ts";

export const HOSTS = ["one", "two"] as const;
export const FLEET = "small";
export const CLUSTER = "shop-eu";
export const PORTS = [8001, 8002, 8003] as const;
/** Never in any rule, open to everybody: a probe of it that fails says that the machine is slow, not that Firebreak closed something. */
export const CONTROL_PORT = 9000;

export const EXTERNALS = ["alpha", "beta"] as const;
export const PODS = ["web", "job", "db"] as const;

/** One way from a place to a port of another. */
export interface Way {
  readonly from: string;
  readonly to: string;
  readonly port: number;
}

/** In every commit. */
const ALWAYS: readonly Way[] = [
  { from: "alpha", to: "one", port: 8001 },
  { from: "alpha", to: "two", port: 8001 },
];
const ALWAYS_WITH_CLUSTER: readonly Way[] = [
  { from: "web", to: "db", port: 8001 },
  { from: "web", to: "two", port: 8001 },
];

/** What commits turn on and off. Nothing else is ever allowed. */
export const TOGGLES: readonly Way[] = [
  { from: "alpha", to: "one", port: 8002 },
  { from: "alpha", to: "two", port: 8002 },
  { from: "beta", to: "one", port: 8001 },
  { from: "beta", to: "two", port: 8001 },
  { from: "beta", to: "one", port: 8002 },
  { from: "alpha", to: "two", port: 8003 },
  // The last three are ignored where there is no cluster.
  { from: "web", to: "db", port: 8002 },
  { from: "job", to: "db", port: 8001 },
  { from: "job", to: "one", port: 8002 },
];

/** Which toggles are on. */
export type Choice = readonly boolean[];

export const FIRST_CHOICE: Choice = TOGGLES.map((_, index) => index % 2 === 0);

export function flip(choice: Choice, indexes: readonly number[]): Choice {
  return choice.map((on, index) => (indexes.includes(index) ? !on : on));
}

/** Every way that is probed. */
export function waysOf(hasCluster: boolean): readonly Way[] {
  const toHosts = EXTERNALS.flatMap((from) => HOSTS.flatMap((to) => PORTS.map((port) => ({ from, to, port }))));
  if (!hasCluster) return toHosts;
  const fromPods = ["web", "job"].flatMap((from) =>
    ["db", ...HOSTS].flatMap((to) => [8001, 8002].map((port) => ({ from, to, port }))),
  );
  return [...toHosts, ...fromPods];
}

/** What the definitions of a commit with this choice say of a way. */
export function allows(choice: Choice, way: Way, hasCluster: boolean): boolean {
  const always = hasCluster ? [...ALWAYS, ...ALWAYS_WITH_CLUSTER] : ALWAYS;
  const on = TOGGLES.filter((_, index) => choice[index] === true);
  return [...always, ...on].some(({ from, to, port }) => from === way.from && to === way.to && port === way.port);
}

/** Target that enforces what reaches a place. */
export function targetOf(place: string): string {
  return HOSTS.some((host) => host === place) ? `host/${FLEET}/${place}` : `cluster/${CLUSTER}`;
}

export interface Where {
  readonly plan: Pick<AddressPlan, "pods">;
  readonly addressOf: (place: string) => string;
  readonly hasCluster: boolean;
}

/** The files of a commit. */
export function filesOf(choice: Choice, where: Where): Record<string, string> {
  const { hasCluster } = where;
  const always = hasCluster ? [...ALWAYS, ...ALWAYS_WITH_CLUSTER] : ALWAYS;
  const isHere = ({ from, to }: Way): boolean =>
    hasCluster || ![from, to].some((place) => (PODS as readonly string[]).includes(place));
  const rules = [...always, ...TOGGLES.filter((way, index) => choice[index] === true && isHere(way))];
  return {
    "policies/targets.yaml": [
      fleetText(where),
      ...EXTERNALS.map((name) => externalText(name, where)),
      ...(hasCluster ? [clusterText(where)] : []),
    ].join("---\n"),
    "policies/segments.yaml": [
      ...HOSTS.map((name) => segmentText(name, `hosts: {matchLabels: {name: ${name}}}`, "enforce")),
      ...EXTERNALS.map((name) => segmentText(name, `externals: {matchLabels: {name: ${name}}}`, undefined)),
      ...(hasCluster
        ? PODS.map((name) =>
            segmentText(
              name,
              `pods: {matchLabels: {app: ${name}}}\n      namespaces: {matchLabels: {team: app}}`,
              name === "db" ? "enforce" : "observe",
            ),
          )
        : []),
    ].join("---\n"),
    "policies/policies.yaml": policyText(rules),
    "policies/workspace.yaml":
      "apiVersion: firebreak.dev/v1alpha1\nkind: Workspace\nspec:\n  internal: [10.0.0.0/8, 172.16.0.0/12]\n  drift: {default: [heal]}\n",
  };
}

/** A commit that Firebreak must refuse. */
export const BAD_FILES: Readonly<Record<string, string>> = {
  "policies/policies.yaml":
    "apiVersion: firebreak.dev/v1alpha1\nkind: Policy\nmetadata: {name: way}\nspec: {owner: nobody, rules: [{from: [nobody], to: [one], ports: [any]}]}\n",
};

function fleetText({ addressOf }: Where): string {
  const hosts = HOSTS.map((name) => `    - {name: ${name}, addresses: [${addressOf(name)}], labels: {name: ${name}}}\n`).join("");
  return `apiVersion: firebreak.dev/v1alpha1
kind: HostFleet
metadata: {name: ${FLEET}}
spec:
  mode: apply
  transport: {ssh: {user: root, port: 22}}
  hosts:
${hosts}`;
}

function externalText(name: string, { addressOf }: Where): string {
  return `apiVersion: firebreak.dev/v1alpha1
kind: External
metadata: {name: ${name}, labels: {name: ${name}}}
spec: {addresses: [${addressOf(name)}/32]}
`;
}

function clusterText({ plan }: Where): string {
  return `apiVersion: firebreak.dev/v1alpha1
kind: Cluster
metadata: {name: ${CLUSTER}}
spec: {mode: apply, context: ${CLUSTER}, enforcer: kube-network-policies, podNetwork: routed, podRanges: [${plan.pods(0)}]}
`;
}

function segmentText(name: string, members: string, ingress: "enforce" | "observe" | undefined): string {
  const isolate = ingress === undefined ? "" : `  isolate: {ingress: ${ingress}, egress: observe}\n`;
  return `apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: ${name}}
spec:
  members:
    - ${members}
${isolate}`;
}

function policyText(rules: readonly Way[]): string {
  const lines = rules.map(({ from, to, port }) => `    - {from: [${from}], to: [${to}], ports: [${port}/tcp]}\n`).join("");
  return `apiVersion: firebreak.dev/v1alpha1
kind: Policy
metadata: {name: ways}
spec:
  owner: team-faults
  reason: What may be connected while things break.
  rules:
${lines}`;
}
