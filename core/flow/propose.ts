import { allowingEdits } from "../adopt/allow.ts";
import { brokenBy } from "../adopt/breaks.ts";
import { textOf, withEdit, type FileEdit } from "../adopt/file.ts";
import { candidates } from "../explain/candidates.ts";
import { patchOf, type EditInputs } from "../explain/edit.ts";
import { knownAs, type KnownAs } from "../explain/known-as.ts";
import { verdictOf } from "../explain/pair.ts";
import { endReader } from "../guardrail/ends.ts";
import type { ConnectivityWorld } from "../guardrail/world.ts";
import { compareText, sortedTexts } from "../membership/order.ts";
import type { Definitions } from "../model/kinds.ts";
import { parseDefinitions } from "../model/parse.ts";
import type { SourceFile } from "../model/source.ts";
import type { Party } from "../reach/source.ts";
import type { Enforced } from "./enforced.ts";
import type { Coverage, FlowTable } from "./flow.ts";
import { gapsOf, lineOf, questionOf, type SeenLine } from "./ready.ts";
import { rulePortOf, rulePortText, seenOf, type Seen, type Unclear } from "./seen.ts";

/** Rules that are proposed at once; more are told, and come with the next run. */
const MOST_RULES = 200;

/** One rule of a proposal, with what it rests on. */
export interface ProposedRule {
  readonly from: readonly string[];
  readonly to: string;
  readonly ports: readonly string[];
  /** What the edit does: `adds a rule to the policy order-flow of team-shop`. */
  readonly what: string;
  readonly file: string;
  /** Who answers for the policy that it is added to; null: a new one, which names nobody yet. */
  readonly owner: string | null;
  readonly count: number;
  readonly days: number;
  readonly last: string;
  /** One connection of those that it rests on. */
  readonly example: string;
  /** Workloads of the initiators' segments and how many of them were seen; the rest is opened because they are in the same segment. */
  readonly initiators: { readonly seen: number; readonly members: number };
  /** What to look at twice, each a sentence. */
  readonly marks: readonly string[];
}

/** The smallest set of rules that covers what was seen, and what is left. */
export interface Proposal {
  readonly enforced: readonly { readonly segment: string; readonly directions: readonly string[] }[];
  readonly rules: readonly ProposedRule[];
  /** For `git apply`; empty when nothing is needed. */
  readonly patch: string;
  /** Connections seen that need no rule: they pass as it is. */
  readonly covered: number;
  /** Seen, and denied with the proposal, too: a guardrail forbids it, or nothing can name its ends. */
  readonly denied: readonly (SeenLine & { readonly why: string })[];
  /** Seen, and nothing can be concluded from it. */
  readonly unclear: readonly Unclear[];
  readonly coverage: readonly Coverage[];
  readonly gaps: readonly string[];
}

interface Need {
  readonly one: Seen;
  readonly from: KnownAs;
  readonly to: KnownAs;
}

/** Services that send passwords or data in the clear (IANA's registry of port numbers). */
const PLAIN: ReadonlyMap<string, string> = new Map([
  ["21/tcp", "FTP"],
  ["23/tcp", "Telnet"],
  ["69/udp", "TFTP"],
  ["512/tcp", "rexec"],
  ["513/tcp", "rlogin"],
  ["514/tcp", "rsh"],
]);

/**
 * Rules for what was seen and would be denied with the given directions enforced.
 *
 * How it is made more general, and no further: an end is named by the smallest segment that holds it, so a rule is for every member of that
 * segment; ports are those that were seen between two segments; rules with the same responder and ports are one. Where no segment holds
 * an end, a new one is made of its labels, or of its address. A line that a guardrail forbids, or that breaks a test, is not made.
 * Connections that were always refused, or never answered, are no need. Two runs give the same text.
 *
 * @param world the world with these directions enforced
 */
export function proposalOf(world: ConnectivityWorld, inputs: EditInputs, enforced: Enforced, table: FlowTable): Proposal {
  const { seen, unclear } = seenOf(world.estate, table.flows);
  const denied: Proposal["denied"][number][] = [];
  const needs: Need[] = [];
  let covered = 0;
  for (const one of seen) {
    if (one.isRefused || !concerns(world, enforced, one)) continue;
    const verdict = verdictOf(world.enforceable, { port: rulePortOf(one) }, { from: one.initiator, to: one.responder });
    if (verdict === "allowed") {
      covered += 1;
      continue;
    }
    const why = (text: string): void => void denied.push({ ...lineOf(one), why: text });
    const question = questionOf(one);
    const [from, to] = [knownAs(world, question.from, one.initiator), knownAs(world, question.to, one.responder)];
    if (one.unanswered === one.count) why("nothing ever came back: its initiator may be made up");
    else if (verdict === "uncertain") why("nobody can say what the enforcer does with it");
    else if (typeof from === "string") why(from);
    else if (typeof to === "string") why(to);
    else needs.push({ one, from, to });
  }
  const made = makeRules(world, inputs, needs);
  return {
    enforced: [...enforced].map(([segment, directions]) => ({ segment, directions })),
    rules: made.rules,
    patch: patchBetween(inputs, made.files),
    covered,
    denied: [...denied, ...made.denied].sort((a, b) => compareText(`${a.to} ${a.from}`, `${b.to} ${b.from}`)),
    unclear,
    coverage: table.coverage,
    gaps: [...world.gaps, ...gapsOf(table)],
  };
}

function concerns({ definitions, estate }: ConnectivityWorld, enforced: Enforced, { initiator, responder }: Seen): boolean {
  const read = endReader(definitions, estate);
  const isIn = (segment: string, party: Party): boolean => party.kind === "workload" && read(segment).has(party.workload);
  return [...enforced].some(
    ([segment, directions]) =>
      (directions.includes("ingress") && isIn(segment, responder)) || (directions.includes("egress") && isIn(segment, initiator)),
  );
}

/** Rules with one responder and the same ports are one rule. */
function grouped(needs: readonly Need[]): readonly (readonly Need[])[] {
  const nameOf = (end: KnownAs): string => `${end.kind === "new" ? "new " : ""}${end.name}`;
  const pairs = [...Map.groupBy(needs, ({ from, to }) => `${nameOf(to)} ${nameOf(from)}`)];
  const portsOf = (list: readonly Need[]): string => sortedTexts(list.map(({ one }) => rulePortText(one))).join();
  const rules = Map.groupBy(pairs, ([key, list]) => {
    const [first] = list as [Need, ...Need[]]; // groups are never empty
    const isThere = first.from.kind === "segment" && first.to.kind === "segment";
    return isThere ? `${nameOf(first.to)} ${portsOf(list)}` : key;
  });
  return [...rules].sort(([a], [b]) => compareText(a, b)).map(([, list]) => list.flatMap(([, needed]) => needed));
}

function makeRules(world: ConnectivityWorld, inputs: EditInputs, needs: readonly Need[]) {
  const rules: ProposedRule[] = [];
  const denied: Proposal["denied"][number][] = [];
  let files = inputs.files;
  for (const group of separated(world, inputs, needs)) {
    const why = (text: string): void => group.forEach(({ one }) => denied.push({ ...lineOf(one), why: text }));
    if (rules.length >= MOST_RULES) {
      why(`a proposal has at most ${MOST_RULES} rules: merge it, and ask again`);
      continue;
    }
    const made = firstThatHolds(world, inputs, files, group);
    if (typeof made === "string") why(made);
    else {
      files = withEdit(files, made);
      rules.push(ruleOf(world, made, group));
    }
  }
  return { rules, denied, files };
}

/** Rules of one responder; a connection that alone can have no rule takes none away from the others. */
function separated(world: ConnectivityWorld, inputs: EditInputs, needs: readonly Need[]): readonly (readonly Need[])[] {
  return grouped(needs).flatMap((group) => {
    const isWhole = group.length === 1 || typeof firstThatHolds(world, inputs, inputs.files, group) !== "string";
    if (isWhole) return [group];
    const [impossible, possible] = partition(
      group,
      (need) => typeof firstThatHolds(world, inputs, inputs.files, [need]) === "string",
    );
    return [...grouped(possible), ...impossible.map((need) => [need])];
  });
}

function partition<Item>(items: readonly Item[], isFirst: (item: Item) => boolean): readonly [readonly Item[], readonly Item[]] {
  const first = items.filter(isFirst);
  return [first, items.filter((item) => !first.includes(item))];
}

/** The first edit that allows all of it and breaks nothing; or why there is none. */
function firstThatHolds(
  world: ConnectivityWorld,
  { view = (definitions) => definitions }: EditInputs,
  files: readonly SourceFile[],
  group: readonly Need[],
): FileEdit | string {
  const before = parseDefinitions(files, { allow: undefined }).definitions;
  if (before === undefined) return "the definitions hold errors"; // they were read before
  let broken: string | undefined;
  for (const edit of editsOf(view(before), files, group)) {
    const { definitions } = parseDefinitions(withEdit(files, edit), { allow: undefined });
    if (definitions === undefined) continue;
    // Targets stay as they are in this world: made up as applied, or as they were seen.
    const changed: Definitions = { ...view(definitions), clusters: world.definitions.clusters, fleets: world.definitions.fleets };
    const source = world.enforceableOf(changed);
    const isAllowed = group.every(
      ({ one }) => verdictOf(source, { port: rulePortOf(one) }, { from: one.initiator, to: one.responder }) === "allowed",
    );
    if (!isAllowed) continue;
    const [breaks] = brokenBy(world, { definitions: changed, source: world.intentOf(changed) });
    if (breaks === undefined) return edit;
    broken ??= breaks;
  }
  return broken ?? "no rule would allow it: it is closed for another reason";
}

function* editsOf(definitions: Definitions, files: readonly SourceFile[], group: readonly Need[]): Generator<FileEdit> {
  const [{ from, to }] = group as [Need, ...Need[]];
  const ports = sortedTexts(group.map(({ one }) => rulePortText(one)));
  if (from.kind === "segment" && to.kind === "segment") {
    yield* allowingEdits(definitions, files, { from: sortedTexts(group.map((need) => need.from.name)), to: [to.name], ports });
    return;
  }
  yield* candidates(definitions, files, stillNew(definitions, from), stillNew(definitions, to), ports.join(", "));
}

/** A segment that an earlier line of the proposal has made is there now. */
function stillNew(definitions: Definitions, end: KnownAs): KnownAs {
  return end.kind === "new" && definitions.segments.has(end.name) ? { kind: "segment", name: end.name } : end;
}

function ruleOf({ definitions, estate }: ConnectivityWorld, edit: FileEdit, group: readonly Need[]): ProposedRule {
  const [first] = group as [Need, ...Need[]];
  const from = sortedTexts(group.map((need) => need.from.name));
  const ports = sortedTexts(group.map(({ one }) => rulePortText(one)));
  const read = endReader(definitions, estate);
  const there = from.filter((name) => definitions.segments.has(name));
  const members = new Set(
    estate.workloads.filter((workload) => there.some((name) => read(name).has(workload))).map(({ name }) => name),
  );
  const seen = new Set(group.map(({ one }) => lineOf(one).from));
  const lines = group.map(({ one }) => one);
  const last = Math.max(...lines.map((one) => one.last));
  const [example] = lines.map(lineOf).sort((a, b) => b.count - a.count || compareText(a.from, b.from));
  const days = new Set(lines.flatMap((one) => one.days)).size;
  return {
    from,
    to: first.to.name,
    ports,
    what: edit.what,
    file: edit.path,
    owner: [...definitions.policies.values()].find(({ at }) => at.file === edit.path)?.owner ?? null,
    count: lines.reduce((sum, one) => sum + one.count, 0),
    days,
    last: new Date(last).toISOString(),
    example:
      example === undefined
        ? ""
        : `${example.from} → ${example.to}: ${example.port}, ${example.count} ${example.count === 1 ? "time" : "times"}`,
    initiators: { seen: seen.size, members: Math.max(members.size, seen.size) },
    marks: [
      ...ports.flatMap((port) => (PLAIN.has(port) ? [`${port} is ${PLAIN.get(port)}, which sends passwords in the clear`] : [])),
      ...(days === 1 ? ["seen on one day only"] : []),
      ...group
        .flatMap(({ from: end }) =>
          end.kind === "new" ? [`no segment held ${end.name}: it is made of its labels or address`] : [],
        )
        .slice(0, 1),
    ],
  };
}

/** All files that parted, as one patch. */
function patchBetween({ files: before, patchPath }: EditInputs, after: readonly SourceFile[]): string {
  return sortedTexts(after.map(({ path }) => path))
    .flatMap((path) => {
      const [old, young] = [textOf(before, path) ?? "", textOf(after, path) ?? ""];
      return old === young ? [] : [patchOf(patchPath(path), old, young)];
    })
    .join("");
}
