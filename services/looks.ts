import { isOverBudget, overBudgetText } from "../adapters/workers/index.ts";
import type { Finding, FindingKind } from "../core/finding/finding.ts";
import { notComparable } from "../core/drift/not-comparable.ts";
import { CLUSTER_KINDS, compareLook, HOST_KINDS, targetOf, type Look, type States } from "./compare.ts";
import type { LookMemory } from "./look-memory.ts";
import type { Parts } from "./parts.ts";
import { isSmall } from "./workers/small.ts";

/** What a comparison in this process may cost: some 30 ms. A small input that takes more is compared by a worker, too. */
const QUICK_STEPS = 500_000;

/** What a look found, and the kinds of findings that it is whole about: of others nothing is over. */
export interface Found {
  readonly kinds: readonly FindingKind[];
  readonly findings: readonly Finding[];
}

/**
 * Compares what is live with what should be. Tenants and whoever administrates a host size what is live, so what is not small is compared by
 * a worker. What that cannot compare within its budget is told, and everything that was found before stays.
 *
 * @param memory for who looks again and again: nothing is compared twice
 */
export async function findIn(parts: Pick<Parts, "workers" | "signal" | "log">, look: Look, memory?: LookMemory): Promise<Found> {
  const kinds = look.kind === "cluster" ? CLUSTER_KINDS : HOST_KINDS;
  const slim = withoutDefinitions(look);
  const quick = isSmall(slim) ? compareLook(slim, QUICK_STEPS) : undefined;
  if (quick?.every(({ kind }) => kind !== "not-comparable") === true) return { kinds, findings: quick };
  const known = await memory?.recall(look);
  if (known !== undefined && "findings" in known) return { kinds, findings: known.findings };
  const outcome = await parts.workers.run("look", slim, { lane: "looks", signal: parts.signal });
  if (outcome.kind === "done") {
    known?.remember(outcome.value);
    return { kinds, findings: outcome.value };
  }
  if (!isOverBudget(outcome)) throw outcome.error;
  const why = overBudgetText(outcome);
  parts.log.error({ target: targetOf(look), why }, "a target could not be compared within its budget");
  return { kinds: ["not-comparable"], findings: [notComparable(targetOf(look), why)] };
}

/** Of the definitions, comparing takes only where each segment stands. */
function withoutDefinitions(look: Look): Look {
  const [first, ...more] = look.states.map((state): States[number] => {
    const { target, want, mark, definitions } = state;
    return {
      target,
      want,
      mark,
      definitions: { segments: new Map([...definitions.segments].map(([id, { at }]) => [id, { at }])) },
    };
  });
  return { ...look, states: [first as States[number], ...more] }; // there is at least one
}
