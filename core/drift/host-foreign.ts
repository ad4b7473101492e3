import type { HostObservation } from "../observed/observation.ts";
import { FAMILY, TABLE } from "../render/nft-names.ts";
import type { NftRuleset } from "../render/nft.ts";
import { isRecord } from "../render/nft-table.ts";
import type { Finding, FindingEffect, FindingKind } from "../finding/finding.ts";
import { fingerprintOf } from "../finding/fingerprint.ts";
import { isWider, NOT_COMPARED, NOT_COMPARED_WORDS, severityOf, UNCERTAIN } from "./host-effect.ts";
import type { FoundOnHost, HostJudge, Judged } from "./host-effect.ts";
import { filterEffect } from "./host-filter.ts";
import { natEffect } from "./host-nat.ts";
import { writersOf } from "./host-writers.ts";
import type { ForeignChain, ForeignTable, ForeignObject } from "./foreign-chain.ts";

/**
 * What other tables of the host do to what ours says: reported, never removed.
 *
 * An accept elsewhere does not open what we drop, so tables that only accept are told as information; a drop elsewhere closes what we
 * accept; address translation can lead past us, because our input chain sees the port after it.
 */
export function compareForeign(observation: HostObservation, judge: HostJudge): readonly FoundOnHost[] {
  const chains = foreignChains(observation.ruleset).flatMap((chain) => {
    const judged = judgeChain(chain, judge);
    return judged === undefined ? [] : [finding(observation, judged.kind, chainSubject(chain), judged.summary, judged.effect)];
  });
  const flowtables = foreignFlowtables(observation.ruleset).map((subject) =>
    finding(observation, "foreign-chain", subject, `${subject} may carry packets past the filter`, UNCERTAIN),
  );
  const unread = foreignObjects(observation.ruleset)
    .filter(({ kind }) => kind === "unread")
    .map(({ body }) => `table ${plainName(String(body["family"]))} ${plainName(String(body["table"]))}`)
    .map((subject) =>
      finding(observation, "foreign-chain", subject, `${subject} cannot be listed: what it does is not known`, UNCERTAIN),
    );
  const legacy = observation.legacyTables.map((table) =>
    finding(
      observation,
      "foreign-chain",
      `iptables-legacy ${table}`,
      `iptables-legacy table ${table} is in use: nft cannot list it`,
      UNCERTAIN,
    ),
  );
  return [...chains, ...flowtables, ...unread, ...legacy];
}

function finding(
  { target }: HostObservation,
  kind: FindingKind,
  subject: string,
  summary: string,
  judged: FindingEffect | Judged,
): FoundOnHost {
  const isNotCompared = "isNotCompared" in judged && judged.isNotCompared;
  const { verdict, opened, closed } = judged;
  const effect = { verdict, opened, closed };
  const finding: Finding = {
    fingerprint: fingerprintOf(kind, target, subject),
    kind,
    target,
    subject,
    severity: isNotCompared ? "high" : severityOf(effect, true),
    summary: isNotCompared ? `${summary} (${NOT_COMPARED_WORDS})` : summary,
    effect,
    who: undefined,
    at: undefined,
    healable: false,
    widens: isNotCompared || isWider(effect),
    foreign: true,
  };
  return { finding, isNotCompared };
}

function judgeChain(
  chain: ForeignChain,
  judge: HostJudge,
): { readonly kind: FindingKind; readonly summary: string; readonly effect: FindingEffect | Judged } | undefined {
  const subject = chainSubject(chain);
  const isEmpty = chain.rules.length === 0 && chain.policy !== "drop";
  if (isEmpty || chain.hook === "forward") return undefined; // forwarded packets are not the host's
  if (chain.type === "nat") return { kind: "foreign-nat", ...natEffect(chain, named(chain, subject), judge) };
  const kind = "foreign-chain";
  // Each base chain looks through all of its table, and a table may hold any number of them.
  if (!judge.affords(24 * chain.within.objects.length))
    return { kind, summary: `${subject} has rules of somebody else`, effect: NOT_COMPARED };
  const rules = rulesOf(chain);
  return { kind, ...filterEffect({ chain, rules, subject: named(chain, subject) }, judge, () => joined(judge.expected, chain)) };
}

/** Expressions of every rule that the chain may reach. */
function rulesOf(chain: ForeignChain): readonly (readonly unknown[])[] {
  return chain.within.objects.flatMap(({ kind, body }) =>
    kind === "rule" && !isOtherBase(chain, body) && Array.isArray(body["expr"]) ? [body["expr"]] : [],
  );
}

/** The subject, with who writes such a table, where its names tell. */
function named(chain: ForeignChain, subject: string): string {
  const writers = writersOf(chain);
  return writers.length === 0 ? subject : `${subject} (${writers.join(", ")})`;
}

/** True for a rule of another base chain of the same table. */
function isOtherBase({ name, within }: ForeignChain, rule: Readonly<Record<string, unknown>>): boolean {
  return rule["chain"] !== name && within.baseChains.has(String(rule["chain"]));
}

/** Our table with the foreign base chain hooked in beside ours: a packet passes only if both let it. */
function joined(expected: NftRuleset, chain: ForeignChain): readonly unknown[] {
  const theirs = chain.within.objects
    .filter(({ kind, body }) => kind !== "table" && !(kind === "rule" && isOtherBase(chain, body)))
    .filter(({ kind, body }) => !(kind === "chain" && body["hook"] !== undefined && body["name"] !== chain.name))
    .map(({ kind, body }) => ({ [kind]: moved(kind, body) }));
  return [
    ...expected,
    ...theirs.filter((object) => "chain" in object),
    ...onlyFamily(chain),
    ...theirs.filter((object) => !("chain" in object)),
  ];
}

/** A table of one family does not see the other one. */
function onlyFamily({ family, name }: ForeignChain): readonly unknown[] {
  const other = family === "ip" ? "ipv6" : family === "ip6" ? "ipv4" : undefined;
  if (other === undefined) return [];
  const match = { match: { op: "==", left: { meta: { key: "nfproto" } }, right: other } };
  return [{ rule: { family: FAMILY, table: TABLE, chain: away(name), expr: [match, { accept: null }] } }];
}

function moved(kind: string, body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const place = { ...body, family: FAMILY, table: TABLE };
  if (kind !== "rule") return renamed({ ...place, name: away(String(body["name"])) });
  return renamed({ ...place, chain: away(String(body["chain"])) });
}

function renamed(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(body).map(([key, value]) => [key, renameWithin(key, value)]));
}

/** References follow their objects to their new names: `@set`, and the targets of jumps. */
function renameWithin(key: string, value: unknown): unknown {
  if (typeof value === "string") return value.startsWith("@") ? `@${away(value.slice(1))}` : key === "target" ? away(value) : value;
  if (Array.isArray(value)) return value.map((inner) => renameWithin(key, inner));
  return isRecord(value) ? renamed(value) : value;
}

/** A name that none of ours has. */
function away(name: string): string {
  return `~${name}`;
}

function chainSubject({ family, table, name }: ForeignChain): string {
  return `chain ${plainName(family)} ${plainName(table)} ${plainName(name)}`;
}

/** Names in other tables are somebody else's text. */
function plainName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._/-]/g, "?").slice(0, 64);
}

function foreignChains(listing: readonly unknown[]): readonly ForeignChain[] {
  const objects = foreignObjects(listing);
  const tables = new Map(
    [...Map.groupBy(objects, tableKey)].map(([key, inTable]): readonly [string, ForeignTable] => [key, foreignTable(inTable)]),
  );
  return objects.flatMap((object) => {
    const { family, table, name, hook, type, policy } = object.body;
    const within = tables.get(tableKey(object));
    if (object.kind !== "chain" || typeof hook !== "string" || within === undefined) return [];
    const texts = {
      family: String(family),
      table: String(table),
      name: String(name),
      hook,
      type: String(type),
      policy: String(policy),
    };
    return [{ ...texts, rules: within.rulesOf.get(texts.name) ?? [], within }];
  });
}

function tableKey({ kind, body }: ForeignObject): string {
  return `${String(body["family"])} ${String(kind === "table" ? body["name"] : body["table"])}`;
}

function foreignTable(inTable: readonly ForeignObject[]): ForeignTable {
  const objects = inTable.filter(({ kind }) => kind !== "table");
  const chains = objects.filter(({ kind, body }) => kind === "chain" && body["hook"] !== undefined);
  const rules = objects.flatMap(({ kind, body }) => {
    const { chain, expr } = body;
    return kind === "rule" && Array.isArray(expr) ? [{ chain: String(chain), expr: expr as readonly unknown[] }] : [];
  });
  const byChain = [...Map.groupBy(rules, ({ chain }) => chain)];
  return {
    objects,
    baseChains: new Set(chains.map(({ body }) => String(body["name"]))),
    rulesOf: new Map(byChain.map(([chain, list]) => [chain, list.map(({ expr }) => expr)])),
  };
}

function foreignFlowtables(listing: readonly unknown[]): readonly string[] {
  return foreignObjects(listing)
    .filter(({ kind }) => kind === "flowtable")
    .map(
      ({ body }) =>
        `flowtable ${plainName(String(body["family"]))} ${plainName(String(body["table"]))} ${plainName(String(body["name"]))}`,
    );
}

function foreignObjects(listing: readonly unknown[]): readonly ForeignObject[] {
  return listing.flatMap((object) =>
    Object.entries(isRecord(object) ? object : {}).flatMap(([kind, body]): readonly ForeignObject[] => {
      if (!isRecord(body) || kind === "metainfo") return [];
      const isOurs = body["family"] === FAMILY && (kind === "table" ? body["name"] : body["table"]) === TABLE;
      return isOurs ? [] : [{ kind, body }];
    }),
  );
}
