import type { Protocol } from "../address/ports.ts";
import { parseAddress } from "../address/index.ts";
import type { Evaluator } from "../verdict/evaluator.ts";
import type { Endpoint, World, WorldPod } from "../verdict/world.ts";
import { workloadOf } from "./matrix.ts";

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

/** What a name in a probe means: a pod, or the one workload of that name (`namespace/name` or `namespace/name[Kind]`). */
export function endpointFinder({ pods }: World): (text: string) => Endpoint {
  const byName = new Map<string, WorldPod>();
  for (const pod of pods) {
    byName.set(workloadOf(pod), byName.get(workloadOf(pod)) ?? pod);
    const short = workloadOf(pod).replace(/\[[^\]]*\]$/, "");
    byName.set(short, byName.get(short) ?? pod);
  }
  for (const pod of pods) byName.set(`${pod.namespace}/${pod.name}`, pod);
  return (text) => {
    if (!text.includes("/")) return { kind: "address", address: text };
    const pod = byName.get(text);
    const slash = text.indexOf("/");
    return { kind: "pod", namespace: pod?.namespace ?? text.slice(0, slash), name: pod?.name ?? text.slice(slash + 1) };
  };
}

/** Answers one probe. */
export function answerProbe(engine: Evaluator, find: (text: string) => Endpoint, probe: Probe): ProbeAnswer {
  const { ingress, egress, allowed, why, uncertain } = engine.verdict(find(probe.src), find(probe.dst), probe.port, probe.protocol);
  const reasons = why.length === 0 ? uncertain : why.map(({ direction, text }) => `${direction}: ${text}`);
  const answer = { ingress, egress, allowed, why: reasons.join("; ") };
  return uncertain.length === 0 ? answer : { ...answer, uncertain };
}
