import { portRanges, type PortSet, type Protocol } from "../address/ports.ts";
import { explainEnd, type EndAnswer } from "./end.ts";
import type { Definitions } from "../model/kinds.ts";
import type { Source } from "../reach/source.ts";
import { connect } from "./connection.ts";
import type { Breach } from "./evaluate.ts";
import { formatAsked } from "./ports.ts";
import type { PartyClass } from "./space.ts";
import { className } from "./words.ts";

/** One step of a way, with what decides it at both ends; plain data. */
export interface Hop {
  readonly from: string;
  readonly to: string;
  /** `5432/tcp`; on the way of `reaches` all that is open. */
  readonly ports: string;
  /** The initiator's egress, then the responder's ingress; empty where there is no port to ask about. */
  readonly ends: readonly EndAnswer[];
}

/** The way of a breach, hop by hop. */
export function witnessOf(definitions: Definitions, source: Source, { path, last }: Breach): readonly Hop[] {
  return path.slice(1).map((to, index): Hop => {
    const from = path[index] as PartyClass; // path begins one earlier
    const responder = from.index === to.index && from.other !== undefined ? from.other : to.party;
    const ports = index === path.length - 2 ? last : connect(source, from.party, responder).now;
    const asked = portToAsk(ports);
    const ends =
      asked === undefined
        ? []
        : [
            explainEnd(definitions, source, "egress", from.party, responder, asked),
            explainEnd(definitions, source, "ingress", responder, from.party, asked),
          ];
    return { from: className(from), to: className(to), ports: formatAsked(ports), ends };
  });
}

/** One port that stands for a set: the first of TCP, else of the first protocol that there is; a type for ICMP. */
export function portToAsk(ports: PortSet): readonly [Protocol, number] | undefined {
  const first = portRanges(ports)[0];
  if (first === undefined) return undefined;
  const isIcmp = first.protocol === "icmp" || first.protocol === "icmpv6";
  return [first.protocol, isIcmp ? first.first >> 8 : first.first];
}
