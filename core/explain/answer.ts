import { subtractPorts, type Protocol } from "../address/ports.ts";
import { connect } from "../guardrail/connection.ts";
import { portsAt } from "../guardrail/ports.ts";
import { portToAsk } from "../guardrail/witness.ts";
import { partyName } from "../guardrail/words.ts";
import type { Basis } from "../guardrail/report.ts";
import type { Definitions, Direction, TargetId } from "../model/kinds.ts";
import type { Source } from "../reach/source.ts";
import type { Question } from "./ask.ts";
import { explainEnd, type EndAnswer, type Line } from "../guardrail/end.ts";
import { findPair, verdictOf, type Pair, type PairGroup } from "./pair.ts";
import type { ConnectivityWorld } from "../guardrail/world.ts";
import type { Verdict } from "./verdict.ts";

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
  /** `git apply` takes it anywhere in the clone; outside of one, at the folder that its paths begin at. */
  readonly patch: string;
  readonly file: string;
  /** What it does, in a sentence. */
  readonly what: string;
  /** Guardrails and tests that it would break; each a sentence. */
  readonly breaks: readonly string[];
}

/** Where one end is decided. */
export interface EnforcementPoint {
  readonly target: TargetId;
  readonly direction: Direction;
  /** `observed`: it lets pass what it would deny. */
  readonly mode: "enforced" | "observed";
}

/** The answer of `firebreak explain -o json`; plain data. */
export interface ExplainAnswer {
  readonly from: string;
  readonly to: string;
  readonly port: string;
  readonly verdict: Verdict;
  /** What workloads the answer rests on. */
  readonly basis: Basis;
  /** Pairs of workloads that were asked about, and that are allowed. */
  readonly pairs: { readonly asked: number; readonly allowed: number };
  /** All pairs, by their verdict; and how many groups of them are not listed, because there are too many. Absent: of an older service. */
  readonly groups?: readonly PairGroup[];
  readonly moreGroups?: number;
  /** The pair that is told: the first that is denied, else the first that is not wholly allowed, else the first; and the port that is told. */
  readonly pair: { readonly from: string; readonly to: string; readonly port: string };
  readonly ends: readonly EndAnswer[];
  /** Rules and segments that decide, each once, with the last commit that touched them. */
  readonly lines: readonly BlamedLine[];
  /** Ends at which a target decides, or would where it only observes. Empty: nothing does. */
  readonly enforcedAt: readonly EnforcementPoint[];
  /** What is enforced now; null when nobody looked. */
  readonly live: (SourceAnswer & { readonly agrees: boolean | null }) | null;
  /** For what is denied; null when it is allowed, or no edit of rules would do. */
  readonly edit: AllowingEdit | null;
  readonly notes: readonly string[];
}

/** Answers without history and without an edit, as enforcers can know the ends; see `explain`. */
export function answerQuestion(world: ConnectivityWorld, question: Question): Omit<ExplainAnswer, "lines" | "edit"> {
  const { enforceable, live, definitions, basis } = world;
  const { pair, asked, allowed, verdict, groups, moreGroups, notes } = findPair(enforceable, question);
  const ends = asked === 0 ? [] : endsOf(definitions, enforceable, question, pair);
  const told = live === undefined || asked === 0 ? undefined : liveAnswer(definitions, live, question, pair);
  const pairVerdict = verdictOf(enforceable, question, pair);
  return {
    from: question.from.text,
    to: question.to.text,
    port: question.portText,
    verdict,
    basis,
    pairs: { asked, allowed },
    groups,
    moreGroups,
    pair: { from: partyName(pair.from), to: partyName(pair.to), port: portTold(enforceable, question, pair) },
    ends,
    enforcedAt: asked === 0 ? [] : enforcers(world, pair),
    live:
      told === undefined
        ? null
        : { ...told, agrees: told.verdict === "uncertain" || pairVerdict === "uncertain" ? null : told.verdict === pairVerdict },
    notes: [...world.gaps, ...notes, ...idleNotes(world, pair), ...otherwiseMeant(world, question, pair, pairVerdict)],
  };
}

/** Where enforcers cannot know who was meant, the answer is what they do. */
function otherwiseMeant({ approved }: ConnectivityWorld, question: Question, pair: Pair, verdict: Verdict): readonly string[] {
  const meant = verdictOf(approved, question, pair);
  if (meant === verdict) return [];
  return [`the definitions mean this pair to be ${meant}; as enforcers can be told, it is ${verdict} (firebreak plan notes where)`];
}

/** One port of those that were asked about: the first that does not surely pass, else the first; undefined for a name that nobody has. */
function portToTell(source: Source, { port }: Question, { from, to }: Pair): readonly [Protocol, number] | undefined {
  const wanted = portsAt([port], to.kind === "workload" ? to.workload : undefined);
  return portToAsk(subtractPorts(wanted, connect(source, from, to).surely)) ?? portToAsk(wanted);
}

function portTold(source: Source, question: Question, pair: Pair): string {
  const told = portToTell(source, question, pair);
  if (told === undefined) return question.portText;
  const [protocol, port] = told;
  return protocol === "icmp" || protocol === "icmpv6" ? `${protocol}/${port}` : `${port}/${protocol}`;
}

function endsOf(definitions: Definitions, source: Source, question: Question, pair: Pair): readonly EndAnswer[] {
  const { from, to } = pair;
  const asked = portToTell(source, question, pair);
  if (asked === undefined) return [];
  return [explainEnd(definitions, source, "egress", from, to, asked), explainEnd(definitions, source, "ingress", to, from, asked)];
}

function liveAnswer(definitions: Definitions, live: Source, question: Question, pair: Pair): SourceAnswer {
  return { verdict: verdictOf(live, question, pair), ends: endsOf(definitions, live, question, pair) };
}

/** Where definitions isolate and nothing does it, that is said instead of a place. */
function idleNotes({ idle }: ConnectivityWorld, { from, to }: Pair): readonly string[] {
  const targets = new Set([from, to].flatMap((party) => (party.kind === "workload" ? (party.workload.target ?? []) : [])));
  return [...targets]
    .filter((target) => idle.has(target))
    .map((target) => `nothing enforces policies in ${target}: what the definitions deny there passes`);
}

/** Ends that isolate, observed ones too: where a rule would be looked for. */
function enforcers({ enforceable: source, idle }: ConnectivityWorld, { from, to }: Pair): readonly EnforcementPoint[] {
  const ends = [
    ["egress", from, to],
    ["ingress", to, from],
  ] as const;
  return ends.flatMap(([direction, subject, peer]): readonly EnforcementPoint[] => {
    if (subject.kind === "addresses" || subject.workload.target === undefined || idle.has(subject.workload.target)) return [];
    const { mode } = source.end(direction, subject, peer);
    return mode === "enforced" || mode === "observed" ? [{ target: subject.workload.target, direction, mode }] : [];
  });
}
