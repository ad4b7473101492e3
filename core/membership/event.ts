import type { Namespace, Node, Pod } from "./inventory.ts";

/** One change of a cluster's inventory, as a watch tells it. */
export type InventoryEvent =
  /** A pod is there, or is another one than it was. */
  | { readonly kind: "pod"; readonly pod: Pod }
  /** `key` is `namespace/name`. */
  | { readonly kind: "pod-gone"; readonly key: string }
  | { readonly kind: "namespace"; readonly namespace: Namespace }
  | { readonly kind: "namespace-gone"; readonly key: string }
  | { readonly kind: "node"; readonly node: Node }
  | { readonly kind: "node-gone"; readonly key: string }
  /** Services, what stands behind them, or webhooks: few, so they are read whole. */
  | { readonly kind: "services" }
  /** A whole list came in, or a watch was lost or is current again: what was told one by one may have gaps. */
  | { readonly kind: "whole" };
