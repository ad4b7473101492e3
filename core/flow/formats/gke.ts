import {
  countOf,
  fieldsOf,
  momentOf,
  objectOf,
  portOf,
  protocolOf,
  textOf,
  type FlowFormat,
  type SightedEnd,
} from "../sighting.ts";

/** Network policy logging of GKE Dataplane V2: `policy_action` of a node, or as Cloud Logging exports it (`jsonPayload`). */
export const gke: FlowFormat = {
  name: "gke",
  isLike: (line) => {
    const fields = objectOf(line);
    const entry = fieldsOf(fields?.["jsonPayload"]) ?? fields;
    return entry !== undefined && "connection" in entry && "disposition" in entry;
  },
  read: (line) => {
    const fields = objectOf(line);
    if (fields === undefined) return { kind: "broken", why: "is no JSON object" };
    const entry = fieldsOf(fields["jsonPayload"]) ?? fields;
    const connection = fieldsOf(entry["connection"]);
    if (connection === undefined) return { kind: "other" };
    const [protocol, port] = [protocolOf(connection["protocol"]), portOf(connection["dest_port"])];
    const at = momentOf(entry["timestamp"]) ?? momentOf(fields["timestamp"]);
    const disposition = textOf(entry["disposition"]);
    if (protocol === undefined || port === undefined || at === undefined)
      return { kind: "broken", why: "has no protocol, port or timestamp" };
    if (disposition !== "allow" && disposition !== "deny") return { kind: "broken", why: "has no disposition allow or deny" };
    const count = countOf(entry["count"]);
    const verdict = disposition === "allow" ? "allowed" : "denied";
    const from = endOf(entry["src"], connection["src_ip"]);
    const to = endOf(entry["dest"], connection["dest_ip"]);
    return { kind: "sighting", sighting: { from, to, protocol, port, verdict, first: at, last: at, count, answered: undefined } };
  },
};

function endOf(value: unknown, ip: unknown): SightedEnd {
  const fields = fieldsOf(value);
  const namespace = textOf(fields?.["pod_namespace"]) ?? textOf(fields?.["namespace"]);
  const name = textOf(fields?.["pod_name"]);
  const pod = namespace === undefined || name === undefined ? undefined : { namespace, name };
  return { address: textOf(ip), pod, name: undefined };
}
