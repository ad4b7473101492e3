import { emptySet, isEmpty } from "../address/index.ts";
import { allPorts, intersectPorts, noPorts, unionPorts, type PortSet } from "../address/ports.ts";
import type { Direction } from "../model/kinds.ts";
import type { Party, Source } from "../reach/source.ts";
import { singles, workloadFinder, type PartyClass } from "./space.ts";

/** What may pass from one party to another, both ends together. Isolated by nobody counts as open: guardrails ask what is, not what is meant. */
export interface Connection {
  /** Reachable now: an end that only observes lets everything through. */
  readonly now: PortSet;
  /** Reachable once every end that observes enforces. */
  readonly meant: PortSet;
  /** Reachable now by every reading; a part of `now`. */
  readonly surely: PortSet;
  /** Reachable now by some reading; `now` is a part of it. */
  readonly possibly: PortSet;
  /** Why the two differ. */
  readonly uncertain: readonly string[];
}

const OPEN: Connection = { now: allPorts, meant: allPorts, surely: allPorts, possibly: allPorts, uncertain: [] };
const CLOSED: Connection = { now: noPorts, meant: noPorts, surely: noPorts, possibly: noPorts, uncertain: [] };

/** Asks one source about two parties of its own estate. */
export function connect(source: Source, from: Party, to: Party): Connection {
  const ends = [halfOf(source, "egress", from, to), halfOf(source, "ingress", to, from)] as const;
  return both(ends[0], ends[1]);
}

/** What one end lets through. Addresses have no end of their own: everything passes there. */
function halfOf(source: Source, direction: Direction, subject: Party, peer: Party): Connection {
  if (subject.kind === "addresses") return OPEN;
  const { mode, ports, uncertain } = source.end(direction, subject, peer);
  const now = mode === "observed" ? allPorts : ports;
  if (uncertain.length === 0) return { now, meant: ports, surely: now, possibly: now, uncertain };
  return { now, meant: ports, surely: noPorts, possibly: allPorts, uncertain };
}

function both(a: Connection, b: Connection): Connection {
  return {
    now: intersectPorts(a.now, b.now),
    meant: intersectPorts(a.meant, b.meant),
    surely: intersectPorts(a.surely, b.surely),
    possibly: intersectPorts(a.possibly, b.possibly),
    uncertain: a.uncertain.length === 0 ? b.uncertain : [...new Set([...a.uncertain, ...b.uncertain])],
  };
}

/** What may pass between two classes; inside one, between two of its members. */
export type Connections = (from: PartyClass, to: PartyClass) => Connection;

/** Answers of the source whose estate the classes are made of. */
export function connectionsOf(source: Source): Connections {
  return (from, to) => {
    if (from.index !== to.index) return connect(source, from.party, to.party);
    // A workload always reaches itself, and that is no connection.
    return from.other === undefined ? CLOSED : connect(source, from.party, from.other);
  };
}

/**
 * Answers of an older source about classes of a newer estate.
 *
 * Before any source everything was open, and so was a workload that nobody managed yet: what was live at first contact is not added by
 * a revision. Such a workload is known to the other end by its addresses alone; without any, it was let in nowhere. An external always is
 * its addresses.
 */
export function connectionsBefore(source: Source | undefined): Connections {
  if (source === undefined) return () => OPEN;
  const find = workloadFinder(source.estate);
  const known = (party: Party): Party | undefined => {
    if (party.kind === "addresses") return party;
    if (party.workload.kind === "external") return { kind: "addresses", addresses: party.workload.addresses };
    const workload = find(party.workload.id);
    return workload === undefined ? undefined : { kind: "workload", workload };
  };
  return (from, to) => {
    const target = from.index === to.index ? from.other : to.party;
    if (target === undefined) return CLOSED;
    const [initiator, responder] = [known(from.party), known(target)];
    if (initiator !== undefined && responder !== undefined) return connect(source, initiator, responder);
    if (initiator !== undefined) return stranger(source, "egress", initiator, target);
    return responder === undefined ? OPEN : stranger(source, "ingress", responder, from.party);
  };
}

/** What a known end lets through for a workload that it knows by addresses only. */
function stranger(source: Source, direction: Direction, subject: Party, peer: Party): Connection {
  if (subject.kind === "addresses") return OPEN;
  const addresses = peer.kind === "addresses" ? peer.addresses : peer.workload.addresses;
  if (isEmpty(addresses)) {
    const { mode } = source.end(direction, subject, { kind: "addresses", addresses: emptySet });
    return mode === "enforced" ? CLOSED : OPEN;
  }
  return singles(addresses)
    .map((single) => halfOf(source, direction, subject, { kind: "addresses", addresses: single }))
    .reduce((a, b) => ({
      now: unionPorts(a.now, b.now),
      meant: unionPorts(a.meant, b.meant),
      surely: unionPorts(a.surely, b.surely),
      possibly: unionPorts(a.possibly, b.possibly),
      uncertain: [...a.uncertain, ...b.uncertain],
    }));
}
