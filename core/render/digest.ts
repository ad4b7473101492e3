import { formatPrefix, formatSet } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { ClusterPorts, ClusterWant, HostAllow, HostPorts, HostWant, Want } from "../compile/want.ts";
import { sha256Hex } from "../membership/hash.ts";

/**
 * Digest of what a target shall enforce, without the elements of its address sets, 16 hex characters: the digest of a mark.
 *
 * Address churn leaves it as it is, because sets are updated under the plan in force. That a set is empty does show: its rule is
 * then not rendered.
 */
export function wantDigest(want: Want): string {
  return sha256Hex(JSON.stringify(describeWant(want, () => "addresses"))).slice(0, 16);
}

/** Digest of the elements of all address sets of a want, 16 hex characters. */
export function membersDigest(want: Want): string {
  const sets: string[] = [];
  describeWant(want, (set) => {
    sets.push(formatSet(set));
    return "addresses";
  });
  return sha256Hex(JSON.stringify(sets)).slice(0, 16);
}

/** A want as plain JSON in one fixed order, address sets as `write` has them. */
function describeWant(want: Want, write: (set: AddressSet) => string): unknown {
  if (want.kind === "host") return describeHost(want, write);
  return describeCluster(want, write);
}

function describeCluster(want: ClusterWant, write: (set: AddressSet) => string): unknown {
  const allows = new Map<ClusterWant["objects"][number]["allows"], unknown>(); // shared by the objects of a segment
  const describeAllows = (list: ClusterWant["objects"][number]["allows"]): unknown => {
    const known = allows.get(list);
    if (known !== undefined) return known;
    const described = list.map(({ origin, peers, ports }) => [
      origin,
      peers === "any"
        ? peers
        : peers.map((peer) => (peer.kind === "addresses" ? write(peer.addresses) : [peer.namespaces, peer.pods])),
      describePorts(ports),
    ]);
    allows.set(list, described);
    return described;
  };
  return [
    want.target,
    want.governed,
    want.objects.map((object) => [
      object.namespace,
      object.name,
      object.direction,
      object.subject,
      object.segment,
      describeAllows(object.allows),
    ]),
    ...(want.spared === undefined ? [] : [want.spared]),
  ];
}

function describeHost(want: HostWant, write: (set: AddressSet) => string): unknown {
  const describeAllow = ({ origin, peers, ports }: HostAllow): unknown => [
    origin,
    peers === "any" ? peers : write(peers),
    describePorts(ports),
  ];
  return [
    want.target,
    [want.ingress.mode, want.ingress.allows.map(describeAllow)],
    [want.egress.mode, want.egress.allows.map(describeAllow)],
    [want.lifeline.from.map(formatPrefix), describePorts(want.lifeline.ports)],
    ...(want.closed === undefined ? [] : [want.closed]),
  ];
}

/** A range is its protocol and numbers, as marks had it before ports could be anything else. */
function describePorts(ports: ClusterPorts | HostPorts): unknown {
  if (ports === "any") return ports;
  return ports.map((port) => (port.kind === "range" ? { protocol: port.protocol, from: port.from, to: port.to } : port));
}
