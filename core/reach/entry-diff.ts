import { examplePort } from "../address/example.ts";
import { intersectPorts, isEmptyPorts, noPorts, subtractPorts } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import type { Manifests } from "../manifest/read.ts";
import { classify } from "../verdict/classes.ts";
import { phrasePorts } from "../verdict/effect-words.ts";
import type { Profile } from "../verdict/profile.ts";
import { rowsOf } from "../verdict/rows.ts";
import { podId } from "../verdict/world.ts";
import type { WorldPod } from "../verdict/world.ts";
import type { DiffLine } from "./diff-lines.ts";
import { CONTROLLER, entryPorts, INGRESS_CONTROLLER } from "./entries.ts";
import { workloadOf } from "./workload-name.ts";

/** What an ingress controller may open to one pod. */
export interface Entered {
  readonly pod: WorldPod;
  readonly ports: PortSet;
}

/** Per pod (`namespace/name`), what Ingress and Route ask for and policies allow. */
export function enteredPods(manifests: Manifests, profile: Profile): ReadonlyMap<string, Entered> {
  if (manifests.entries.length === 0) return new Map();
  const { ofPod } = entryPorts(manifests);
  const classes = classify([{ ...manifests.world, pods: [...manifests.world.pods, CONTROLLER] }]);
  const rows = rowsOf(classes, 0, profile);
  const controller = classes.ofPod.get(podId(CONTROLLER)) as number; // it is in the world
  const found = new Map<string, Entered>();
  for (const [pod, asked] of ofPod) {
    const ports = intersectPorts(asked, rows.connection(controller, classes.ofPod.get(podId(pod)) as number)); // a live pod has a class
    if (!isEmptyPorts(ports)) found.set(podId(pod), { pod, ports });
  }
  return found;
}

/** Lines from the ingress controllers, one for each workload and set of ports, and the pairs that they stand for. */
export function entryLines(
  before: ReadonlyMap<string, Entered>,
  after: ReadonlyMap<string, Entered>,
): { readonly lines: readonly DiffLine[]; readonly pairs: number } {
  const changed = [...after].flatMap(([id, { pod, ports }]) => {
    const fresh = subtractPorts(ports, before.get(id)?.ports ?? noPorts);
    return isEmptyPorts(fresh) ? [] : [{ pod, ports: fresh }];
  });
  return { lines: linesOf(changed), pairs: changed.length };
}

/** What the controllers may still open to pods to which they lost something. */
export function stayingLines(before: ReadonlyMap<string, Entered>, after: ReadonlyMap<string, Entered>): readonly DiffLine[] {
  const kept = [...before].flatMap(([id, { pod, ports }]) => {
    const now = after.get(id)?.ports ?? noPorts;
    const stays = intersectPorts(ports, now);
    return isEmptyPorts(subtractPorts(ports, now)) || isEmptyPorts(stays) ? [] : [{ pod, ports: stays }];
  });
  return linesOf(kept);
}

function linesOf(entered: readonly Entered[]): readonly DiffLine[] {
  const groups = Map.groupBy(entered, ({ pod, ports }) => `${workloadOf(pod)} ${phrasePorts(ports)}`);
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, list]) => lineOf(list));
}

function lineOf(list: readonly Entered[]): DiffLine {
  const [{ pod, ports }] = list as readonly [Entered, ...Entered[]]; // groups are never empty
  const to = workloadOf(pod).replace(/\[[^\]]*\]$/, "");
  return {
    from: INGRESS_CONTROLLER,
    to,
    fromFull: INGRESS_CONTROLLER,
    toFull: to,
    isAnyFrom: false,
    isAnyTo: false,
    fromWorkloads: 0,
    toWorkloads: list.length,
    workloads: list.length,
    ports: phrasePorts(ports),
    portSet: ports,
    isObservedOnly: false,
    witness: { from: INGRESS_CONTROLLER, to: podId(pod), ...examplePort(ports) },
  };
}
