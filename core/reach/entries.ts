import { noPorts, portRange, unionPorts } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import type { Manifests } from "../manifest/read.ts";
import type { EntryBackend, ManifestEntry } from "../manifest/service.ts";
import type { Note } from "../model/note.ts";
import { matches } from "../selector/index.ts";
import { livePods } from "../verdict/world.ts";
import type { WorldPod, WorldService, WorldServicePort } from "../verdict/world.ts";

/** The name of the source of what Ingress and Route let in. */
export const INGRESS_CONTROLLER = "{ingress-controller}";

/** A pod that stands for every ingress controller: in no declared namespace, without labels and address. */
export const CONTROLLER: WorldPod = {
  namespace: INGRESS_CONTROLLER,
  name: "controller",
  labels: {},
  addresses: [],
  ports: [],
};

/** What Ingress and Route objects send to pods. */
export interface EntryPorts {
  readonly ofPod: ReadonlyMap<WorldPod, PortSet>;
  readonly notes: readonly Note[];
}

/**
 * Ports of pods that an ingress controller connects to: service by name, service port by name or number (for a Route also by target
 * port), then the target port in each selected pod. Only TCP, and only ports that a container declares; others are told.
 */
export function entryPorts({ world, services, entries }: Manifests): EntryPorts {
  const byName = new Map(services.map((service) => [`${service.namespace}/${service.name}`, service]));
  const podsIn = Map.groupBy(livePods(world.pods), ({ namespace }) => namespace);
  const ofPod = new Map<WorldPod, PortSet>();
  const notes: Note[] = [];
  for (const entry of entries) {
    for (const backend of entry.backends) {
      const tell = (code: string, summary: string): void => {
        notes.push({ severity: "warning", code, at: entry.at(), summary: `${entry.id}: ${summary}` });
      };
      const service = byName.get(`${entry.namespace}/${backend.service}`);
      if (service === undefined) tell("no-service", `service ${backend.service} is not among the manifests`);
      else if (service.selector === undefined)
        tell("no-selector", `service ${backend.service} has no selector: its pods are not known`);
      else {
        const ports = portsOf(service, backend, tell);
        for (const pod of podsIn.get(entry.namespace) ?? []) addPod(ofPod, pod, service, ports, entry, tell);
      }
    }
  }
  return { ofPod, notes };
}

type Tell = (code: string, summary: string) => void;

function addPod(
  ofPod: Map<WorldPod, PortSet>,
  pod: WorldPod,
  service: WorldService,
  ports: readonly WorldServicePort[],
  entry: ManifestEntry,
  tell: Tell,
): void {
  if (!matches({ matchLabels: service.selector ?? {} }, pod.labels)) return;
  for (const { targetPort } of ports) {
    const declared = (pod.ports ?? []).find(
      ({ name, containerPort, protocol = "TCP" }) => protocol === "TCP" && (name === targetPort || containerPort === targetPort),
    );
    if (declared === undefined) {
      tell(
        "undeclared-port",
        `${entry.namespace}/${pod.name} declares no TCP port ${targetPort}; what it sends there is not listed`,
      );
    } else ofPod.set(pod, unionPorts(ofPod.get(pod) ?? noPorts, portRange("tcp", declared.containerPort)));
  }
}

/** The service's ports that the backend means; all of them when it names none. */
function portsOf(service: WorldService, { port, portOf }: EntryBackend, tell: Tell): readonly WorldServicePort[] {
  const tcp = service.ports.filter(({ protocol }) => protocol === "TCP");
  if (port === undefined || port === "") return tcp;
  const asPort = tcp.find((candidate) => candidate.name === port || candidate.port === port);
  const asTarget = tcp.find(({ targetPort }) => targetPort === port);
  const found = portOf === "service" ? (asPort ?? asTarget) : (asTarget ?? asPort);
  if (found !== undefined) return [found];
  tell("no-port", `service ${service.name} has no TCP port ${port}`);
  return [];
}
