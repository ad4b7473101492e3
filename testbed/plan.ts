/**
 * The address plan of a world. Several worlds can stand on one machine, so every range follows from the world's index:
 *
 *   index            0 (the demonstration, policies/example)     i = 1..15 (tests)
 *   link             10.200.0.0/24   root .1, world .2           10.200.i.0/24
 *   hosts            10.20.0.0/24                                10.20.i.0/24
 *   externals        10.9.0.0/24                                 10.9.i.0/24
 *   pods, cluster c  10.(244+c).0.0/16                           10.(100+4i+c).0.0/16      c = 0..3
 *   nodes, cluster c 172.31.c.0/24                               172.31.(4i+c).0/24
 *
 * Services get 10.96.0.0/16 everywhere: no packet is ever sent to one (there is no kube-proxy).
 */
export interface AddressPlan {
  readonly index: number;
  /** Address of the root namespace (where Firebreak and the API servers are) on the link to the world. */
  readonly rootAddress: string;
  readonly worldAddress: string;
  readonly hosts: string;
  readonly externals: string;
  /** The n-th host's address; n from 0 gives .11 */
  host(n: number): string;
  /** The n-th external's address; n from 0 gives .11 */
  external(n: number): string;
  pods(cluster: number): string;
  nodes(cluster: number): string;
}

/** Worlds that can stand at the same time. */
export const WORLDS = 16;
export const CLUSTERS_PER_WORLD = 4;

/** The addresses of world `index`, 0 to 15. */
export function addressPlan(index: number): AddressPlan {
  if (!Number.isInteger(index) || index < 0 || index >= WORLDS) throw new RangeError(`world index ${index}: 0 to ${WORLDS - 1}`);
  const cluster = (c: number): number => {
    if (c < 0 || c >= CLUSTERS_PER_WORLD) throw new RangeError(`cluster ${c} of a world: 0 to ${CLUSTERS_PER_WORLD - 1}`);
    return c;
  };
  return {
    index,
    rootAddress: `10.200.${index}.1`,
    worldAddress: `10.200.${index}.2`,
    hosts: `10.20.${index}.0/24`,
    externals: `10.9.${index}.0/24`,
    host: (n) => `10.20.${index}.${11 + n}`,
    external: (n) => `10.9.${index}.${11 + n}`,
    pods: (c) => `10.${index === 0 ? 244 + cluster(c) : 100 + 4 * index + cluster(c)}.0.0/16`,
    nodes: (c) => `172.31.${4 * index + cluster(c)}.0/24`,
  };
}

/** Every range of the plan that the root namespace routes to the world. */
export function routedRanges(plan: AddressPlan): readonly string[] {
  const clusters = Array.from({ length: CLUSTERS_PER_WORLD }, (_, c) => c);
  return [plan.hosts, plan.externals, ...clusters.map((c) => plan.pods(c)), ...clusters.map((c) => plan.nodes(c))];
}
