import { fromPrefixes, intersect, isEmpty } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { allPorts } from "../address/ports.ts";
import type { PortSet, Protocol } from "../address/ports.ts";
import type { Estate, Workload } from "../estate/estate.ts";
import type { Cluster, Definitions, Direction, TargetId } from "../model/kinds.ts";
import { ALL_PORTS, NO_PORTS } from "../reach/port-table.ts";
import type { End, EndMode, Party, Reason, Source } from "../reach/source.ts";
import type { Profile } from "../verdict/profile.ts";
import { profileOf } from "../verdict/profile.ts";
import type { Allow } from "./allow.ts";
import { familiesOf } from "./classes.ts";
import type { WorkloadClass } from "./classes.ts";
import type { HostFacts, OperatorFacts } from "./essentials.ts";
import { explainIntent } from "./explain.ts";
import type { IntentView } from "./explain.ts";
import { names } from "./match.ts";
import type { Meeting, Peer } from "./match.ts";
import { NamedPeers } from "./named.ts";
import { resolveNames } from "./ports.ts";
import { RowReader } from "./row.ts";
import type { Row } from "./row.ts";
import { readIntent } from "./sight.ts";
import type { Reading } from "./sight.ts";
import { staleWords } from "./target.ts";

export type { HostFacts, OperatorFacts } from "./essentials.ts";

/** How to read definitions. */
export interface IntentOptions {
  /**
   * approved: who was meant, by identity. enforceable: as enforcers can know them: peers of other targets by the addresses they show,
   * ports that can be said.
   */
  readonly as: "approved" | "enforceable";
  /** What hosts' essentials rest on; closed for a host that is not in it. */
  readonly hosts?: ReadonlyMap<TargetId, HostFacts>;
  readonly operator?: OperatorFacts;
  /** How the enforcers found in clusters read policies, for `enforceable`; where absent, as the definition says. */
  readonly enforcers?: ReadonlyMap<TargetId, string>;
}

const NOTHING_SAID: OperatorFacts = { floor: { from: [], ports: [] }, ownPaths: [] };

/**
 * Who may connect to whom as definitions say it (docs/design/contracts.md "Definitions"): per workload and direction the
 * strictest mode of its segments, where a
 * target is applied and its enforcer does something; rules and essentials allow.
 *
 * It never asks `core/compile`: the two readings are compared with each other. Definitions are those of one moment (`definitionsAt`).
 * That a node always reaches the pods it runs is in no answer, because it would tell pods of one workload apart; `explain` says it.
 *
 * @throws FirebreakError DEFINITION_INVALID for a segment that does not exist
 */
export function intentOf(definitions: Definitions, estate: Estate, options: IntentOptions): Source {
  const profiles = options.as === "approved" ? new Map<TargetId, Profile>() : profilesOf(estate, options.enforcers ?? new Map());
  const profileOfCluster = (cluster: TargetId): Profile | undefined => profiles.get(cluster);
  const facts = { hosts: options.hosts ?? new Map(), operator: options.operator ?? NOTHING_SAID, profileOf: profileOfCluster };
  return new Intent(readIntent(definitions, estate, options.as, facts), profiles);
}

function profilesOf(estate: Estate, enforcers: ReadonlyMap<TargetId, string>): ReadonlyMap<TargetId, Profile> {
  const found = (target: TargetId, { enforcer }: Cluster): string =>
    enforcer === "auto" ? (enforcers.get(target) ?? "auto") : enforcer;
  return new Map([...estate.clusters].map(([target, { cluster }]) => [target, profileOf(found(target, cluster))]));
}

class Intent implements Source, IntentView {
  readonly kind = "intent";
  readonly estate: Estate;
  readonly reading: Reading;
  readonly rows: RowReader;
  readonly borders: readonly AddressSet[];
  /** See `Source.classNumbers`. */
  readonly classNumbers: Int32Array;
  readonly #stale: ReadonlyMap<TargetId, string>;
  readonly #unfed: readonly { readonly addresses: AddressSet; readonly words: string }[];
  readonly #profiles: ReadonlyMap<TargetId, Profile>;
  readonly #endKeys: Readonly<Record<Direction, (string | undefined)[]>> = { ingress: [], egress: [] };
  /** Settled answers, by number of ports. */
  readonly #ends: Readonly<Record<EndMode, (End | undefined)[]>> = { enforced: [], observed: [], open: [], unmanaged: [] };
  readonly #peersOfAddresses = new WeakMap<AddressSet, Peer>();
  readonly #peersElsewhere = new WeakMap<Workload, Peer>();
  readonly #named = new WeakMap<readonly Party[], NamedPeers>();
  /** Of workloads that were asked about: few, and those again and again. */
  readonly #classes = new WeakMap<Workload, WorkloadClass>();
  readonly #peersOfClasses: (Peer | undefined)[] = [];
  readonly #doubtsOfAddresses = new WeakMap<AddressSet, readonly string[]>();

  constructor(reading: Reading, profiles: ReadonlyMap<TargetId, Profile>) {
    this.reading = reading;
    this.#profiles = profiles;
    this.estate = reading.index.estate;
    this.rows = new RowReader(reading);
    this.classNumbers = reading.table.classOf;
    this.#stale = staleWords(this.estate);
    this.#unfed = this.estate.stale.flatMap((target) => {
      const ranges = this.estate.clusters.get(target)?.cluster.podRanges ?? [];
      return ranges.length === 0 ? [] : [{ addresses: fromPrefixes(ranges), words: this.#stale.get(target) ?? "" }];
    });
    const shadows = reading.table.shadows.map(({ addresses }) => addresses);
    this.borders = [...reading.explicit.values(), ...shadows, ...this.#unfed.map(({ addresses }) => addresses)];
  }

  keyOf = (workload: Workload): string => this.reading.table.keys[this.classOf(workload).number] as string; // one key per class

  endKey = (direction: Direction, workload: Workload): string => {
    const subject = this.classOf(workload);
    const known = this.#endKeys[direction][subject.number] ?? this.#endKeyOf(direction, subject);
    this.#endKeys[direction][subject.number] = known;
    return known;
  };

  end = (direction: Direction, subject: Party, peer: Party): End => {
    if (subject.kind === "addresses") return OUTSIDE;
    const own = this.classOf(subject.workload);
    const row = this.rows.of(direction, own);
    const other = this.peerOf(peer);
    const isSelf = peer.kind === "workload" && peer.workload.id === subject.workload.id;
    const ports = isSelf || !isIsolating(row) ? ALL_PORTS : this.#portsAt(direction, row, own, other);
    return this.#endOf(row, ports, this.#doubts(row, subject.workload, peer));
  };

  explain = (direction: Direction, subject: Party, peer: Party, protocol: Protocol, port: number): Reason =>
    explainIntent(this, { direction, subject, peer, protocol, port });

  namedAt = (direction: Direction, subject: Workload, peers: readonly Party[]): ReadonlySet<number> | undefined => {
    const known =
      this.#named.get(peers) ??
      new NamedPeers(
        peers.map((peer) => this.peerOf(peer)),
        this.reading.table.shadows,
      );
    this.#named.set(peers, known);
    return known.at(direction, this.rows.of(direction, this.classOf(subject)));
  };

  segmentsOf = (party: Party): readonly string[] => {
    const peer = this.peerOf(party);
    const hits = (peer.kind === "addresses" ? peer.hits : peer.of.own).keys();
    const byLabel = peer.kind === "addresses" ? [] : this.rows.segmentsWith(peer.of.cell.certain).map(({ name }) => name);
    const byAddress = [...hits].flatMap((hit) => this.reading.book.parts.namesAt(hit));
    return [...new Set([...byLabel, ...byAddress])].sort();
  };

  classOf = (workload: Workload): WorkloadClass => {
    const known = this.#classes.get(workload);
    if (known !== undefined) return known;
    const { table, index } = this.reading;
    const found = table.classes[table.classOf[index.positionOf(workload)] as number] as WorkloadClass; // every position has a class
    this.#classes.set(workload, found);
    return found;
  };

  peerOf = (party: Party): Peer => {
    if (party.kind === "workload") return this.#peerOfWorkload(party.workload);
    const known = this.#peersOfAddresses.get(party.addresses);
    if (known !== undefined) return known;
    const { table } = this.reading;
    const peer: Peer = { kind: "addresses", hits: table.hitsOf(party.addresses), families: familiesOf(party.addresses) };
    this.#peersOfAddresses.set(party.addresses, peer);
    return peer;
  };

  meet = (direction: Direction, subject: WorkloadClass, peer: Peer): Meeting => {
    const { as, table } = this.reading;
    const { target = "", kind } = subject.sample;
    const isLocal = kind === "pod" && peer.kind === "workloads" && peer.of.sample.target === target;
    return { knowing: { as, table, profile: this.#profiles.get(target) }, direction, subject, peer, isLocal };
  };

  portsOf = (allow: Allow, meeting: Meeting): PortSet => {
    const { ports } = this.reading.index;
    return ports.ports(this.#portsOf(allow, meeting));
  };

  /** A workload that is given with other addresses than the estate's is met under these. */
  #peerOfWorkload(workload: Workload): Peer {
    const { index, table } = this.reading;
    const own = this.#peerOfClass(this.classOf(workload));
    if (own.kind === "addresses" || index.isOwn(workload)) return own;
    const known = this.#peersElsewhere.get(workload);
    if (known !== undefined) return known;
    const { addresses, shown } = workload;
    const families = { families: familiesOf(addresses), shownFamilies: familiesOf(shown) };
    const of = { ...own.of, own: table.hitsOf(addresses), shown: table.hitsOf(shown), ...families };
    const peer: Peer = { ...own, of };
    this.#peersElsewhere.set(workload, peer);
    return peer;
  }

  #peerOfClass(of: WorkloadClass): Peer {
    const known = this.#peersOfClasses[of.number];
    if (known !== undefined) return known;
    const { kind, target = "", hostNetwork } = of.sample;
    const network = this.estate.clusters.get(target)?.cluster.podNetwork;
    const peer: Peer = { kind: "workloads", of, isMasqueraded: kind === "pod" && !hostNetwork && network === "masqueraded" };
    this.#peersOfClasses[of.number] = peer;
    return peer;
  }

  #portsAt(direction: Direction, row: Row, subject: WorkloadClass, peer: Peer): number {
    const meeting = this.meet(direction, subject, peer);
    if (!haveSharedFamily(meeting)) return NO_PORTS;
    const { ports } = this.reading.index;
    let open = NO_PORTS;
    for (const allow of row.allows) if (names(allow, meeting)) open = ports.union(open, this.#portsOf(allow, meeting));
    return open;
  }

  #portsOf({ fixed, named }: Allow, meeting: Meeting): number {
    if (named.length === 0) return fixed;
    const responder = responderOf(meeting);
    if (responder === undefined) return fixed;
    const { ports } = this.reading.index;
    return ports.union(fixed, ports.id(resolveNames(named, responder)));
  }

  #endOf({ mode }: Row, ports: number, uncertain: readonly string[]): End {
    if (uncertain.length > 0) return { mode, ports: this.reading.index.ports.ports(ports), uncertain };
    const known = this.#ends[mode][ports] ?? { mode, ports: this.reading.index.ports.ports(ports), uncertain };
    this.#ends[mode][ports] = known;
    return known;
  }

  #doubts(row: Row, subject: Workload, peer: Party): readonly string[] {
    if (this.#stale.size === 0 && !row.isGone) return SETTLED;
    const own = row.isGone ? row.why : this.#stale.get(subject.target ?? "");
    const others = row.mode === "enforced" || row.mode === "observed" ? this.#doubtsAbout(peer) : SETTLED;
    if (own === undefined) return others;
    return others.includes(own) ? others : [own, ...others];
  }

  #doubtsAbout(peer: Party): readonly string[] {
    if (peer.kind === "workload") {
      const words = this.#stale.get(peer.workload.target ?? "");
      return words === undefined ? SETTLED : [words];
    }
    const known = this.#doubtsOfAddresses.get(peer.addresses);
    if (known !== undefined) return known;
    const doubts = this.#unfed.filter(({ addresses }) => !isEmpty(intersect(addresses, peer.addresses))).map(({ words }) => words);
    this.#doubtsOfAddresses.set(peer.addresses, doubts);
    return doubts;
  }

  #endKeyOf(direction: Direction, subject: WorkloadClass): string {
    const row = this.rows.of(direction, subject);
    const { sample, values, families } = subject;
    const doubts = this.#stale.get(sample.target ?? "") ?? "";
    if (!isIsolating(row)) return `${row.key}${doubts}`;
    const scope = sample.kind === "pod" ? (sample.target ?? "") : "host";
    const own = row.allows.some(({ named }) => named.length > 0) ? JSON.stringify(sample.ports) : "";
    const same = row.allows.some(({ same: keys }) => keys.length > 0) ? JSON.stringify(values.map((value) => value ?? null)) : "";
    const profile = this.#profiles.get(sample.target ?? "")?.name ?? "";
    return [this.reading.as, scope, profile, families, own, same, doubts, row.key].join("|");
  }
}

const OUTSIDE: End = { mode: "unmanaged", ports: allPorts, uncertain: [] };
const SETTLED: readonly string[] = [];

function isIsolating({ mode }: Row): boolean {
  return mode === "enforced" || mode === "observed";
}

function haveSharedFamily({ subject, peer, direction, isLocal }: Meeting): boolean {
  if (peer.kind === "addresses") return (subject.families & peer.families) !== 0;
  const families = isLocal || direction === "egress" ? peer.of.families : peer.of.shownFamilies;
  return (subject.families & families) !== 0;
}

/** Who resolves a port's name; undefined where nobody that is known here does. */
function responderOf({ direction, subject, peer, isLocal, knowing }: Meeting): Workload | undefined {
  if (direction === "ingress") return subject.sample;
  if (peer.kind === "addresses" || (knowing.as === "enforceable" && !isLocal)) return undefined;
  return peer.of.sample.hostNetwork ? undefined : peer.of.sample; // on the host network it is its node, which has no names
}
