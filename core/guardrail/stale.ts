import type { Estate } from "../estate/estate.ts";
import { boundariesIn, peerAddresses, segmentNamed, subjectsIn } from "../membership/resolve.ts";
import type { Definitions, TargetId } from "../model/kinds.ts";
import { BUILT_IN_SEGMENTS } from "../model/kinds.ts";

const BUILT_IN: ReadonlySet<string> = new Set(BUILT_IN_SEGMENTS);

/** Targets that are not seen whole and may hold workloads of one of the names: what is not seen there may break a claim. */
export function staleFor(
  definitions: Definitions,
  estate: Estate,
  names: readonly string[],
  isTransitive: boolean,
): readonly TargetId[] {
  if (isTransitive) return estate.stale;
  return estate.stale.filter((target) => names.some((name) => canHold(definitions, estate, target, name)));
}

function canHold(definitions: Definitions, estate: Estate, target: TargetId, name: string): boolean {
  if (name === "internet") return false;
  const known = estate.clusters.get(target);
  if (known === undefined || BUILT_IN.has(name)) return true;
  if (!definitions.segments.has(name)) return false; // a host or an address, which Git says
  const segment = segmentNamed(definitions, name);
  const services = known.inventory?.services ?? [];
  return (
    subjectsIn(definitions, segment, known.cluster, services, "in").length > 0 ||
    boundariesIn(definitions, segment, known.cluster).length > 0 ||
    // Pods inside an address range belong to it, too.
    peerAddresses(definitions, segment).v4.length + peerAddresses(definitions, segment).v6.length > 0
  );
}
