import { hasPort, intersectPorts, isEmptyPorts, type PortSet } from "../address/ports.ts";
import { connect } from "../guardrail/connection.ts";
import { portsAt } from "../guardrail/ports.ts";
import { portToAsk } from "../guardrail/witness.ts";
import { partyName } from "../guardrail/words.ts";
import type { Definitions, TargetId } from "../model/kinds.ts";
import type { Party, Source } from "../reach/source.ts";
import type { Question } from "./ask.ts";
import { explainEnd, type EndAnswer, type Line } from "./end.ts";
import type { ConnectivityWorld } from "./world.ts";

/** allowed, denied: by every reading · some: not all pairs of a segment's members agree · uncertain: nobody can say. */
export type Verdict = "allowed" | "denied" | "some" | "uncertain";

/** The last commit that touched a line. */
export interface Blame {
  readonly commit: string;
  readonly author: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly subject: string;
}

/** A line of an answer with who wrote it. */
export interface BlamedLine extends Line {
  readonly blame: Blame | null;
}

/** What one source says, over the pair that is told. */
export interface SourceAnswer {
  readonly verdict: Verdict;
  /** The initiator's egress, then the responder's ingress. */
  readonly ends: readonly EndAnswer[];
}

/** The smallest edit that would allow it, shown to do so. */
export interface AllowingEdit {
  /** `git apply` takes it, at the folder that its paths begin at. */
  readonly patch: string;
  readonly file: string;
  /** What it does, in a sentence. */
  readonly what: string;
  /** Guardrails that it would break; each a sentence. */
  readonly breaks: readonly string[];
}

/** The answer of `firebreak explain -o json`; plain data. */
export interface ExplainAnswer {
  readonly from: string;
  readonly to: string;
  readonly port: string;
  readonly verdict: Verdict;
  /** Pairs of workloads that were asked about, and that are allowed. */
  readonly pairs: { readonly asked: number; readonly allowed: number };
  /** The pair that is told: the first that is denied, else the first. */
  readonly pair: { readonly from: string; readonly to: string };
  readonly ends: readonly EndAnswer[];
  /** Rules and segments that decide, each once, with the last commit that touched them. */
  readonly lines: readonly BlamedLine[];
  /** Targets that enforce it. Empty: nothing does. */
  readonly enforcedAt: readonly TargetId[];
  /** What is enforced now; null when nobody looked. */
  readonly live: (SourceAnswer & { readonly agrees: boolean | null }) | null;
  /** For what is denied; null when it is allowed, or no edit of rules would do. */
  readonly edit: AllowingEdit | null;
  readonly notes: readonly string[];
}

/** Pairs of a segment's members that are looked at; their classes are few, but nobody reads more. */
const MAX_PAIRS = 10_000;

/** Answers without history and without an edit; see `explain`. */
export function answerQuestion(world: ConnectivityWorld, question: Question): Omit<ExplainAnswer, "lines" | "edit"> {
  const { approved, live, definitions } = world;
  const { pair, asked, allowed, uncertain } = findPair(approved, question);
  const ends = endsOf(definitions, approved, question, pair);
  const verdict: Verdict =
    uncertain > 0 && allowed < asked ? "uncertain" : allowed === asked ? "allowed" : allowed === 0 ? "denied" : "some";
  const told = live === undefined ? undefined : liveAnswer(definitions, live, question, pair);
  const pairVerdict = verdictOf(approved, question, pair);
  return {
    from: question.from.text,
    to: question.to.text,
    port: question.portText,
    verdict,
    pairs: { asked, allowed },
    pair: { from: partyName(pair.from), to: partyName(pair.to) },
    ends,
    enforcedAt: enforcers(approved, pair),
    live:
      told === undefined
        ? null
        : { ...told, agrees: told.verdict === "uncertain" || pairVerdict === "uncertain" ? null : told.verdict === pairVerdict },
    notes: world.gaps,
  };
}

/** Two parties of a question. */
export interface Pair {
  readonly from: Party;
  readonly to: Party;
}

/** The first pair that is denied, else the first, and how many are allowed. */
export function findPair(
  source: Source,
  question: Question,
): { readonly pair: Pair; readonly asked: number; readonly allowed: number; readonly uncertain: number } {
  const { from, to } = question;
  let first: Pair | undefined;
  let denied: Pair | undefined;
  const counts = { asked: 0, allowed: 0, uncertain: 0 };
  for (const initiator of from.parties) {
    for (const responder of to.parties) {
      if (isSame(initiator, responder) || counts.asked >= MAX_PAIRS) continue;
      const pair: Pair = { from: initiator, to: responder };
      first ??= pair;
      counts.asked += 1;
      const verdict = verdictOf(source, question, pair);
      if (verdict === "allowed") counts.allowed += 1;
      else denied ??= pair;
      if (verdict === "uncertain") counts.uncertain += 1;
    }
  }
  // A workload and itself: there is no other pair to ask about.
  const alone: Pair = { from: from.parties[0] as Party, to: to.parties[0] as Party };
  return { pair: denied ?? first ?? alone, ...counts };
}

function isSame(a: Party, b: Party): boolean {
  return a.kind === "workload" && b.kind === "workload" && a.workload.id === b.workload.id;
}

/** What a source says of one pair. */
export function verdictOf(source: Source, { port }: Question, { from, to }: Pair): Verdict {
  const { surely, possibly } = connect(source, from, to);
  const wanted = portsAt([port], to.kind === "workload" ? to.workload : undefined);
  if (isEmptyPorts(wanted)) return "denied"; // nobody there listens under that name
  if (covers(surely, wanted)) return "allowed";
  return covers(possibly, wanted) ? "uncertain" : "denied";
}

function covers(set: PortSet, wanted: PortSet): boolean {
  const both = intersectPorts(set, wanted);
  const asked = portToAsk(wanted);
  return !isEmptyPorts(both) && (asked === undefined || hasPort(set, asked[0], firstPoint(asked)));
}

function firstPoint([protocol, port]: NonNullable<ReturnType<typeof portToAsk>>): number {
  return protocol === "icmp" || protocol === "icmpv6" ? port * 256 : port;
}

function endsOf(definitions: Definitions, source: Source, { port }: Question, { from, to }: Pair): readonly EndAnswer[] {
  const asked = portToAsk(portsAt([port], to.kind === "workload" ? to.workload : undefined));
  if (asked === undefined) return [];
  return [explainEnd(definitions, source, "egress", from, to, asked), explainEnd(definitions, source, "ingress", to, from, asked)];
}

function liveAnswer(definitions: Definitions, live: Source, question: Question, pair: Pair): SourceAnswer {
  return { verdict: verdictOf(live, question, pair), ends: endsOf(definitions, live, question, pair) };
}

/** Targets whose end isolates, observed ones too: where a rule would be looked for. */
function enforcers(source: Source, { from, to }: Pair): readonly TargetId[] {
  const found = new Set<TargetId>();
  for (const [direction, subject, peer] of [
    ["egress", from, to],
    ["ingress", to, from],
  ] as const) {
    if (subject.kind === "addresses" || subject.workload.target === undefined) continue;
    const { mode } = source.end(direction, subject, peer);
    if (mode === "enforced" || mode === "observed") found.add(subject.workload.target);
  }
  return [...found];
}
