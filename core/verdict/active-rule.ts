import type { PortSet } from "../address/ports.ts";
import type { CompiledRule } from "./compiled.ts";

/** Per peer class, the families (bits) in which a rule names it. Undefined: all classes, both families. */
export type PeerMask = Uint8Array | undefined;

/** A rule of a policy that selects some subject, with its peers looked up. */
export interface ActiveRule {
  readonly mask: PeerMask;
  readonly rule: CompiledRule;
  /** Ports where they do not depend on the peer. */
  readonly ports: PortSet | undefined;
}
