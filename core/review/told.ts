import type { Severity } from "../finding/finding.ts";
import { destinationsOf } from "../notify/route.ts";
import { ownersOf, teamsOfSegment } from "../notify/team.ts";
import type { Definitions, Policy, Route } from "../model/kinds.ts";
import { listTargets } from "../model/target.ts";
import { said } from "../revision/said.ts";
import { matches, type Labels } from "../selector/index.ts";

/** Something whose incidents reach fewer people than before, because somebody else owns it now. */
export interface ToldLess {
  readonly kind: "Policy" | "Guardrail" | "Segment";
  readonly name: string;
  /** Who owned it, and who does; sorted. */
  readonly was: readonly string[];
  readonly now: readonly string[];
}

const SEVERITIES: readonly Severity[] = ["critical", "high", "medium", "low", "info"];

/** Stands for every channel that no route names. */
const OTHERS = "*";

/**
 * What other owners take off a route, as long as the routes themselves are the same (those are told).
 *
 * A policy and a guardrail have one owner; a segment has those of the policies towards it; a rule that went to another policy, for example
 * because that was renamed, has another one. Somebody who is told besides is no loss.
 */
export function toldLess(before: Definitions, after: Definitions): readonly ToldLess[] {
  const { routes } = before.workspace;
  if (!routes.some(({ match }) => match.teams.length > 0) || said(routes) !== said(after.workspace.routes)) return [];
  const audience = new Audience(
    routes,
    listTargets(before).map(({ labels }) => labels),
  );
  const isLess = ({ was, now }: ToldLess): boolean => audience.loses(was, now);
  const kept = <T extends { readonly name: string }>(some: ReadonlyMap<string, T>, others: ReadonlyMap<string, T>) =>
    [...some.values()].flatMap((was) => {
      const now = others.get(was.name);
      return now === undefined ? [] : [[was, now] as const];
    });
  const named = [
    ...kept(before.policies, after.policies).map(([was, now]) => ({
      kind: "Policy" as const,
      name: was.name,
      was: ownersOf([was]),
      now: ownersOf([now]),
    })),
    ...moved(before, after),
    ...kept(before.guardrails, after.guardrails).map(([was, now]) => ({
      kind: "Guardrail" as const,
      name: was.name,
      was: ownersOf([was]),
      now: ownersOf([now]),
    })),
    ...kept(before.segments, after.segments).flatMap(([{ name }]) => {
      const [was, now] = [teamsOfSegment(before, name), teamsOfSegment(after, name)];
      // The first policy towards it, and one that is taken away, are said in connections.
      return was.length > 0 && now.some((team) => !was.includes(team)) ? [{ kind: "Segment" as const, name, was, now }] : [];
    }),
  ];
  const found = new Map(named.filter(isLess).map((one) => [`${one.kind} ${one.name}`, one]));
  return [...found.values()];
}

/** Policies that are gone, whose rules stand in one that is new or has more rules now. */
function moved(before: Definitions, after: Definitions): readonly ToldLess[] {
  const gone = [...before.policies.values()].filter(({ name }) => !after.policies.has(name));
  if (gone.length === 0) return [];
  const takers = new Map<string, Policy[]>();
  for (const policy of after.policies.values()) {
    const had = new Set(pairsOf(before.policies.get(policy.name)));
    for (const pair of pairsOf(policy)) if (!had.has(pair)) takers.set(pair, [...(takers.get(pair) ?? []), policy]);
  }
  return gone.flatMap((policy) => {
    const into = [...new Set(pairsOf(policy).flatMap((pair) => takers.get(pair) ?? []))];
    return into.length === 0 ? [] : [{ kind: "Policy" as const, name: policy.name, was: ownersOf([policy]), now: ownersOf(into) }];
  });
}

function pairsOf(policy: Policy | undefined): readonly string[] {
  return (policy?.rules ?? []).flatMap(({ from, to }) => from.flatMap((a) => to.map((b) => `${a} ${b}`)));
}

/** Who is told of incidents, by their teams. */
class Audience {
  readonly #routes: readonly Route[];
  readonly #labels: readonly Labels[];
  readonly #channels: readonly string[];
  readonly #known = new Map<string, ReadonlySet<string>>();

  constructor(routes: readonly Route[], labels: readonly Labels[]) {
    this.#routes = routes;
    // Targets that no route tells apart are one.
    const isChosen = (of: Labels): readonly boolean[] =>
      routes.map(({ match }) => match.targets === undefined || matches(match.targets, of));
    this.#labels = [...new Map([{}, ...labels].map((of) => [said(isChosen(of)), of])).values()];
    this.#channels = [...new Set([...routes.flatMap(({ channels }) => channels), OTHERS])];
  }

  /** True when some incident that was told somewhere, in some way, is not told there in that way any more. */
  loses(was: readonly string[], now: readonly string[]): boolean {
    if (said(was) === said(now)) return false;
    const after = this.#of(now);
    return [...this.#of(was)].some((place) => !after.has(place));
  }

  #of(teams: readonly string[]): ReadonlySet<string> {
    const key = said(teams);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const places = new Set<string>();
    for (const severity of SEVERITIES) {
      for (const [index, targetLabels] of this.#labels.entries()) {
        const incident = { severity, kind: "", target: "", targetLabels, teams, cause: "" };
        for (const { channel, route } of destinationsOf(this.#routes, incident, this.#channels))
          places.add(`${severity} ${index} ${channel} ${this.#routes.indexOf(route)}`);
      }
    }
    this.#known.set(key, places);
    return places;
  }
}
