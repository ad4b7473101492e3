import { hasPort } from "../address/ports.ts";
import type { PodPort } from "../membership/inventory.ts";
import { compareText } from "../membership/order.ts";
import type { Definitions } from "../model/kinds.ts";
import type { DiffLine } from "../reach/diff-lines.ts";

/** Two apart, so that none of them joins another one to a range. */
const STEP = 2;
const HIGHEST = 65_535;

/**
 * The named ports that rules use, each at a number that nobody names, from the highest down: what stands behind a name is known only where
 * workloads are seen. Made-up workloads have all of them, so that a rule to a named port opens something.
 */
export function symbolicPorts({ policies }: Pick<Definitions, "policies">): readonly PodPort[] {
  const named = new Map<string, Pick<PodPort, "name" | "protocol">>();
  const taken = new Set<number>();
  for (const { ports } of [...policies.values()].flatMap(({ rules }) => rules)) {
    for (const port of ports === "any" ? [] : ports) {
      if (port.kind === "named") named.set(`${port.name}/${port.protocol}`, { name: port.name, protocol: port.protocol });
      else if (port.kind === "range" && port.from === port.to) taken.add(port.from);
    }
  }
  let next = HIGHEST;
  return [...named]
    .sort(([a], [b]) => compareText(a, b))
    .map(([, { name, protocol }]): PodPort => {
      while (taken.has(next)) next -= STEP;
      const port = next;
      next -= STEP;
      return { name, protocol, port };
    });
}

/** The named ports that a line of a difference names one by one; not where it has all ports around them, too. */
export function namedIn({ portSet }: Pick<DiffLine, "portSet">, ports: readonly PodPort[]): readonly PodPort[] {
  return ports.filter(({ protocol, port }) => hasPort(portSet, protocol, port) && !hasPort(portSet, protocol, port - 1));
}
