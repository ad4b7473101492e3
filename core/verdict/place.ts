import { contains, formatAddress, fromAddresses, parseAddress } from "../address/index.ts";
import type { Address, AddressSet } from "../address/index.ts";
import { V4, V6 } from "./classes.ts";
import type { Classes } from "./classes.ts";
import { familiesOf } from "./rows.ts";
import { livePods, parsedAddresses, podId } from "./world.ts";
import type { Endpoint, World, WorldPod, WorldService } from "./world.ts";

/** An endpoint that was found: its class, and the pod if it is one. */
export interface Place {
  readonly peer: number;
  readonly pod: WorldPod | undefined;
  readonly address: Address | undefined;
  readonly families: number;
}

/** What is where in one world. */
export interface WorldIndex {
  readonly pods: ReadonlyMap<string, WorldPod>;
  readonly podOfAddress: ReadonlyMap<string, WorldPod>;
  readonly addressesOfNode: ReadonlyMap<string, AddressSet>;
  readonly serviceOfAddress: ReadonlyMap<string, WorldService>;
  readonly services: readonly WorldService[];
  /** Addresses of nodes, also those that only pods' status names. */
  readonly nodeAddresses: ReadonlySet<string>;
}

/** The index of a world; finished pods are not in it. */
export function indexWorld(world: World): WorldIndex {
  const pods = new Map(livePods(world.pods).map((pod) => [podId(pod), pod]));
  const podOfAddress = new Map<string, WorldPod>();
  for (const pod of pods.values()) {
    if (pod.hostNetwork === true) continue;
    for (const address of parsedAddresses(pod.addresses)) podOfAddress.set(addressKey(address), pod);
  }
  const addressesOfNode = new Map((world.nodes ?? []).map((node) => [node.name, fromAddresses(parsedAddresses(node.addresses))]));
  const serviceOfAddress = new Map<string, WorldService>();
  for (const service of world.services ?? []) {
    for (const address of parsedAddresses(service.addresses)) serviceOfAddress.set(addressKey(address), service);
  }
  const texts = [
    ...(world.nodes ?? []).flatMap(({ addresses }) => addresses),
    ...world.pods.flatMap((pod) => pod.nodeAddress ?? []),
  ];
  const nodeAddresses = new Set(parsedAddresses(texts).map(addressKey));
  return { pods, podOfAddress, addressesOfNode, serviceOfAddress, services: world.services ?? [], nodeAddresses };
}

/** The pod that has an address. */
export function podAt(index: WorldIndex, text: string): WorldPod | undefined {
  const [address] = parsedAddresses([text]);
  return address === undefined ? undefined : index.podOfAddress.get(addressKey(address));
}

/** Is that a node's address? Undefined: no node is known, so it may be. */
export function isNodeAddress({ nodeAddresses }: WorldIndex, text: string): boolean | undefined {
  const [address] = parsedAddresses([text]);
  if (nodeAddresses.size === 0 || address === undefined) return undefined;
  return nodeAddresses.has(addressKey(address));
}

function addressKey({ family, value }: Address): string {
  return `${family} ${value}`;
}

/** The Service that has an address. A pod's address comes first: a Service cannot have it. */
export function serviceAt(index: WorldIndex, text: string): WorldService | undefined {
  const [address] = parsedAddresses([text]);
  if (address === undefined || index.podOfAddress.has(addressKey(address))) return undefined;
  return index.serviceOfAddress.get(addressKey(address));
}

/** Where an endpoint is, or in words why it is not known. */
export function placeOf(classes: Classes, index: WorldIndex, endpoint: Endpoint): Place | string {
  if (endpoint.kind === "pod") {
    const pod = index.pods.get(podId(endpoint));
    return pod === undefined ? `pod ${podId(endpoint)} is not known` : podPlace(classes, pod, undefined);
  }
  const parsed = parseAddress(endpoint.address);
  const address = "ok" in parsed ? parsed.ok : parsed.corrected;
  if (address === undefined) return "error" in parsed ? parsed.error : `${endpoint.address} is not an address`;
  const pod = index.podOfAddress.get(addressKey(address));
  if (pod !== undefined) return podPlace(classes, pod, address);
  return { peer: classes.atoms.indexOf(address), pod: undefined, address, families: familyBit(address) };
}

/** A pod named by one of its addresses talks in that family only. */
function podPlace(classes: Classes, pod: WorldPod, address: Address | undefined): Place {
  const peer = classes.ofPod.get(podId(pod)) as number; // every live pod has a class
  const known = classes.peers[peer];
  const families = address === undefined ? (known === undefined ? 0 : familiesOf(known, 0)) : familyBit(address);
  return { peer, pod, address, families };
}

function familyBit(address: Address): number {
  return address.family === 4 ? V4 : V6;
}

/** Families, as bits, that both ends have. */
export function sharedFamilies(from: Place, to: Place): number {
  if (from.pod === undefined) return isUnplaced(to) ? from.families : from.families & to.families;
  if (to.pod === undefined) return isUnplaced(from) ? to.families : from.families & to.families;
  return from.families & to.families;
}

/** True for a pod whose address nobody knows: towards an address outside it has that family. */
function isUnplaced({ pod, address }: Place): boolean {
  return address === undefined && pod?.unknown?.addresses !== undefined;
}

/** A node (an address of it, or a pod on its network) talking to a pod that runs there: kubelet probes; no policy stops it. */
export function isOwnNode(index: WorldIndex, from: Place, to: Place): boolean {
  const node = to.pod?.node;
  if (node === undefined || to.pod?.hostNetwork === true) return false;
  if (from.pod !== undefined) return from.pod.hostNetwork === true && from.pod.node === node;
  const addresses = index.addressesOfNode.get(node);
  return addresses !== undefined && from.address !== undefined && contains(addresses, from.address);
}

/** `shop/web`, or an address. */
export function formatPlace(place: Place): string {
  if (place.pod !== undefined) return podId(place.pod);
  return place.address === undefined ? "an address" : formatAddress(place.address);
}
