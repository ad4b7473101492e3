import { formatSet, intersect, isEmpty, subtract, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { hasPort } from "../address/ports.ts";
import { isRecord } from "../render/nft-table.ts";
import { admittedBoxes } from "../verdict/nft.ts";
import type { Box } from "../verdict/nft.ts";
import { FINDING_LENGTH, shortLines, tellLines } from "../finding/effect-lines.ts";
import { NO_EFFECT } from "../finding/finding.ts";
import type { FindingEffect } from "../finding/finding.ts";
import { NOT_COMPARED, UNCERTAIN } from "./host-effect.ts";
import type { HostJudge, Judged } from "./host-effect.ts";
import type { ForeignChain } from "./foreign-chain.ts";

/** A rule that leads one port of the host to another one of it. */
interface Redirect {
  readonly protocol: "tcp" | "udp";
  readonly asked: number;
  readonly answered: number;
}

/**
 * What a foreign nat chain does to what our input chain admits: that chain sees the port after translation, so a redirect from a
 * closed port to an open one opens it, and one from an open port to a closed one closes it.
 */
export function natEffect(
  chain: ForeignChain,
  subject: string,
  judge: HostJudge,
): { readonly summary: string; readonly effect: FindingEffect | Judged } {
  const translations = chain.rules.filter((expr) => !isSourceOnly(expr));
  if (translations.length === 0) return { summary: `${subject} translates source addresses`, effect: NO_EFFECT };
  const redirects = translations.map(readRedirect);
  const known = redirects.filter((redirect) => redirect !== undefined);
  if (chain.hook !== "prerouting" || known.length < redirects.length) {
    return {
      summary: `${subject} translates destinations: connections may reach other ports than they ask for`,
      effect: UNCERTAIN,
    };
  }
  const words = shortLines(known, ({ protocol, asked, answered }) => `${asked}/${protocol} to ${answered}`).join(", ");
  return { summary: `${subject} redirects ${words}`, effect: redirectEffect(known, judge) };
}

function redirectEffect(redirects: readonly Redirect[], judge: HostJudge): FindingEffect | Judged {
  const { input } = judge.access;
  const boxes = admittedBoxes(input);
  const cost = boxes.reduce((sum, { peers }) => sum + 1 + peers.v4.length + peers.v6.length, 0);
  // Each redirect looks through all boxes, twice.
  if (input.isOverBudget || !judge.affords(redirects.length * 4 * cost)) return NOT_COMPARED;
  const opened: string[] = [];
  const closed: string[] = [];
  for (const { protocol, asked, answered } of redirects) {
    const before = peersOf(boxes, protocol, asked);
    const after = peersOf(boxes, protocol, answered);
    const port = `${asked}/${protocol}`;
    const gains = subtract(after, before);
    const losses = subtract(before, after);
    if (!isEmpty(gains)) opened.push(`${formatSet(gains)} → this host: ${port}, answered by port ${answered}`);
    if (!isEmpty(losses)) closed.push(`${formatSet(losses)} → this host: ${port}`);
    const diverted = intersect(before, after);
    if (!isEmpty(diverted)) closed.push(`${formatSet(diverted)} → this host: ${port}, which port ${answered} answers instead`);
  }
  const verdict = opened.length > 0 ? (closed.length > 0 ? "both" : "opens") : closed.length > 0 ? "closes" : "equivalent";
  return { verdict, ...tellLines({ opened, closed }, String, FINDING_LENGTH) };
}

function peersOf(boxes: readonly Box[], protocol: "tcp" | "udp", port: number): AddressSet {
  return unionAll(boxes.filter((box) => hasPort(box.ports, protocol, port)).map((box) => box.peers));
}

/** Masquerading and source translation change who others see, not what can be reached here. */
function isSourceOnly(expr: readonly unknown[]): boolean {
  return !expr.some((part) => isRecord(part) && ["dnat", "redirect", "xt", "jump", "goto", "vmap"].some((name) => name in part));
}

/** `tcp dport A … redirect to :B`; undefined for anything less plain. */
function readRedirect(expr: readonly unknown[]): Redirect | undefined {
  const target = expr.find((part) => isRecord(part) && "redirect" in part);
  const port = isRecord(target) && isRecord(target["redirect"]) ? target["redirect"]["port"] : undefined;
  for (const part of expr) {
    if (!isRecord(part) || !isRecord(part["match"])) continue;
    const { op, left, right } = part["match"];
    if (op !== "==" || !isRecord(left) || !isRecord(left["payload"]) || left["payload"]["field"] !== "dport") continue;
    const { protocol } = left["payload"];
    const isPlain = (protocol === "tcp" || protocol === "udp") && typeof right === "number" && typeof port === "number";
    if (isPlain) return { protocol, asked: right, answered: port };
  }
  return undefined;
}
