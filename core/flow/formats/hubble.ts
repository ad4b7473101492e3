import {
  countOf,
  fieldsOf,
  momentOf,
  objectOf,
  portOf,
  textOf,
  type FlowFormat,
  type FlowProtocol,
  type FlowVerdict,
  type LineRead,
  type SightedEnd,
} from "../sighting.ts";

/** Verdicts of flow.proto that say what became of a packet; the others are about its way. */
const VERDICTS: ReadonlyMap<unknown, FlowVerdict> = new Map([
  ["FORWARDED", "allowed"],
  ["DROPPED", "denied"],
  ["AUDIT", "would be denied"],
]);

const LAYERS: ReadonlyMap<string, FlowProtocol> = new Map([
  ["TCP", "tcp"],
  ["UDP", "udp"],
  ["SCTP", "sctp"],
  ["ICMPv4", "icmp"],
  ["ICMPv6", "icmpv6"],
]);

/** `hubble observe -o jsonpb` and Cilium's exported flows (observer.proto GetFlowsResponse, flow.proto Flow); AKS writes the same. */
export const hubble: FlowFormat = {
  name: "hubble",
  isLike: (line) => {
    const fields = objectOf(line);
    return fields !== undefined && ["flow", "lost_events", "node_status"].some((key) => key in fields);
  },
  read: readLine,
};

function readLine(line: string): LineRead {
  const fields = objectOf(line);
  if (fields === undefined) return { kind: "broken", why: "is no JSON object" };
  const lost = fieldsOf(fields["lost_events"]);
  if (lost !== undefined) return { kind: "lost", count: countOf(lost["num_events_lost"]) };
  if (fields["node_status"] !== undefined) return { kind: "other" };
  // `-o json` of old versions has no envelope.
  const flow = fieldsOf(fields["flow"]) ?? fields;
  if (flow["is_reply"] === true) return { kind: "other" };
  const verdict = VERDICTS.get(flow["verdict"]);
  if (verdict === undefined) return { kind: "other" };
  const transport = Object.entries(fieldsOf(flow["l4"]) ?? {}).find(([name]) => LAYERS.has(name));
  const layer = fieldsOf(transport?.[1]);
  const protocol = LAYERS.get(transport?.[0] ?? "");
  if (protocol === undefined || layer === undefined) return { kind: "other" };
  const port = protocol === "icmp" || protocol === "icmpv6" ? (portOf(layer["type"]) ?? 0) : portOf(layer["destination_port"]);
  const at = momentOf(flow["time"]) ?? momentOf(fields["time"]);
  if (port === undefined || at === undefined) return { kind: "broken", why: "has no destination port or no time" };
  // Who began is known of the first packet of TCP; of others only where Cilium knows that it is no reply.
  const flags = fieldsOf(layer["flags"]);
  const isFirst = flags === undefined ? flow["is_reply"] === false : flags["SYN"] === true && flags["ACK"] !== true;
  if (protocol === "tcp" ? !isFirst : flow["is_reply"] !== false) return { kind: "other" };
  const addresses = fieldsOf(flow["IP"]);
  const from = endOf(flow["source"], addresses?.["source"]);
  const to = endOf(flow["destination"], addresses?.["destination"]);
  if (from === undefined || to === undefined) return { kind: "broken", why: "names no source or no destination" };
  return { kind: "sighting", sighting: { from, to, protocol, port, verdict, first: at, last: at, count: 1, answered: undefined } };
}

function endOf(value: unknown, ip: unknown): SightedEnd | undefined {
  const fields = fieldsOf(value);
  const [namespace, name, address] = [textOf(fields?.["namespace"]), textOf(fields?.["pod_name"]), textOf(ip)];
  const pod = namespace === undefined || name === undefined ? undefined : { namespace, name };
  return address === undefined && pod === undefined ? undefined : { address, pod, name: undefined };
}
