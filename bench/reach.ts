/**
 * How fast a folder of manifests becomes a matrix of connections: `node bench/reach.ts`.
 *
 * Aims: 5,000 workloads and 1,000 policies in 2 s and 500 MB; 1,000 and 200 in 0.3 s. Reading the text is told apart from analysing
 * it. Medians of three runs, in processor time (garbage collection in other threads included); every run begins from the bytes of the files.
 */
import { stringify } from "yaml";
import { readManifests } from "../core/manifest/read.ts";
import type { Manifests } from "../core/manifest/read.ts";
import type { SourceFile } from "../core/model/source.ts";
import { reachOf } from "../core/reach/matrix.ts";
import { KUBE_NETWORK_POLICIES } from "../core/verdict/profile.ts";

const RUNS = 3;

/** Namespaces of 20 applications; each workload has labels of its own, each policy lets a few applications and one block in. */
function objectsOf(workloads: number, policies: number): readonly unknown[] {
  const namespaces = Math.ceil(workloads / 20);
  const objects: unknown[] = [];
  for (let index = 0; index < namespaces; index += 1) {
    objects.push({ apiVersion: "v1", kind: "Namespace", metadata: { name: `n${index}`, labels: { team: `t${index % 12}` } } });
  }
  for (let index = 0; index < workloads; index += 1) {
    const labels = { app: `a${index}`, tier: `r${index % 5}`, stage: `s${index % 3}` };
    const ports = [{ name: "http", containerPort: 8080 }];
    const template = { metadata: { labels }, spec: { containers: [{ name: "main", image: "example/main:1", ports }] } };
    const metadata = { name: `w${index}`, namespace: `n${index % namespaces}`, labels };
    const spec = { replicas: 2, selector: { matchLabels: { app: `a${index}` } }, template };
    objects.push({ apiVersion: "apps/v1", kind: "Deployment", metadata, spec });
  }
  for (let index = 0; index < policies; index += 1) {
    const subject = index * Math.max(1, Math.floor(workloads / policies));
    const spec = {
      podSelector: index % 10 === 0 ? {} : { matchLabels: { app: `a${subject}` } },
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        { from: [{ podSelector: { matchLabels: { tier: `r${index % 5}` } } }], ports: [{ port: 8080 }] },
        { from: [{ namespaceSelector: { matchLabels: { team: `t${index % 12}` } } }], ports: [{ port: "http" }] },
        { from: [{ ipBlock: { cidr: `10.${index % 200}.0.0/16`, except: [`10.${index % 200}.7.0/24`] } }] },
      ],
      egress: [
        { to: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: `a${(subject + 7) % workloads}` } } }] },
        { ports: [{ port: 53, protocol: "UDP" }] },
      ],
    };
    const metadata = { name: `p${index}`, namespace: `n${subject % namespaces}` };
    objects.push({ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec });
  }
  return objects;
}

/** Fifty files, as a repository would hold them. */
function filesOf(objects: readonly unknown[], kind: "yaml" | "json"): readonly SourceFile[] {
  const size = Math.ceil(objects.length / 50);
  return Array.from({ length: 50 }, (_, index) => {
    const items = objects.slice(index * size, (index + 1) * size);
    const text =
      kind === "json"
        ? JSON.stringify({ apiVersion: "v1", kind: "List", items })
        : items.map((item) => `---\n${stringify(item, { aliasDuplicateObjects: false })}`).join("");
    return { path: `manifests/${String(index).padStart(2, "0")}.${kind}`, bytes: new TextEncoder().encode(text) };
  });
}

/** Milliseconds of processor time, so that other programs on the machine do not count. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function print(what: string, value: string): void {
  console.log(`${what.padEnd(64)} ${value.padStart(10)}`);
}

function measure(workloads: number, policies: number, kind: "yaml" | "json"): void {
  const files = filesOf(objectsOf(workloads, policies), kind);
  const [reading, analysing]: [number[], number[]] = [[], []];
  let [classes, connections] = [0, 0];
  for (let run = 0; run < RUNS; run += 1) {
    const start = cpuTime();
    const { manifests } = readManifests(files);
    const middle = cpuTime();
    const reach = reachOf(manifests as Manifests, KUBE_NETWORK_POLICIES); // generated without a mistake
    reading.push(middle - start);
    analysing.push(cpuTime() - middle);
    [classes, connections] = [reach.classes.length, reach.connections.length];
  }
  const bytes = files.reduce((sum, file) => sum + file.bytes.length, 0);
  const name = `${workloads} workloads, ${policies} policies, ${kind} (${(bytes / 1e6).toFixed(1)} MB)`;
  print(`${name}: read`, `${median(reading).toFixed(0)} ms`);
  print(`${name}: analyse`, `${median(analysing).toFixed(0)} ms`);
  print(`${name}: classes, connections`, `${classes}, ${connections}`);
}

for (const [workloads, policies] of [
  [1000, 200],
  [5000, 1000],
] as const) {
  for (const kind of ["json", "yaml"] as const) measure(workloads, policies, kind);
}
print("most memory of the process", `${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`);
