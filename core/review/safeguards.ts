import { responsesFor } from "../drift/respond.ts";
import { formatClaim } from "../guardrail/check.ts";
import type { Cluster, Definitions, GuardrailRule, HostFleet, Segment } from "../model/kinds.ts";
import { listTargets, type Target } from "../model/target.ts";
import { matches } from "../selector/index.ts";
import { Covers } from "./covers.ts";
import { said } from "../revision/said.ts";
import { toldLess, type ToldLess } from "./told.ts";

/**
 * Something that a change alters in how later changes are judged, in what is written where, or in what happens when something drifts.
 * None of it is a connection, so no list of connections shows it.
 */
export interface SafeguardChange {
  readonly kind: "Guardrail" | "Workspace" | "Cluster" | "HostFleet" | "Segment" | "Policy" | "File";
  /** Name of the definition; of a host `FLEET/HOST`; of a file its path; "" for the Workspace. */
  readonly name: string;
  /** As in YAML under `spec`; "" for the whole definition. A guardrail's claim is said as text. */
  readonly field: string;
  /** `narrowed`: it is about less than before · `changed`: it is another one, and nobody can say that it is about as much. */
  readonly how: "removed" | "narrowed" | "changed";
  /** In text; null: nothing. */
  readonly before: string | null;
  readonly after: string | null;
  /** Segments that a claim names and that may hold less than before; sorted. */
  readonly through: readonly string[];
}

/** Comparisons of claims that are not the same; beyond it a claim counts as changed. */
const MOST_COMPARED = 100_000;

/**
 * All safeguards that a change takes away, narrows or alters, in a fixed order.
 *
 * Of guardrails only what may be less than before is listed: one that is added or surely wider is not. Everything else is listed whichever
 * way it goes, and a field that is new in this program is listed until somebody says that it is harmless. Before the first revision
 * there is nothing to take away.
 */
export function safeguardChanges(before: Definitions | undefined, after: Definitions): readonly SafeguardChange[] {
  if (before === undefined) return [];
  return [
    ...guardrails(before, after),
    ...workspace(before, after),
    ...clusters(before, after),
    ...fleets(before, after),
    ...byLabels(before, after),
    ...segments(before, after),
    ...toldLess(before, after).map(ownersChange),
    ...attributes(before, after),
  ];
}

type Subject = Pick<SafeguardChange, "kind" | "name">;

function change(
  { kind, name }: Subject,
  field: string,
  how: SafeguardChange["how"],
  [before, after]: readonly [string | null, string | null],
  through: readonly string[] = [],
): SafeguardChange {
  return { kind, name, field, how, before, after, through };
}

function guardrails(before: Definitions, after: Definitions): readonly SafeguardChange[] {
  const covers = new Covers(before, after);
  const budget = { left: MOST_COMPARED };
  return [...before.guardrails.values()].flatMap((was) => {
    const subject = { kind: "Guardrail", name: was.name } as const;
    const now = after.guardrails.get(was.name);
    if (now === undefined) return [change(subject, "", "removed", [was.rules.map(formatClaim).join("; "), null])];
    const isSofter = was.severity === "block" && now.severity !== "block";
    const byId = new Map(now.rules.map((rule) => [rule.id, rule]));
    const byText = new Map(now.rules.map((rule) => [formatClaim(rule), rule]));
    return [
      ...(isSofter ? [change(subject, "severity", "changed", [was.severity, now.severity])] : []),
      ...was.rules.flatMap((rule) => {
        // The one that says the same, or stands in its place; only when neither is as wide, all others.
        const likely = [byText.get(formatClaim(rule)) ?? [], byId.get(rule.id) ?? []].flat();
        if (likely.some((other) => covers.claim(rule, other))) return [];
        const others = now.rules.slice(0, Math.max(0, budget.left));
        budget.left -= others.length;
        return others.some((other) => covers.claim(rule, other)) ? [] : [claimChange(subject, rule, likely[0], covers)];
      }),
    ];
  });
}

function claimChange(subject: Subject, was: GuardrailRule, now: GuardrailRule | undefined, covers: Covers): SafeguardChange {
  const isNarrower = now !== undefined && covers.reverse.claim(now, was);
  const how = now === undefined ? "removed" : isNarrower ? "narrowed" : "changed";
  const through = [...new Set([...was.from, ...was.to])].filter((name) => !covers.segment(name)).sort();
  return change(subject, was.kind, how, [formatClaim(was), now === undefined ? null : formatClaim(now)], through);
}

function workspace({ workspace: was }: Definitions, { workspace: now }: Definitions): readonly SafeguardChange[] {
  return fieldChanges({ kind: "Workspace", name: "" }, fieldsOf(was, ["kind", "at"]), fieldsOf(now, ["kind", "at"]));
}

function clusters(before: Definitions, after: Definitions): readonly SafeguardChange[] {
  const fields = (cluster: Cluster) => fieldsOf(cluster, ["kind", "at", "name", "labels"]);
  return [...before.clusters.values()].flatMap((was) => {
    const subject = { kind: "Cluster", name: was.name } as const;
    const now = after.clusters.get(was.name);
    return now === undefined
      ? [change(subject, "", "removed", [said(was.connection), null])]
      : fieldChanges(subject, fields(was), fields(now));
  });
}

function fleets(before: Definitions, after: Definitions): readonly SafeguardChange[] {
  const fields = (fleet: HostFleet) => fieldsOf(fleet, ["kind", "at", "name", "labels", "hosts"]);
  return [...before.fleets.values()].flatMap((was) => {
    const subject = { kind: "HostFleet", name: was.name } as const;
    const now = after.fleets.get(was.name);
    if (now === undefined) return [change(subject, "", "removed", [`${was.hosts.length} hosts`, null])];
    const hosts = new Map(now.hosts.map((host) => [host.name, host]));
    return [
      ...fieldChanges(subject, fields(was), fields(now)),
      ...was.hosts.flatMap((host) => {
        const one = { kind: "HostFleet", name: `${was.name}/${host.name}` } as const;
        const next = hosts.get(host.name);
        if (next === undefined) return [change(one, "", "removed", [said(host.addresses), null])];
        return fieldChanges(one, fieldsOf(host, ["at", "name", "labels"]), fieldsOf(next, ["at", "name", "labels"]));
      }),
    ];
  });
}

/** Labels of a target decide which drift responses and routes are its own. */
function byLabels(before: Definitions, after: Definitions): readonly SafeguardChange[] {
  const targets = new Map(listTargets(after).map((target) => [target.id, target]));
  const isSameRules = said(rulesByLabel(before)) === said(rulesByLabel(after));
  return listTargets(before).flatMap((was) => {
    const now = targets.get(was.id);
    if (now === undefined || !isSameRules) return []; // the rules themselves are told
    const subject =
      was.kind === "cluster" ? clusterSubject(was) : { kind: "HostFleet" as const, name: `${was.fleet.name}/${was.host.name}` };
    const pairs = [
      ["drift", said(responsesFor(before.workspace, was)), said(responsesFor(after.workspace, now))],
      ["routes", said(routesFor(before, was)), said(routesFor(after, now))],
    ] as const;
    return pairs.flatMap(([rule, a, b]) => (a === b ? [] : [change(subject, `labels (${rule})`, "changed", [a, b])]));
  });
}

function clusterSubject({ cluster }: Extract<Target, { kind: "cluster" }>): Subject {
  return { kind: "Cluster", name: cluster.name };
}

function rulesByLabel({ workspace: { drift, routes } }: Definitions) {
  return { drift, routes };
}

/** Numbers of the routes that may tell of a target, from 1. */
function routesFor({ workspace }: Definitions, target: Target): readonly number[] {
  return workspace.routes.flatMap(({ match }, index) =>
    match.targets === undefined || matches(match.targets, target.labels) ? [index + 1] : [],
  );
}

function ownersChange({ kind, name, was, now }: ToldLess): SafeguardChange {
  const text = (teams: readonly string[]): string | null => (teams.length === 0 ? null : teams.join(", "));
  return change({ kind, name }, kind === "Segment" ? "owners (routes)" : "owner (routes)", "changed", [text(was), text(now)]);
}

const STRENGTH = { off: 0, observe: 1, enforce: 2 } as const;

/** What a segment stops or watches, and does no more. That it begins to is said in connections. */
function segments(before: Definitions, after: Definitions): readonly SafeguardChange[] {
  return [...before.segments.values()].flatMap((was) => {
    const subject = { kind: "Segment", name: was.name } as const;
    const now: Segment | undefined = after.segments.get(was.name);
    const how = now === undefined ? "removed" : "changed";
    const directions = (["ingress", "egress"] as const).filter(
      (direction) => STRENGTH[now?.isolate[direction] ?? "off"] < STRENGTH[was.isolate[direction]],
    );
    return [
      ...(was.sealed && now?.sealed !== true ? [change(subject, "sealed", how, ["true", now === undefined ? null : "false"])] : []),
      ...directions.map((direction) =>
        change(subject, `isolate.${direction}`, how, [was.isolate[direction], now === undefined ? null : now.isolate[direction]]),
      ),
    ];
  });
}

/** Whoever writes them chooses what reviewers see of a file: another text than is read, or no difference at all. */
function attributes({ attributes: was }: Definitions, { attributes: now }: Definitions): readonly SafeguardChange[] {
  return [...new Set([...was.keys(), ...now.keys()])].sort().flatMap((name) => {
    const [a, b] = [was.get(name) ?? null, now.get(name) ?? null];
    return a === b ? [] : [change({ kind: "File", name }, "attributes", b === null ? "removed" : "changed", [cut(a), cut(b)])];
  });
}

const MOST_SHOWN = 1_000;

function cut(text: string | null): string | null {
  return text === null || text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}…`;
}

/** Fields in text, those of plain objects each by itself. */
function fieldsOf(definition: object, without: readonly string[]): ReadonlyMap<string, string> {
  const fields = Object.entries(definition).filter(([key]) => !without.includes(key));
  return new Map(
    fields.flatMap(([key, value]: [string, unknown]): readonly (readonly [string, string])[] =>
      isSettings(key, value)
        ? Object.entries(value).map(([inner, one]) => [`${key}.${inner}`, said(one)] as const)
        : [[key, said(value)]],
    ),
  );
}

/** Objects of settings that stand for themselves; others are one thing, such as a selector. */
function isSettings(key: string, value: unknown): value is object {
  return ["approvals", "limits", "essentials", "drift", "lifeline"].includes(key) && typeof value === "object" && value !== null;
}

function fieldChanges(
  subject: Subject,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly SafeguardChange[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names.flatMap((field) => {
    const [was, now] = [before.get(field) ?? null, after.get(field) ?? null];
    return was === now ? [] : [change(subject, field, now === null ? "removed" : "changed", [was, now])];
  });
}
