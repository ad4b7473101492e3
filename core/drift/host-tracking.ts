import { formatSet, isEmpty, subtract, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { intersectPorts, isEmptyPorts, isSubsetPorts, portRange } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import type { NftRuleset } from "../render/nft.ts";
import { isRecord } from "../render/nft-table.ts";
import { admittedBoxes } from "../verdict/nft.ts";
import type { Box } from "../verdict/nft.ts";
import { FINDING_LENGTH, tellLines } from "../finding/effect-lines.ts";
import { NO_EFFECT } from "../finding/finding.ts";
import type { FindingEffect } from "../finding/finding.ts";
import { UNCERTAIN } from "./host-effect.ts";
import type { HostJudge } from "./host-effect.ts";

/** Where callers' own ports lie: answers go there. */
const CALLER_PORTS = { first: 1024, last: 65_535 } as const;

/** Where this host's own callers get their ports from (Linux): such a port in a rule may mean the host's answers or its questions. */
const OWN_CALLERS = { first: 32_768, last: 60_999 } as const;

interface Served {
  readonly protocol: "tcp" | "udp";
  readonly first: number;
  readonly last: number;
}

/**
 * What rules that keep packets from being tracked do to ours, which let answers through as `established`: an answer of a connection that
 * nobody tracked is a new packet to them, and is dropped where that direction is enforced.
 *
 * Nothing is opened by it: an untracked packet gets past no rule of ours that a new one would not. Read exactly where the rules name ports
 * that the host itself serves (`dport` at prerouting, `sport` at output); any other is uncertain.
 *
 * @param rules of the foreign base chain at `hook`, with those that it jumps to
 */
export function untrackedEffect(rules: readonly (readonly unknown[])[], hook: string, judge: HostJudge): FindingEffect {
  const [input, output] = [isEnforced(judge.expected, "input"), isEnforced(judge.expected, "output")];
  if (!input && !output) return NO_EFFECT;
  const served = rules.map((expr) => servedPorts(expr, hook));
  if (!served.every((ports) => ports !== undefined)) return UNCERTAIN;
  if (input && served.flat().some(({ first, last }) => first <= OWN_CALLERS.last && last >= OWN_CALLERS.first)) return UNCERTAIN;
  if (!output) return NO_EFFECT; // answers leave freely
  const { access } = judge;
  const [reaching, answering] = [admittedBoxes(access.input), admittedBoxes(access.output)];
  if (!judge.affords(100 * served.flat().length * (reaching.length + answering.length))) return UNCERTAIN;
  const closed = served.flat().flatMap(({ protocol, first, last }): readonly string[] => {
    const callers = portRange(protocol, CALLER_PORTS.first, CALLER_PORTS.last);
    const heard = peersWith(answering, (ports) => isSubsetPorts(callers, ports));
    const asked = portRange(protocol, first, last);
    const lost = subtract(
      peersWith(reaching, (ports) => !isEmptyPorts(intersectPorts(asked, ports))),
      heard,
    );
    const port = first === last ? `${first}` : `${first}-${last}`;
    return isEmpty(lost) ? [] : [`${formatSet(lost)} → this host: ${port}/${protocol}, whose answers nobody tracks`];
  });
  return closed.length === 0 ? NO_EFFECT : { verdict: "closes", ...tellLines({ opened: [], closed }, String, FINDING_LENGTH) };
}

function isEnforced(expected: NftRuleset, hook: "input" | "output"): boolean {
  return expected.some((object) => "chain" in object && object.chain.hook === hook && object.chain.policy === "drop");
}

function peersWith(boxes: readonly Box[], isMeant: (ports: PortSet) => boolean): AddressSet {
  return unionAll(boxes.filter(({ ports }) => isMeant(ports)).map(({ peers }) => peers));
}

/** The ports of a rule `tcp dport … notrack` (`sport` at output); undefined for anything less plain. */
function servedPorts(expr: readonly unknown[], hook: string): readonly Served[] | undefined {
  const side = hook === "prerouting" ? "dport" : hook === "output" ? "sport" : undefined;
  const matches = expr.flatMap((part) => (isRecord(part) && isRecord(part["match"]) ? [part["match"]] : []));
  const [only, ...more] = matches;
  if (side === undefined || only === undefined || more.length > 0 || only["op"] !== "==") return undefined;
  const payload = isRecord(only["left"]) && isRecord(only["left"]["payload"]) ? only["left"]["payload"] : {};
  const { protocol, field } = payload;
  if (field !== side || (protocol !== "tcp" && protocol !== "udp")) return undefined;
  const { right } = only;
  const values = isRecord(right) && Array.isArray(right["set"]) ? right["set"] : [right];
  const ranges = values.map((value) => rangeOf(protocol, value));
  return ranges.every((range) => range !== undefined) ? ranges : undefined;
}

function rangeOf(protocol: "tcp" | "udp", value: unknown): Served | undefined {
  if (typeof value === "number") return { protocol, first: value, last: value };
  const range = isRecord(value) ? value["range"] : undefined;
  const [first, last] = Array.isArray(range) ? range : [];
  return typeof first === "number" && typeof last === "number" ? { protocol, first, last } : undefined;
}
