import { z } from "zod";
import type { PortRange, Ports as PortsValue, Protocol } from "../kinds.ts";
import { guidance } from "./later.ts";
import type { Refusal } from "./text.ts";
import { parsedText, quote, refuse } from "./text.ts";

/** First and last port that a process can listen on. */
const FIRST = 1;
const LAST = 65535;

const FORMS = "Write N/tcp, N-M/tcp, N/udp, tcp, udp or any";
const PORT_META = {
  description: "The port that the responder's process listens on (after DNAT): `N/tcp`, `N-M/udp`, `tcp`, `udp` or `any`.",
  examples: ["8443/tcp", "9000-9100/tcp", "53/udp", "tcp", "any"],
};

const Port = parsedText<"any" | PortRange>(PORT_META, (text) => (text === "any" ? { ok: "any" } : parsePortRange(text))).register(
  guidance,
  { hint: "A port names its protocol: write 8443/tcp" },
);

/** Ports of a rule: `[any]`, or ranges, merged and sorted by protocol, then number. */
export const Ports = z
  .array(Port)
  .min(1)
  .meta({ description: "What the rule allows. Required: leaving it out does not mean every port." })
  .transform((given, context): PortsValue => {
    const ranges = given.filter((port): port is PortRange => port !== "any");
    if (ranges.length === given.length) return mergePortRanges(ranges);
    if (ranges.length > 0) {
      const detail = "Remove the others, or remove any";
      refuse(context, given, { code: "bad-port", summary: "any stands beside other ports", detail }, [given.indexOf("any")]);
    }
    return "any";
  })
  .register(guidance, { hint: "Write it as a list: [8443/tcp]" });

/** Ports where only ranges make sense (the lifeline). */
export const PortList = z
  .array(
    parsedText<PortRange>({ ...PORT_META, examples: ["22/tcp"] }, parsePortRange).register(guidance, {
      hint: "A port names its protocol: write 22/tcp",
    }),
  )
  .min(1)
  .transform(mergePortRanges);

/** `N[-M]/tcp|udp`, `tcp`, `udp` (ports 1 to 65535). */
export function parsePortRange(text: string): { readonly ok: PortRange } | Refusal {
  if (isProtocol(text)) return { ok: { protocol: text, from: FIRST, to: LAST } };
  const [numbers = "", protocol, ...rest] = text.split("/");
  if (/^(icmp|icmpv6)$/.test(numbers) || /^(icmp|icmpv6)$/.test(protocol ?? "")) {
    return notYet("icmp in rules", "ICMP errors that connections need are let through anyway; use any where everything is meant");
  }
  if (numbers === "sctp" || protocol === "sctp") return notYet("sctp", "Use tcp or udp, or any where everything is meant");
  if (protocol === undefined || rest.length > 0 || !isProtocol(protocol)) return bad(text, protocolProblem(text, protocol));
  if (/^[a-z0-9-]*[a-z][a-z0-9-]*$/i.test(numbers)) {
    return notYet("a named port", "Write the number that the process listens on");
  }
  return parseNumbers(text, numbers, protocol);
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

function parseNumbers(text: string, numbers: string, protocol: Protocol): { readonly ok: PortRange } | Refusal {
  const match = /^([0-9]{1,6})(?:-([0-9]{1,6}))?$/.exec(numbers);
  if (match === null) return bad(text, FORMS);
  const from = Number(match[1]);
  const to = Number(match[2] ?? match[1]);
  if (from < FIRST || to < FIRST || from > LAST || to > LAST) return bad(text, `Ports are numbers from ${FIRST} to ${LAST}`);
  if (from > to) return bad(text, `The range is reversed: write ${to}-${from}/${protocol}`);
  return { ok: { protocol, from, to } };
}

function protocolProblem(text: string, protocol: string | undefined): string {
  if (text.split("/").length > 2) return FORMS;
  if (/^[0-9]+(-[0-9]+)?$/.test(text)) return `A port names its protocol: write ${text}/tcp or ${text}/udp`;
  if (/^(tcp|udp)$/i.test(protocol ?? text)) return `Write the protocol in lower case: ${text.toLowerCase()}`;
  return FORMS;
}

function bad(text: string, detail: string): Refusal {
  return { code: "bad-port", summary: `${quote(text)} is not a port`, detail };
}

function notYet(what: string, detail: string): Refusal {
  return { code: "unsupported-value", summary: `${what} is not supported by this version`, detail };
}

function isProtocol(text: string): text is Protocol {
  return text === "tcp" || text === "udp";
}
