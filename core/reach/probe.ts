import type { Protocol } from "../address/ports.ts";
import { parseAddress } from "../address/index.ts";
import type { Evaluator } from "../verdict/evaluator.ts";
import { livePods, podId } from "../verdict/world.ts";
import type { Endpoint, World, WorldPod } from "../verdict/world.ts";
import { workloadOf } from "./workload-name.ts";

/** One question: may `src` connect to `dst`? `namespace/pod` or an address each; a port by number or by name. */
export interface Probe {
  readonly src: string;
  readonly dst: string;
  readonly protocol: Protocol;
  readonly port: number | string;
}

/** The answer; `uncertain` only where something is undefined or was not understood. */
export interface ProbeAnswer {
  readonly ingress: boolean;
  readonly egress: boolean;
  readonly allowed: boolean;
  readonly why: string;
  readonly uncertain?: readonly string[];
}

/** A probe from a line of JSON, or why it is none. */
export function parseProbe(line: string): Probe | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return "not JSON";
    throw error;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "not an object with src, dst, protocol and port";
  const { src, dst, protocol = "TCP", port } = value as Readonly<Record<string, unknown>>; // an object, just checked
  for (const [name, end] of Object.entries({ src, dst })) {
    if (typeof end !== "string" || !isEnd(end)) return `${name} must be namespace/pod or an address`;
  }
  const wanted = ["tcp", "udp", "sctp"] as const;
  const found = wanted.find((known) => typeof protocol === "string" && known === protocol.toLowerCase());
  if (found === undefined) return "protocol must be TCP, UDP or SCTP";
  const number = typeof port === "string" && /^\d+$/.test(port) ? Number(port) : port;
  if (typeof number === "number" && (!Number.isInteger(number) || number < 1 || number > 65535))
    return "port must be from 1 to 65535";
  if (typeof number !== "number" && (typeof number !== "string" || number === "")) return "port must be a number or a name";
  return { src: src as string, dst: dst as string, protocol: found, port: number }; // both are texts, checked above
}

function isEnd(text: string): boolean {
  const slash = text.indexOf("/");
  if (slash > 0 && slash < text.length - 1 && !text.includes("/", slash + 1)) return true;
  const parsed = parseAddress(text);
  return "ok" in parsed || parsed.corrected !== undefined;
}

/** What a name in a probe means: an address, a pod, or the pods of the one workload of that name (`namespace/name[Kind]`, or short). */
export function endpointFinder({ pods }: World): (text: string) => readonly Endpoint[] {
  const byName = new Map<string, WorldPod[]>();
  const add = (name: string, pod: WorldPod): void => {
    const known = byName.get(name);
    if (known === undefined) byName.set(name, [pod]);
    else if (workloadOf(known[0] as WorldPod) === workloadOf(pod)) known.push(pod); // the first workload of a short name
  };
  for (const pod of livePods(pods)) {
    const name = workloadOf(pod);
    add(name, pod);
    const short = name.replace(/\[[^\]]*\]$/, "");
    if (short !== name) add(short, pod);
  }
  for (const pod of pods) byName.set(podId(pod), [pod]);
  return (text) => {
    if (!text.includes("/")) return [{ kind: "address", address: text }];
    const slash = text.indexOf("/");
    const found = byName.get(text) ?? [{ namespace: text.slice(0, slash), name: text.slice(slash + 1) }];
    return found.map(({ namespace, name }) => ({ kind: "pod", namespace, name }));
  };
}

/** Answers one probe; of workloads whose pods differ, it is open only where all of them may. */
export function answerProbe(engine: Evaluator, find: (text: string) => readonly Endpoint[], probe: Probe): ProbeAnswer {
  const answers = pairsOf(engine, find(probe.src), find(probe.dst)).map(([from, to]) => ({
    pair: `${nameOf(from)} → ${nameOf(to)}`,
    verdict: engine.verdict(from, to, probe.port, probe.protocol),
  }));
  const denied = answers.find(({ verdict }) => !verdict.allowed);
  const open = answers.find(({ verdict }) => verdict.allowed);
  const shown = (denied ?? open)?.verdict; // there is at least one pair
  const { why, uncertain: own } = { why: shown?.why ?? [], uncertain: shown?.uncertain ?? [] };
  const isSplit = denied !== undefined && open !== undefined;
  const split = isSplit ? [`it depends on the pod: ${open.pair} is open, ${denied.pair} is not`] : [];
  const uncertain = [...new Set([...split, ...own, ...answers.flatMap(({ verdict }) => verdict.uncertain)])];
  const reasons = why.length === 0 ? own : why.map(({ direction, text }) => `${direction}: ${text}`);
  const answer = {
    ingress: answers.every(({ verdict }) => verdict.ingress),
    egress: answers.every(({ verdict }) => verdict.egress),
    allowed: denied === undefined,
    why: reasons.join("; "),
  };
  return uncertain.length === 0 ? answer : { ...answer, uncertain };
}

/** One pod of each sort at both ends: those that policies do not tell apart, on one node, get one answer. */
function pairsOf(
  engine: Evaluator,
  sources: readonly Endpoint[],
  destinations: readonly Endpoint[],
): readonly (readonly [Endpoint, Endpoint])[] {
  const [from, to] = [engine.oneOfEach(sources.toReversed()), engine.oneOfEach(destinations)]; // two pods where there are two
  const pairs = from.flatMap((source) => to.map((destination) => [source, destination] as const));
  const others = pairs.filter(([a, b]) => a.kind === "address" || b.kind === "address" || podId(a) !== podId(b));
  return others.length === 0 ? pairs : others; // a pod to itself says nothing of a workload with more pods
}

function nameOf(endpoint: Endpoint): string {
  return endpoint.kind === "pod" ? podId(endpoint) : endpoint.address;
}
