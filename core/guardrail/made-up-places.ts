import type { ClusterInventory, Pod } from "../membership/inventory.ts";
import type { TargetId } from "../model/kinds.ts";

/**
 * The made-up pods where enforcers elsewhere could know them: each on a node of its own, so that none is let in because another one is, and
 * with an address of both families where the definition of its cluster names no ranges. The networks are for benchmarks (RFC 2544, RFC
 * 5180): nobody has them.
 */
export function placed(inventories: ReadonlyMap<TargetId, ClusterInventory>): ReadonlyMap<TargetId, ClusterInventory> {
  let next = 0;
  const place = (inventory: ClusterInventory): ClusterInventory => {
    const nodes = [...inventory.nodes];
    const pods = inventory.pods.map((pod): Pod => {
      next += 1;
      const [high, low] = [Math.floor(next / 250) % 250, (next % 250) + 1];
      const node = `${pod.node ?? "node"}-${next}`;
      nodes.push({ name: node, addresses: [`198.18.${high}.${low}`] });
      if (pod.addresses.length > 0) return { ...pod, node };
      return { ...pod, node, addresses: [`198.19.${high}.${low}`, `2001:2::${next.toString(16)}`] };
    });
    return { ...inventory, pods, nodes };
  };
  return new Map([...inventories].map(([target, inventory]) => [target, place(inventory)]));
}
