import type { IcmpMessages } from "../model/kinds.ts";
import type { NftElement } from "./nft-types.ts";
import type { LineRange } from "./nft-ports.ts";

/** What one allow says of one ICMP protocol: types of which every code passes, or some codes of one type. */
export interface IcmpPart {
  /** Types, as a line of 0 to 255. */
  readonly ports: readonly LineRange[];
  /** Codes, sorted; undefined: all. */
  readonly codes: readonly number[] | undefined;
}

/** The messages of one protocol in parts, whole types first; a code of a type that is open as a whole adds nothing. */
export function icmpParts(messages: readonly IcmpMessages[], protocol: "icmp" | "icmpv6"): readonly IcmpPart[] {
  const own = messages.filter((message) => message.protocol === protocol);
  if (own.length === 0) return [];
  if (own.some(({ type }) => type === undefined)) return [{ ports: [{ protocol, from: 0, to: 255 }], codes: undefined }];
  const byType = Map.groupBy(own, ({ type }) => type ?? 0);
  const isWhole = (list: readonly IcmpMessages[]): boolean => list.some(({ code }) => code === undefined);
  const types = [...byType].sort(([a], [b]) => a - b);
  const whole = types.filter(([, list]) => isWhole(list)).map(([type]) => line(protocol, type));
  const single = types.filter(([, list]) => !isWhole(list));
  return [
    ...(whole.length === 0 ? [] : [{ ports: whole, codes: undefined }]),
    ...single.map(([type, list]) => ({ ports: [line(protocol, type)], codes: codesOf(list) })),
  ];
}

function line(protocol: string, type: number): LineRange {
  return { protocol, from: type, to: type };
}

function codesOf(messages: readonly IcmpMessages[]): readonly number[] {
  return [...new Set(messages.flatMap(({ code }) => (code === undefined ? [] : [code])))].sort((a, b) => a - b);
}

/** Types from one to another as nft lists them: by name where it has one. */
export function icmpTypeElement(protocol: "icmp" | "icmpv6", [first, last]: readonly [number, number]): NftElement {
  const low = NAMES[protocol].types[first] ?? first;
  if (first === last) return low;
  return { range: [low, NAMES[protocol].types[last] ?? last] };
}

/** A code as nft lists it: by one list of names for all types. */
export function icmpCodeElement(protocol: "icmp" | "icmpv6", code: number): NftElement {
  return NAMES[protocol].codes[code] ?? code;
}

/** nftables' own names (its src/datatype.c and src/proto.c); a test loads every number and compares. */
const NAMES: Readonly<Record<"icmp" | "icmpv6", { readonly types: NumberNames; readonly codes: NumberNames }>> = {
  icmp: {
    types: {
      0: "echo-reply",
      3: "destination-unreachable",
      4: "source-quench",
      5: "redirect",
      8: "echo-request",
      9: "router-advertisement",
      10: "router-solicitation",
      11: "time-exceeded",
      12: "parameter-problem",
      13: "timestamp-request",
      14: "timestamp-reply",
      15: "info-request",
      16: "info-reply",
      17: "address-mask-request",
      18: "address-mask-reply",
    },
    codes: {
      0: "net-unreachable",
      1: "host-unreachable",
      2: "prot-unreachable",
      3: "port-unreachable",
      4: "frag-needed",
      9: "net-prohibited",
      10: "host-prohibited",
      13: "admin-prohibited",
    },
  },
  icmpv6: {
    types: {
      1: "destination-unreachable",
      2: "packet-too-big",
      3: "time-exceeded",
      4: "parameter-problem",
      128: "echo-request",
      129: "echo-reply",
      130: "mld-listener-query",
      131: "mld-listener-report",
      132: "mld-listener-done",
      133: "nd-router-solicit",
      134: "nd-router-advert",
      135: "nd-neighbor-solicit",
      136: "nd-neighbor-advert",
      137: "nd-redirect",
      138: "router-renumbering",
      141: "ind-neighbor-solicit",
      142: "ind-neighbor-advert",
      143: "mld2-listener-report",
    },
    codes: {
      0: "no-route",
      1: "admin-prohibited",
      3: "addr-unreachable",
      4: "port-unreachable",
      5: "policy-fail",
      6: "reject-route",
    },
  },
};

type NumberNames = Readonly<Record<number, string>>;
