import { parseAddress } from "../../address/index.ts";
import { momentOf, objectOf, portOf, protocolOf, textOf, type FlowFormat, type FlowVerdict, type SightedEnd } from "../sighting.ts";

const VERDICTS: readonly FlowVerdict[] = ["allowed", "denied", "would be denied"];

/**
 * Our own lines of JSON: `{"from": "10.0.0.5", "to": "shop-eu/shop/web", "port": 443, "protocol": "tcp", "verdict": "allowed",
 * "first": "2026-11-01T08:00:00Z", "last": "2026-11-30T08:00:00Z", "count": 14, "answered": true}`. `first`, `count` and `answered` may
 * be left out.
 */
export const own: FlowFormat = {
  name: "firebreak",
  isLike: (line) => {
    const fields = objectOf(line);
    return fields !== undefined && "from" in fields && "to" in fields && "port" in fields;
  },
  read: (line) => {
    const fields = objectOf(line);
    if (fields === undefined) return { kind: "broken", why: "is no JSON object" };
    const [from, to, last] = [endOf(fields["from"]), endOf(fields["to"]), momentOf(fields["last"])];
    const [protocol, port] = [protocolOf(fields["protocol"] ?? "tcp"), portOf(fields["port"])];
    const verdict = VERDICTS.find((known) => known === (fields["verdict"] ?? "allowed"));
    const count = fields["count"] ?? 1;
    const first = fields["first"] === undefined ? last : momentOf(fields["first"]);
    if (from === undefined || to === undefined) return { kind: "broken", why: "names no from or no to" };
    if (protocol === undefined || port === undefined) return { kind: "broken", why: "has no port and protocol that we know" };
    if (verdict === undefined) return { kind: "broken", why: `has no verdict of ${VERDICTS.join(", ")}` };
    if (last === undefined || first === undefined || first > last)
      return { kind: "broken", why: "has no moments first and last in ISO 8601, in this order" };
    if (typeof count !== "number" || !Number.isSafeInteger(count) || count < 1)
      return { kind: "broken", why: "has no count of 1 or more" };
    const answered = typeof fields["answered"] === "boolean" ? fields["answered"] : undefined;
    return { kind: "sighting", sighting: { from, to, protocol, port, verdict, first, last, count, answered } };
  },
};

function endOf(value: unknown): SightedEnd | undefined {
  const text = textOf(value);
  if (text === undefined) return undefined;
  const isAddress = "ok" in parseAddress(text);
  return { address: isAddress ? text : undefined, pod: undefined, name: isAddress ? undefined : text };
}
