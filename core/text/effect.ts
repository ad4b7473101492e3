import { shortEffect, wholeLines } from "../finding/effect-lines.ts";
import type { FindingEffect } from "../finding/finding.ts";
import { visible } from "../ground/visible.ts";

/** The same answers for programs: lists of connections are whole, and what is beyond their bound is counted in `more`. */
export function wholeAnswers<T extends { readonly effect: FindingEffect }>(answers: readonly T[]): readonly unknown[] {
  return answers.map((answer) => ({ ...answer, effect: wholeEffect(answer.effect) }));
}

function wholeEffect(effect: FindingEffect): unknown {
  if (effect.full === undefined) return effect;
  const { more, ...lines } = effect.full;
  const isCut = more.opened + more.closed + more.stays > 0;
  return { verdict: effect.verdict, ...lines, ...(isCut ? { more: { ...more, how: BEYOND } } : {}) };
}

/** Said where lines or names were left out. */
export function cutWords(told: readonly { readonly effect: FindingEffect }[], isFull: boolean): string {
  return !isFull && told.some(({ effect }) => effect.full !== undefined) ? "; --full shows every line and name" : "";
}

/** What is beyond the bound of an effect; how it is asked for. */
const BEYOND = "more than are kept; `firebreak diff --live -o json` lists what opens and closes between Git and live";

/** No policy of a cluster closes it (Kubernetes has no way to), so "any" in what closes is any but this. */
const OWN_NODE = "  stays open  to each pod from its own node, always (builtin/probes)";

/** What it opens, closes and leaves open: in lines of a few names, or all of it. */
export function effectLines(effect: FindingEffect, isFull: boolean, target: string): readonly string[] {
  const { verdict } = effect;
  const { opened, closed, stays, more } = isFull ? wholeLines(effect) : wholeLines(shortEffect(effect));
  const beyond = (count: number): readonly string[] => (count === 0 ? [] : [`${count} ${BEYOND}`]);
  return [
    ...[...opened, ...beyond(more.opened)].map((connection) => `  opens   ${visible(connection)}`),
    ...[...closed, ...beyond(more.closed)].map((connection) => `  closes  ${visible(connection)}`),
    ...[...stays, ...beyond(more.stays)].map((connection) => `  stays open  ${visible(connection)}`),
    ...(target.startsWith("cluster/") && closed.some((line) => /^any( but .*)? → /.test(line)) ? [OWN_NODE] : []),
    ...(verdict === "uncertain" ? ["  what it opens or closes cannot be told for certain"] : []),
  ];
}
