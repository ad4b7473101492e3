/**
 * nft JSON as `nft -s -j list table` prints it (libnftables-json(5)), without handles and counter values.
 *
 * Only what we render is typed; what a host shows is `unknown` until `readTable` has looked at it.
 */
export type NftElement =
  | string
  | number
  | { readonly prefix: { readonly addr: string; readonly len: number } }
  | { readonly range: readonly [string | number, string | number] };

export interface NftTableObject {
  readonly table: { readonly family: "inet"; readonly name: string };
}

export interface NftCounterObject {
  readonly counter: NftNamed;
}

export interface NftSetObject {
  readonly set: NftNamed & {
    readonly type: string | readonly string[];
    readonly flags?: readonly ("interval" | "timeout")[];
    /** Seconds after which an element that the kernel added is forgotten. */
    readonly timeout?: number;
    readonly size?: number;
    readonly elem?: readonly NftElement[];
  };
}

/** A verdict map from ports to the chain of their class. */
export interface NftMapObject {
  readonly map: NftNamed & {
    readonly type: string;
    readonly map: "verdict";
    readonly flags: readonly "interval"[];
    readonly elem: readonly (readonly [NftElement, NftStatement])[];
  };
}

export interface NftChainObject {
  readonly chain: NftNamed & NftHook;
}

export interface NftRuleObject {
  readonly rule: {
    readonly family: "inet";
    readonly table: string;
    readonly chain: string;
    readonly comment?: string;
    readonly expr: readonly NftStatement[];
  };
}

/** A statement of a rule: match, vmap, counter, log, or a verdict. */
export type NftStatement = Readonly<Record<string, unknown>>;

export type NftObject = NftTableObject | NftCounterObject | NftSetObject | NftMapObject | NftChainObject | NftRuleObject;

/** One table, in the order of a listing: table, counters, sets, maps, chains, rules. */
export type NftRuleset = readonly NftObject[];

interface NftNamed {
  readonly family: "inet";
  readonly table: string;
  readonly name: string;
}

/** Set for base chains only. */
interface NftHook {
  readonly type?: "filter";
  readonly hook?: "input" | "output";
  readonly prio?: number;
  readonly policy?: "accept" | "drop";
}
