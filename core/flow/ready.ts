import { endReader } from "../guardrail/ends.ts";
import type { ConnectivityWorld } from "../guardrail/world.ts";
import { smallestEdit, type EditInputs } from "../explain/edit.ts";
import { verdictOf } from "../explain/pair.ts";
import type { AllowingEdit } from "../explain/answer.ts";
import type { Named, Question } from "../explain/ask.ts";
import type { Direction } from "../model/kinds.ts";
import { partyName } from "../guardrail/words.ts";
import type { Party } from "../reach/source.ts";
import type { Coverage, FlowTable } from "./flow.ts";
import { rulePortOf, rulePortText, seenOf, type Seen, type Unclear } from "./seen.ts";

/** Connections whose edit is worked out; each costs a reading of all definitions. */
const MOST_EDITS = 50;

/** A connection that was seen, as people are told of it. */
export interface SeenLine {
  readonly from: string;
  readonly to: string;
  readonly port: string;
  readonly count: number;
  /** ISO 8601, UTC */
  readonly first: string;
  readonly last: string;
  readonly days: number;
  readonly sources: readonly string[];
  /** Never answered, as far as a source says it: the initiator may be made up. */
  readonly isOneWay: boolean;
}

/** What enforcing a segment would deny, of what was seen. */
export interface ReadyAnswer {
  readonly segment: string;
  readonly directions: readonly Direction[];
  /** Connections of the segment that were seen, refused ones left out. */
  readonly judged: number;
  readonly denied: readonly (SeenLine & { readonly edit: AllowingEdit | null; readonly why: string | null })[];
  /** Nobody can say what the enforcer will do. */
  readonly uncertain: readonly SeenLine[];
  /** Seen, and nothing can be concluded from it. */
  readonly unclear: readonly Unclear[];
  readonly coverage: readonly Coverage[];
  /** What cannot be answered, each a sentence. */
  readonly gaps: readonly string[];
}

/**
 * What enforcing would deny of what was seen, with the edit that would allow each.
 *
 * @param world with the directions enforced
 */
export function readyOf(
  world: ConnectivityWorld,
  inputs: EditInputs,
  segment: string,
  directions: readonly Direction[],
  table: FlowTable,
): ReadyAnswer {
  const { seen, unclear } = seenOf(world.estate, table.flows);
  const { has } = endReader(world.definitions, world.estate)(segment);
  const isIn = (party: Party): boolean => party.kind === "workload" && has(party.workload);
  const concerned = seen.filter(
    ({ initiator, responder, isRefused }) =>
      !isRefused && ((directions.includes("ingress") && isIn(responder)) || (directions.includes("egress") && isIn(initiator))),
  );
  const denied: ReadyAnswer["denied"][number][] = [];
  const uncertain: SeenLine[] = [];
  for (const one of concerned) {
    const pair = { from: one.initiator, to: one.responder };
    const verdict = verdictOf(world.enforceable, { port: rulePortOf(one) }, pair);
    if (verdict === "uncertain") uncertain.push(lineOf(one));
    if (verdict !== "denied") continue;
    if (one.unanswered === one.count) {
      denied.push({ ...lineOf(one), edit: null, why: "nothing ever came back: its initiator may be made up" });
      continue;
    }
    if (denied.length >= MOST_EDITS) {
      denied.push({ ...lineOf(one), edit: null, why: `edits are worked out for the first ${MOST_EDITS} only` });
      continue;
    }
    const answer = smallestEdit(world, inputs, questionOf(one), pair);
    denied.push({ ...lineOf(one), edit: "ok" in answer ? answer.ok : null, why: "ok" in answer ? null : answer.none });
  }
  return {
    segment,
    directions,
    judged: concerned.length,
    denied,
    uncertain,
    unclear,
    coverage: table.coverage,
    gaps: [...world.gaps, ...gapsOf(table)],
  };
}

/** What nobody looked at, each a sentence. */
export function gapsOf({ coverage }: FlowTable): readonly string[] {
  if (coverage.length === 0) return ["no source of flows was read: that nothing was seen says nothing"];
  return coverage.flatMap(({ source, sightings, broken, lost }) => [
    ...(sightings === 0 ? [`${source} told of no connection: that nothing was seen there says nothing`] : []),
    ...(broken > 0 ? [`${source} has ${broken} ${broken === 1 ? "line that was" : "lines that were"} not understood`] : []),
    ...(lost > 0 ? [`${source} says itself that it lost ${lost}`] : []),
  ]);
}

/** As a question of `explain`. */
export function questionOf(one: Seen): Question {
  const named = (party: Party): Named => ({
    // As people type it: names of what is new are made of it.
    text: partyName(party)
      .replace(" ", "/")
      .replace(/\[[A-Za-z]+\]$/, ""),
    kind: party.kind === "workload" ? "workload" : "address",
    parties: [party],
  });
  return { from: named(one.initiator), to: named(one.responder), port: rulePortOf(one), portText: rulePortText(one) };
}

/** As people are told of it. */
export function lineOf(one: Seen): SeenLine {
  return {
    from: partyName(one.initiator),
    to: partyName(one.responder),
    port: rulePortText(one),
    count: one.count,
    first: new Date(one.first).toISOString(),
    last: new Date(one.last).toISOString(),
    days: one.days.length,
    sources: one.sources,
    isOneWay: one.unanswered === one.count,
  };
}
