import { readManifests } from "../../../core/manifest/read.ts";
import type { Manifests, ReadManifests } from "../../../core/manifest/read.ts";
import { compilePolicy } from "../../../core/verdict/compile.ts";
import { namespaceLabels } from "../../../core/verdict/world.ts";
import type { WorldPod, WorldService } from "../../../core/verdict/world.ts";
import type { Json } from "./bases.ts";

/** One object as a file of its own. */
export function readOne(object: Json): ReadManifests {
  return readManifests([{ path: "a.json", bytes: new TextEncoder().encode(JSON.stringify(object)) }]);
}

/** The words for what is refused here, or that no server takes what is read nevertheless; undefined for neither. */
export function refusalOf({ manifests, notes }: ReadManifests): string | undefined {
  const isRefused = manifests === undefined;
  return notes.find(({ severity, code }) => (isRefused ? severity === "error" : code === "not-taken"))?.summary;
}

/**
 * What is read of the document, and of the server's answer to it, in a form in which they must be equal: without what only a cluster
 * knows (the addresses and node ports that it gives away, hashes and uids).
 */
export function models(given: Manifests, answered: Manifests): readonly [unknown, unknown] {
  return [modelOf(given, given), modelOf(answered, given)];
}

function modelOf({ world, services, entries }: Manifests, given: Manifests): unknown {
  return {
    namespaces: [...namespaceLabels(world)],
    nodes: world.nodes,
    policies: world.policies.map((policy) => compilePolicy(policy, world.nodes)),
    pods: world.pods.map((pod, index) => podOf(pod, given.world.pods[index])),
    services: services.map((service, index) => serviceOf(service, given.services[index])),
    entries: entries.map(({ at: _at, ...entry }) => entry),
  };
}

function podOf({ unknown, labels, phase: _phase, ...pod }: WorldPod, given: WorldPod | undefined): unknown {
  const only = given?.unknown?.labels ?? [];
  const known = Object.fromEntries(Object.entries(labels).filter(([key]) => !only.includes(key)));
  const addresses = given?.unknown?.addresses === undefined ? undefined : unknown?.addresses;
  return { ...pod, labels: known, addresses };
}

function serviceOf({ addresses, outside, ports, ...service }: WorldService, given: WorldService | undefined): unknown {
  const isGiven = (given?.addresses.length ?? 0) > (given?.outside?.length ?? 0);
  const shown = ports.map(({ nodePort, ...port }, index) => ({
    ...port,
    nodePort: given?.ports[index]?.nodePort === undefined ? undefined : nodePort,
  }));
  return { ...service, outside, addresses: isGiven ? addresses : outside, ports: shown };
}
