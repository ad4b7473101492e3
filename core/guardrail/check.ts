import { formatPorts } from "../address/ports.ts";
import type { Workload } from "../estate/estate.ts";
import type { Definitions, Guardrail, GuardrailRule, Ports } from "../model/kinds.ts";
import type { Source } from "../reach/source.ts";
import { connectionsBefore, connectionsOf } from "./connection.ts";
import { endReader, type NamedEnd } from "./ends.ts";
import { evaluate, type Breach, type Claim, type Evaluation, type Space } from "./evaluate.ts";
import { formatAsked, hasNames, portsAt } from "./ports.ts";
import { reachabilityOf, type Reachability } from "./reaches.ts";
import type { ClaimResult, GuardrailResult, Violation } from "./results.ts";
import { classesOf, isClassIn } from "./space.ts";
import { staleFor } from "./stale.ts";
import { witnessOf } from "./witness.ts";
import { className, workloadsOf } from "./words.ts";
import { Budget, OverBudget } from "../verdict/budget.ts";

/**
 * Work for all claims of one source, in steps (see `Space.budget`): some tens of seconds. A ring of 1,000 segments with a guardrail over
 * everything takes a tenth of it.
 */
const STEPS = 1_000_000_000;

/** What is compared with: the revision in force, or before the first one nothing, when everything was open. */
export interface Before {
  readonly source: Source | undefined;
}

/**
 * Checks every guardrail against one source.
 *
 * On effective reachability: what nobody isolates is reachable, and so is what is only observed. The answers come in the order of the
 * guardrails' names and rules.
 *
 * @param definitions whose guardrails and segments count
 * @param before given, each violation says whether it is wider than there
 * @param budget of all of them; what is beyond it is not decided
 */
export function checkGuardrails(
  definitions: Definitions,
  source: Source,
  before?: Before,
  budget?: Budget,
): readonly GuardrailResult[] {
  const read = endReader(definitions, source.estate);
  const rules = [...definitions.guardrails.values()].flatMap((guardrail) => guardrail.rules.map((rule) => ({ guardrail, rule })));
  const asked = rules.map(({ rule }) => ({ rule, from: rule.from.map(read), to: rule.to.map(read) }));
  const results = checkClaims(definitions, source, asked, before, budget);
  return rules.map(({ guardrail, rule }, index) => describe(guardrail, rule, results[index] as ClaimResult)); // one per claim
}

function describe({ name, severity, reason }: Guardrail, rule: GuardrailRule, result: ClaimResult): GuardrailResult {
  const { id, kind, at } = rule;
  return { id, guardrail: name, kind, severity, claim: formatClaim(rule), reason: reason ?? null, at, ...result };
}

/** `never internet → cardholder: any`, `always monitoring reaches web: 9100/tcp (same zone)`. */
export function formatClaim({ kind, from, to, ports, same, path }: GuardrailRule): string {
  const arrow = path === "transitive" ? "reaches" : "→";
  const agree = same.length === 0 ? "" : ` (same ${same.join(", ")})`;
  return `${kind} ${from.join(", ")} ${arrow} ${to.join(", ")}: ${formatRulePorts(ports)}${agree}`;
}

/** Ports as they are written in a definition. */
export function formatRulePorts(ports: Ports): string {
  if (ports === "any") return "any";
  return ports
    .map((port) => (port.kind === "named" ? `${port.name}/${port.protocol}` : formatPorts(portsAt([port], undefined))))
    .join(", ");
}

/**
 * Evaluates claims together, in one space of classes. One result per claim, in their order.
 *
 * @param budget of all of them; what is beyond it is not decided
 */
export function checkClaims(
  definitions: Definitions,
  source: Source,
  claims: readonly Claim[],
  before?: Before,
  budget: Budget = new Budget(STEPS),
): readonly ClaimResult[] {
  if (claims.length === 0) return [];
  const space = decided(() => spaceOf(source, claims, before, budget));
  return claims.map((claim) => {
    const result = space && decided(() => resultOf(definitions, source, claim, evaluate(claim, space), space));
    return result ?? { outcome: "uncertain", on: source.kind, violations: [], why: [NOT_DECIDED] };
  });
}

const NOT_DECIDED = "not decided: it takes more work than one check may; ask about fewer segments, or by fewer rules";

/** True when it takes more work than the budget to say more. */
export function isUndecided({ why }: Pick<ClaimResult, "why">): boolean {
  return why.includes(NOT_DECIDED);
}

/** Undefined beyond the budget. */
function decided<Value>(work: () => Value): Value | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof OverBudget) return undefined;
    throw error;
  }
}

/** Whether a workload is in an end, in steps. */
const MEMBER_STEPS = 5;

function spaceOf(source: Source, claims: readonly Claim[], before: Before | undefined, budget: Budget): Space {
  const ends = [...new Set(claims.flatMap(({ from, to }) => [...from, ...to]))];
  const keys = [...new Set(claims.flatMap(({ rule }) => rule.same))];
  budget.spend(MEMBER_STEPS * source.estate.workloads.length * (ends.length + keys.length));
  const needsNames = claims.some(({ rule }) => hasNames(rule.ports));
  const ofWorkload = (workload: Workload): string =>
    JSON.stringify([
      ends.map((end) => (end.has(workload) ? 1 : 0)).join(""),
      keys.map((key) => (Object.hasOwn(workload.labels, key) ? workload.labels[key] : null)),
      needsNames ? workload.ports : [],
      [workload.addresses.v4.length > 0, workload.addresses.v6.length > 0],
    ]);
  const sources = before?.source === undefined ? ([source] as const) : ([source, before.source] as const);
  const classes = classesOf(sources, { ofWorkload, addresses: ends.map(({ addresses }) => addresses) });
  const now = connectionsOf(source);
  const earlier = before === undefined ? now : connectionsBefore(before.source);
  let made: Reachability | undefined;
  return { classes, now, before: earlier, reachability: () => (made ??= reachabilityOf(classes, now, earlier, budget)), budget };
}

function resultOf(
  definitions: Definitions,
  source: Source,
  claim: Claim,
  { breaches, pairs, uncertain }: Evaluation,
  space: Space,
): ClaimResult {
  const on = source.kind;
  const tell = (list: readonly Breach[]): readonly Violation[] =>
    list.map((breach) => describeBreach(definitions, source, claim, breach));
  const sure = breaches.filter(({ isSure }) => isSure);
  if (sure.length > 0) return { outcome: "violated", on, violations: tell(sure), why: [] };
  const why = [
    ...uncertain,
    ...(breaches.some(({ isNotYet }) => isNotYet)
      ? ["it is open now, because a segment is still in `observe`; with `enforce` it would be closed"]
      : []),
    ...nothingAsked(claim, pairs, space),
    ...staleFor(definitions, source.estate, namesOf(claim), claim.rule.path === "transitive").map(
      (target) => `the inventory of ${target} is not complete: what is not seen there may break it`,
    ),
  ];
  if (breaches.length > 0 || why.length > 0) return { outcome: "uncertain", on, violations: tell(breaches), why };
  return { outcome: "passed", on, violations: [], why: [] };
}

/** An empty `always` proves nothing; an empty `never` holds. */
function nothingAsked({ rule, from, to }: Claim, pairs: number, { classes }: Space): readonly string[] {
  const empty = [...from, ...to].filter((end) => !classes.some((party) => isClassIn(party, end)));
  if (rule.kind === "always" && empty.length > 0)
    return [`${[...new Set(empty.map(({ name }) => name))].join(", ")} selects nothing now`];
  if (pairs > 0 || empty.length > 0) return [];
  if (rule.kind === "never" && rule.same.length > 0) return [];
  return ["there is no connection that could be enforced at either end, or whose ends agree as asked"];
}

function namesOf({ from, to }: Claim): readonly string[] {
  return [...from, ...to].map(({ name }: NamedEnd) => name);
}

function describeBreach(definitions: Definitions, source: Source, claim: Claim, breach: Breach): Violation {
  const { responders, initiators, path, ports, isNotYet, isAdded } = breach;
  const first = path[0] ?? responders;
  const { party } = responders;
  const from = initiators.length > 1 ? `${className(first)} and ${counted(initiators.length - 1)}` : className(first);
  return {
    target: (party.kind === "workload" ? party.workload.target : undefined) ?? first.workloads[0]?.target ?? null,
    from,
    to: className(responders),
    counts: { from: workloadsOf(initiators).length, to: responders.workloads.length },
    ports: formatAsked(ports),
    notYetEnforced: claim.rule.kind === "never" && isNotYet,
    added: isAdded,
    witness: witnessOf(definitions, source, breach),
  };
}

function counted(others: number): string {
  return others === 1 ? "1 other" : `${others} others`;
}
