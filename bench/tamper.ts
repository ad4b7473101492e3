/** From a change behind Git's back to the finding in the API, and to the repair. */
import { API, type FindingAnswer } from "../core/api/shapes.ts";
import type { TestCluster } from "../testbed/cluster.ts";
import type { TestHost } from "../testbed/host.ts";
import type { KubeObject } from "../testbed/kube-api.ts";
import { FLEET } from "../testbed/organisation.ts";
import { waitFor } from "../testbed/wait.ts";
import type { World } from "../testbed/world.ts";
import { formatMs, median, percentile, printFigure } from "./report.ts";
import { LOOK_MS, type Service } from "./run-service.ts";

const TIMES = 32;
/** Repairs of one fingerprint before it counts as a fight; `firebreak reconcile` starts counting anew, as a person would. */
const HEALS_IN_A_ROW = 4;

/** This long after a repair no finding will come any more. */
const NO_FINDING_MS = 10_000;

/** One tampering: what it does, how it shows, when it is undone. */
interface Tampering {
  readonly target: string;
  readonly tamper: () => Promise<unknown>;
  readonly isHealed: () => Promise<boolean>;
  /** True for the finding it leads to. */
  readonly isIt: (finding: FindingAnswer) => boolean;
}

/** Latencies in ms, from before the tampering command was given. */
interface Latencies {
  /** NaN: a run that looked for another reason repaired it first, and nobody was told. */
  readonly finding: number;
  readonly healed: number;
}

/** Opens policies with `ingress: [{}]`, then inserts accept rules on hosts; each waits for the repair of the one before. */
export async function benchTampering(world: World, service: Service): Promise<void> {
  const objects = (await Promise.all([...world.clusters.values()].map(openable))).flat();
  const onClusters = Array.from({ length: TIMES }, (_, n) => [openPolicy(objects[n % objects.length]!)]);
  print("clusters: a policy opened with `ingress: [{}]`", await runRounds(service, onClusters));
  const hosts = [...world.hosts.values()];
  const rounds = Array.from({ length: TIMES / hosts.length }, (_, n) => n);
  const onHosts = rounds.map((round) => hosts.map((host) => insertRule(host, 20_000 + round)));
  const latencies = await runRounds(service, onHosts);
  print("hosts: an accept rule inserted on all at once, read every 1 s", latencies);
  const look = Math.max(0, median(latencies.map(({ finding }) => finding).filter((ms) => !Number.isNaN(ms))) - 500);
  printFigure(
    "hosts at the default, read every 10 s (computed from the above)",
    `finding: median ${formatMs(5_000 + look)}, at most ${formatMs(12_000 + look)}`,
  );
}

/** One round after another; the tamperings of a round are on different targets, at the same time. */
async function runRounds(service: Service, rounds: readonly (readonly Tampering[])[]): Promise<readonly Latencies[]> {
  const latencies: Latencies[] = [];
  for (const [index, round] of rounds.entries()) {
    if (index % HEALS_IN_A_ROW === 0) await service.api.post(API.reconcile, {});
    await service.quiet();
    latencies.push(...(await Promise.all(round.map((tampering) => measure(service, tampering)))));
  }
  await service.quiet();
  return latencies;
}

async function measure(service: Service, { target, tamper, isHealed, isIt }: Tampering): Promise<Latencies> {
  const before = Date.now();
  const start = performance.now();
  await tamper();
  const isFound = async (): Promise<boolean> => {
    const findings = await service.api.get<readonly FindingAnswer[]>(API.findings, { target, all: "1" });
    return findings.some((finding) => isIt(finding) && Date.parse(finding.lastSeen) >= before);
  };
  const since = async (what: string, condition: () => Promise<boolean>): Promise<number> => {
    await waitFor(condition, { what: `${what} on ${target}`, timeoutMs: 60_000, everyMs: LOOK_MS });
    return performance.now() - start;
  };
  let givenUpAt = Number.POSITIVE_INFINITY;
  const findingAt = async (): Promise<number> => {
    const at = await since("the finding", async () => performance.now() > givenUpAt || (await isFound()));
    return performance.now() > givenUpAt ? Number.NaN : at;
  };
  const healedAt = async (): Promise<number> => {
    const at = await since("the repair", isHealed);
    givenUpAt = performance.now() + NO_FINDING_MS;
    return at;
  };
  const [finding, healed] = await Promise.all([findingAt(), healedAt()]);
  const isOver = async (): Promise<boolean> => {
    const open = await service.api.get<readonly FindingAnswer[]>(API.findings, { target });
    return !open.some(isIt);
  };
  await waitFor(isOver, { what: `the finding on ${target} is resolved`, timeoutMs: 60_000, everyMs: 50 });
  return { finding, healed };
}

interface Openable {
  readonly cluster: TestCluster;
  readonly object: KubeObject;
  readonly path: string;
}

/** Our ingress policies of a cluster. */
async function openable(cluster: TestCluster): Promise<readonly Openable[]> {
  const group = "/apis/networking.k8s.io/v1";
  const query = encodeURIComponent("app.kubernetes.io/managed-by=firebreak");
  const list = await cluster.api.get(`${group}/networkpolicies?labelSelector=${query}`);
  // The cast: the answer to a list; a benchmark that reads it wrongly fails at once.
  const items = list["items"] as readonly (KubeObject & {
    readonly spec: { readonly policyTypes: readonly string[] };
  })[];
  return items
    .filter(({ spec }) => spec.policyTypes.includes("Ingress"))
    .map((object) => ({
      cluster,
      object,
      path: `${group}/namespaces/${object.metadata.namespace}/networkpolicies/${object.metadata.name}`,
    }));
}

function openPolicy({ cluster, object, path }: Openable): Tampering {
  const subject = `networkpolicy ${object.metadata.namespace}/${object.metadata.name}`;
  const spec = JSON.stringify(object["spec"]);
  return {
    target: `cluster/${cluster.name}`,
    tamper: async () => await cluster.api.call("PATCH", path, { spec: { ingress: [{}] } }),
    isHealed: async () => JSON.stringify((await cluster.api.get(path))["spec"]) === spec,
    isIt: (finding) => finding.subject === subject,
  };
}

function insertRule(host: TestHost, port: number): Tampering {
  return {
    target: `host/${FLEET}/${host.name}`,
    tamper: async () => await host.exec(`nft insert rule inet firebreak input tcp dport ${port} accept`),
    isHealed: async () => !(await host.exec("nft list chain inet firebreak input")).includes(`dport ${port}`),
    isIt: (finding) => finding.kind === "ruleset-changed",
  };
}

function print(what: string, latencies: readonly Latencies[]): void {
  for (const part of ["finding", "healed"] as const) {
    const times = latencies.map((latency) => latency[part]).filter((ms) => !Number.isNaN(ms));
    const p = (of: number): string => formatMs(percentile(times, of));
    const untold = latencies.length - times.length;
    const note = untold === 0 ? "" : ` · ${untold} repaired without a finding, by a run that looked for another reason`;
    printFigure(`${what} → ${part}`, `p50 ${p(50)} · p99 ${p(99)} · n=${times.length}${note}`);
  }
}
