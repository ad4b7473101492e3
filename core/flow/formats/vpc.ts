import { addressEnd, portOf, type FlowFormat, type FlowProtocol } from "../sighting.ts";

/** Numbers of IANA's protocol registry. */
const PROTOCOLS: ReadonlyMap<string, FlowProtocol> = new Map([
  ["6", "tcp"],
  ["17", "udp"],
  ["132", "sctp"],
]);

/** From here on Linux gives ports to those who begin (`ip_local_port_range`). */
const FIRST_EPHEMERAL = 32_768;

/** The last moment that a date can be (ECMA-262, "Time Values"), in ms. */
const LAST_MOMENT = 8.64e15;

/**
 * AWS VPC flow logs, version 2 in the default order of fields. A record is one direction of a connection and does not say who began: it
 * is taken where the source has a port that systems give to those who begin and the destination has none; the rest is left out.
 */
export const vpc: FlowFormat = {
  name: "vpc",
  isLike: (line) => /^version account-id |^2 [0-9]{12} eni-/.test(line),
  read: (line) => {
    const fields = line.trim().split(/\s+/);
    if (fields[0] === "version") return { kind: "other" };
    if (fields.length < 14 || fields[0] !== "2") return { kind: "broken", why: "is no record of version 2 with its 14 fields" };
    const [, , , source, destination, sourcePort, destinationPort, number, , , start, end, action, status] = fields;
    if (status !== "OK") return { kind: "other" };
    const protocol = PROTOCOLS.get(number ?? "");
    const [begun, asked] = [portOf(sourcePort), portOf(destinationPort)];
    const [first, last] = [Number(start) * 1000, Number(end) * 1000];
    if (protocol === undefined) return { kind: "other" };
    if (begun === undefined || asked === undefined || !(first >= 0 && first <= last && last <= LAST_MOMENT))
      return { kind: "broken", why: "has no ports or no moments" };
    if (begun < FIRST_EPHEMERAL || asked >= FIRST_EPHEMERAL) return { kind: "other" };
    if (action !== "ACCEPT" && action !== "REJECT") return { kind: "broken", why: "has no action ACCEPT or REJECT" };
    const verdict = action === "ACCEPT" ? "allowed" : "denied";
    const [from, to] = [addressEnd(source), addressEnd(destination)];
    return { kind: "sighting", sighting: { from, to, protocol, port: asked, verdict, first, last, count: 1, answered: undefined } };
  },
};
