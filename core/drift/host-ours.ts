import type { HostObservation } from "../observed/observation.ts";
import { elementsOf, tableDigest } from "../render/nft-canonical.ts";
import { elementText } from "../render/nft-elements.ts";
import { FAMILY, TABLE } from "../render/nft-names.ts";
import type { NftRuleset } from "../render/nft.ts";
import { isRecord, readTable } from "../render/nft-table.ts";
import type { ListedTable } from "../render/nft-table.ts";
import { NO_EFFECT } from "../finding/finding.ts";
import type { Finding, FindingKind } from "../finding/finding.ts";
import { fingerprintOf } from "../finding/fingerprint.ts";
import { isWider, NOT_COMPARED_WORDS, severityOf, UNCERTAIN } from "./host-effect.ts";
import type { FoundOnHost, HostJudge, Judged } from "./host-effect.ts";
import { describeChange } from "./host-words.ts";

const SUBJECT = "table inet firebreak";

/** One divergence of our own table. */
interface Divergence {
  readonly kind: FindingKind;
  readonly subject: string;
  readonly summary: string;
  readonly judged: Judged;
}

/** How our table on a host differs from what was published to it; all of it is undone by an apply. */
export function compareOurs(observation: HostObservation, judge: HostJudge): readonly FoundOnHost[] {
  return divergences(observation.ruleset, judge).map(({ kind, subject, summary, judged }) => {
    const { isNotCompared, ...effect } = judged;
    const finding: Finding = {
      fingerprint: fingerprintOf(kind, observation.target, subject),
      kind,
      target: observation.target,
      subject,
      severity: isNotCompared ? "critical" : severityOf(effect, false),
      summary: isNotCompared ? `${summary} (${NOT_COMPARED_WORDS})` : summary,
      effect,
      who: undefined,
      at: undefined,
      healable: true,
      // What cannot be told may open, and it is ours: it is healed as what opens is.
      widens: isWider(effect) || effect.verdict === "uncertain",
      foreign: false,
    };
    return { finding, isNotCompared };
  });
}

function divergences(listing: readonly unknown[], judge: HostJudge): readonly Divergence[] {
  const live = readTable(listing);
  const want = readTable(judge.expected);
  if (want === undefined) return [];
  if (live === undefined) {
    const judged = judge.effectOf([]);
    return [{ kind: "table-missing", subject: SUBJECT, summary: "table inet firebreak is gone: nothing is enforced", judged }];
  }
  if (isUnread(live)) {
    const told = dormancy(listing, live, judge);
    const judged = { ...UNCERTAIN, isNotCompared: false };
    return told.length > 0
      ? told
      : [{ kind: "ruleset-changed", subject: SUBJECT, summary: "table inet firebreak cannot be listed", judged }];
  }
  return [...dormancy(listing, live, judge), ...changedRules(listing, live, want, judge), ...changedSets(live, want, judge)];
}

/** True when nft broke off before its content: only its flags, fence and mark are known. */
function isUnread({ others }: ListedTable): boolean {
  return others.some((object) => isRecord(object) && "unread" in object);
}

/** Any flag will do: nft 1.0.6 prints them wrongly in JSON, and a table of ours has none. */
function dormancy(listing: readonly unknown[], live: ListedTable, judge: HostJudge): readonly Divergence[] {
  if (live.flags === undefined) return [];
  const judged = judge.effectOf(withTableFlags(listing, ["dormant"]));
  return [
    { kind: "dormant", subject: SUBJECT, summary: "table inet firebreak is dormant: listed in full, enforced not at all", judged },
  ];
}

function changedRules(listing: readonly unknown[], live: ListedTable, want: ListedTable, judge: HostJudge): readonly Divergence[] {
  const changes = describeChange(want, live);
  if (changes.length === 0) return [];
  const isStructural = tableDigest(want) !== tableDigest({ ...live, flags: undefined });
  const judged = isStructural ? judge.effectOf(withTableFlags(listing, undefined)) : { ...NO_EFFECT, isNotCompared: false };
  return [
    { kind: "ruleset-changed", subject: SUBJECT, summary: `table inet firebreak was changed: ${changes.join("; ")}`, judged },
  ];
}

/** Address sets that hold something else than what was published; each judged alone, within the expected rules. */
function changedSets(live: ListedTable, want: ListedTable, judge: HostJudge): readonly Divergence[] {
  const published = elementsOf(want);
  return [...elementsOf(live)].flatMap(([name, elements]): readonly Divergence[] => {
    const known = published.get(name);
    if (known === undefined || sameTexts(known, elements)) return [];
    const extra = without(elements, known);
    const missing = without(known, elements);
    const judged = judge.effectOf(withElements(judge.expected, name, live.sets.get(name)?.elem ?? []));
    const words = [...phrase(extra, "nobody published"), ...phrase(missing, "taken out")];
    const kind = extra.length > 0 ? "unpublished-element" : "ruleset-changed";
    return [{ kind, subject: `set ${name}`, summary: `set ${name}: ${words.join("; ")}`, judged }];
  });
}

function without(texts: readonly string[], others: readonly string[]): readonly string[] {
  const left = new Set(others);
  return texts.filter((text) => !left.has(text));
}

function phrase(texts: readonly string[], what: string): readonly string[] {
  if (texts.length === 0) return [];
  const shown = texts.slice(0, 3).join(", ");
  return [texts.length <= 3 ? `${shown} ${what}` : `${shown} and ${texts.length - 3} more ${what}`];
}

/** A ruleset of ours with other elements in one of its address sets. */
export function withElements(ruleset: NftRuleset, name: string, elem: readonly unknown[]): readonly unknown[] {
  return ruleset.map((object) =>
    "set" in object && object.set.name === name ? { set: { ...object.set, elem: elem.map(plain) } } : object,
  );
}

/** An element without time-out and comment, in a spelling that the verdict reads. */
function plain(element: unknown): unknown {
  if (!isRecord(element) || !isRecord(element["elem"])) return typeof element === "string" ? elementText(element) : element;
  return element["elem"]["val"];
}

function withTableFlags(listing: readonly unknown[], flags: readonly string[] | undefined): readonly unknown[] {
  return listing.map((object) => {
    if (!isRecord(object) || !isRecord(object["table"])) return object;
    const { flags: _, ...table } = object["table"];
    if (table["family"] !== FAMILY || table["name"] !== TABLE) return object;
    return { table: flags === undefined ? table : { ...table, flags } };
  });
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}
