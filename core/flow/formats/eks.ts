import { addressEnd, momentOf, objectOf, portOf, protocolOf, textOf, type FlowFormat } from "../sighting.ts";

/** `Flow Info` lines of Amazon's network policy agent (network-policy-agent.log), as JSON. Denials are always there, allowed ones only at level debug. */
export const eks: FlowFormat = {
  name: "eks",
  isLike: (line) => {
    const fields = objectOf(line);
    return fields !== undefined && "Dest IP" in fields && "Verdict" in fields;
  },
  read: (line) => {
    const fields = objectOf(line);
    if (fields === undefined) return { kind: "broken", why: "is no JSON object" };
    if (fields["Dest IP"] === undefined) return { kind: "other" };
    const [protocol, port] = [protocolOf(fields["Proto"]), portOf(fields["Dest Port"])];
    const at = momentOf(fields["ts"]) ?? momentOf(fields["timestamp"]);
    const verdict = fields["Verdict"] === "ACCEPT" ? "allowed" : fields["Verdict"] === "DENY" ? "denied" : undefined;
    if (protocol === undefined || port === undefined || at === undefined || verdict === undefined)
      return { kind: "broken", why: "has no protocol, port, time or verdict" };
    const [from, to] = [addressEnd(textOf(fields["Src IP"])), addressEnd(textOf(fields["Dest IP"]))];
    return {
      kind: "sighting",
      sighting: { from, to, protocol, port, verdict, first: at, last: at, count: 1, answered: undefined },
    };
  },
};
