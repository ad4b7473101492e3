import { z } from "zod";
import type { IcmpMessages, NamedPort, PortRange, Ports as PortsValue, Protocol, RulePort } from "../kinds.ts";
import { guidance } from "./later.ts";
import type { Refusal } from "./text.ts";
import { parsedText, quote, refuse } from "./text.ts";

/** First and last port that a process can listen on. */
const FIRST = 1;
const LAST = 65535;

const FORMS = "Write N/tcp, N-M/udp, NAME/tcp, tcp, udp, sctp, icmp, icmp/TYPE, icmpv6/TYPE/CODE or any";
const RANGE_FORMS = "Write N/tcp, N-M/tcp, N/udp, tcp or udp";
const PORT_META = {
  description:
    "The port that the responder's process listens on (after DNAT): `N/tcp`, `N-M/udp`, `NAME/tcp` (as pods name it), `tcp`, `udp` or " +
    "`sctp` (all of it), `icmp[/TYPE[/CODE]]`, `icmpv6…`, or `any` (every protocol).",
  examples: ["8443/tcp", "9000-9100/tcp", "53/udp", "http/tcp", "sctp", "icmp/8", "any"],
};

const Port = parsedText<"any" | RulePort>(PORT_META, (text) => (text === "any" ? { ok: "any" } : parseRulePort(text))).register(
  guidance,
  { hint: "A port names its protocol: write 8443/tcp" },
);

/** Ports of a rule: `[any]`, or a list without overlaps, sorted: ranges, then names, then ICMP. */
export const Ports = z
  .array(Port)
  .min(1)
  .meta({ description: "What the rule allows. Required: leaving it out does not mean every port." })
  .transform((given, context): PortsValue => {
    const ports = given.filter((port) => port !== "any");
    if (ports.length === given.length) return sortPorts(ports);
    if (ports.length > 0) {
      const detail = "Remove the others, or remove any";
      refuse(context, given, { code: "bad-port", summary: "any stands beside other ports", detail }, [given.indexOf("any")]);
    }
    return "any";
  })
  .register(guidance, { hint: "Write it as a list: [8443/tcp]" });

/** The one port (or range) that a test asks about. */
export const OnePort = parsedText<RulePort>(
  {
    description: "What is tried: as in rules, but not `any`; of a range, every port has to be as expected.",
    examples: ["8443/tcp"],
  },
  (text) => (text === "any" ? bad(text, "A test asks about one port or range: write 8443/tcp") : parseRulePort(text)),
).register(guidance, { hint: "A port names its protocol: write 8443/tcp" });

/** Ports where only ranges make sense (the lifeline). */
export const PortList = z
  .array(
    parsedText<PortRange>(
      {
        description: "The port that the process listens on: `N/tcp`, `N-M/udp`, `tcp` or `udp`.",
        examples: ["22/tcp"],
      },
      parsePortRange,
    ).register(guidance, { hint: "A port names its protocol: write 22/tcp" }),
  )
  .min(1)
  .transform(mergePortRanges);

/** Anything that a rule may list beside `any`. */
export function parseRulePort(text: string): { readonly ok: RulePort } | Refusal {
  if (/^icmp(v6)?(\/|$)/.test(text)) return parseIcmp(text);
  if (isProtocol(text)) return { ok: { kind: "range", protocol: text, from: FIRST, to: LAST } };
  const [numbers = "", protocol, ...rest] = text.split("/");
  if (protocol === undefined || rest.length > 0 || !isProtocol(protocol)) return bad(text, protocolProblem(text, protocol));
  if (/[a-z]/i.test(numbers)) return parseNamed(text, numbers, protocol);
  return parseNumbers(text, numbers, protocol);
}

/** `N[-M]/tcp|udp|sctp`, `tcp`, `udp`, `sctp` (ports 1 to 65535). */
export function parsePortRange(text: string): { readonly ok: PortRange } | Refusal {
  const parsed = parseRulePort(text);
  if (!("ok" in parsed)) return { ...parsed, detail: parsed.detail?.startsWith(FORMS) === true ? RANGE_FORMS : parsed.detail };
  if (parsed.ok.kind === "range") return { ok: parsed.ok };
  return bad(text, "Write the number that the process listens on: 22/tcp");
}

/** Sorted by protocol, then number; what overlaps or touches becomes one range. */
export function mergePortRanges(ranges: readonly PortRange[]): readonly PortRange[] {
  const sorted = [...ranges].sort((a, b) => (a.protocol === b.protocol ? a.from - b.from : a.protocol < b.protocol ? -1 : 1));
  const merged: PortRange[] = [];
  for (const range of sorted) {
    const last = merged.at(-1);
    if (last === undefined || last.protocol !== range.protocol || range.from > last.to + 1) merged.push(range);
    else merged[merged.length - 1] = { ...last, to: Math.max(last.to, range.to) };
  }
  return merged;
}

/** Ranges merged, names once each, and no ICMP message that another of the list already says. */
function sortPorts(ports: readonly RulePort[]): readonly RulePort[] {
  const named = new Map<string, NamedPort>();
  const icmp = new Map<string, IcmpMessages>();
  for (const port of ports) {
    if (port.kind === "named") named.set(`${port.name}/${port.protocol}`, port);
    if (port.kind === "icmp") icmp.set(icmpKey(port), port);
  }
  const isSaid = ({ protocol, type, code }: IcmpMessages) =>
    (type !== undefined && icmp.has(icmpKey({ protocol, type: undefined, code: undefined }))) ||
    (code !== undefined && icmp.has(icmpKey({ protocol, type, code: undefined })));
  return [
    ...mergePortRanges(ports.filter((port) => port.kind === "range")),
    ...byKey(named),
    ...byKey(icmp).filter((messages) => !isSaid(messages)),
  ];
}

function icmpKey({ protocol, type, code }: Omit<IcmpMessages, "kind">): string {
  return [protocol, type, code].map((part) => (typeof part === "number" ? String(part).padStart(3, "0") : (part ?? ""))).join("/");
}

function byKey<T>(map: ReadonlyMap<string, T>): readonly T[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

function parseIcmp(text: string): { readonly ok: IcmpMessages } | Refusal {
  const match = /^(icmp|icmpv6)(?:\/([0-9]{1,4})(?:\/([0-9]{1,4}))?)?$/.exec(text);
  if (match === null) return bad(text, "Write icmp, icmp/TYPE or icmp/TYPE/CODE with numbers: icmp/8 is an echo request");
  const protocol = match[1] === "icmpv6" ? "icmpv6" : "icmp";
  const type = match[2] === undefined ? undefined : Number(match[2]);
  const code = match[3] === undefined ? undefined : Number(match[3]);
  if ((type ?? 0) > 255 || (code ?? 0) > 255) return bad(text, "ICMP types and codes are numbers from 0 to 255");
  return { ok: { kind: "icmp", protocol, type, code } };
}

/** A name of RFC 6335 §5.1, as Kubernetes wants container ports to be named. */
function parseNamed(text: string, name: string, protocol: Protocol): { readonly ok: NamedPort } | Refusal {
  if (/^[0-9]+-[0-9]+[a-z]/i.test(name)) return bad(text, FORMS);
  if (/^(0x[0-9a-f]+|0o[0-7]+|[0-9]+e[0-9]+)$/i.test(name)) return bad(text, "Write the number in digits: 22/tcp");
  if (name.length <= 15 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) return { ok: { kind: "named", protocol, name } };
  return bad(
    text,
    "A port name has at most 15 lower-case letters, digits and single -, and begins and ends with a letter or digit",
  );
}

function parseNumbers(text: string, numbers: string, protocol: Protocol): { readonly ok: PortRange } | Refusal {
  const match = /^([0-9]{1,6})(?:-([0-9]{1,6}))?$/.exec(numbers);
  if (match === null) return bad(text, FORMS);
  if (/(^|-)0[0-9]/.test(numbers)) return bad(text, "A number has no zero in front: 22/tcp");
  const from = Number(match[1]);
  const to = Number(match[2] ?? match[1]);
  if (from < FIRST || to < FIRST || from > LAST || to > LAST) return bad(text, `Ports are numbers from ${FIRST} to ${LAST}`);
  if (from > to) return bad(text, `The range is reversed: write ${to}-${from}/${protocol}`);
  return { ok: { kind: "range", protocol, from, to } };
}

function protocolProblem(text: string, protocol: string | undefined): string {
  if (text.split("/").length > 2) return FORMS;
  if (/^[0-9]+(-[0-9]+)?$/.test(text)) return `A port names its protocol: write ${text}/tcp or ${text}/udp`;
  if (/^(tcp|udp|sctp)$/i.test(protocol ?? text)) return `Write the protocol in lower case: ${text.toLowerCase()}`;
  if (/^[a-z0-9-]+$/.test(text)) return `${FORMS}; a named port names its protocol: ${text}/tcp`;
  if (/^icmp(v6)?$/i.test(protocol ?? "")) return "Write icmp first: icmp/TYPE or icmp/TYPE/CODE";
  return FORMS;
}

function bad(text: string, detail: string): Refusal {
  return { code: "bad-port", summary: `${quote(text)} is not a port`, detail };
}

function isProtocol(text: string): text is Protocol {
  return text === "tcp" || text === "udp" || text === "sctp";
}
