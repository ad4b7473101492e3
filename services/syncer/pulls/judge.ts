import { randomUUID } from "node:crypto";
import { listPullRows } from "../../../adapters/store/index.ts";
import type { Forge, PullRequest } from "../../../core/forge/forge.ts";
import { FirebreakError } from "../../../core/ground/error.ts";
import type { ApprovalRules, Definitions } from "../../../core/model/kinds.ts";
import type { SourceFile } from "../../../core/model/source.ts";
import type { Approval } from "../../../core/review/approvals.ts";
import { isSameFiles, mergeFiles } from "../../../core/review/merge.ts";
import { safeguardChanges } from "../../../core/review/safeguards.ts";
import type { RevisionProblem } from "../../../core/revision/judge.ts";
import { plain } from "../../../core/ground/inert.ts";
import type { SyncerContext } from "../context.ts";
import { approvalsOf } from "./approvals.ts";

/** More commits than this between two revisions are looked through by a person. */
const MOST_COMMITS = 200;
/** A rebase of more commits is not told from commits that somebody pushed. */
const MOST_REBASED = 50;

/** How what is new in the branch came there. */
export interface MergeJudgement {
  readonly problems: readonly RevisionProblem[];
  /** Pull requests that it came by, with who approved their heads; for the log. */
  readonly merged: readonly { readonly pull: PullRequest; readonly approvals: readonly Approval[] }[];
}

const NOTHING: MergeJudgement = { problems: [], merged: [] };

/** What judging merges takes of the syncer. */
export type MergeParts = Pick<
  SyncerContext,
  "store" | "trail" | "facts" | "signal" | "settings" | "repository" | "inForce" | "forge" | "definitions"
>;

/**
 * Judges how definitions came into the branch since the revision in force, by the rule of that revision: each commit of the branch's own
 * line that changes definitions must be the merge (or squash, or rebase) of a pull request, whose head was approved often enough, is
 * not on hold, and says what the merge says. Often enough is more often for one that changes how changes are judged.
 *
 * @throws FirebreakError of the forge or of Git: what could not be asked is not approved, and is asked again
 */
export async function judgeMerges(parts: MergeParts, commit: string): Promise<MergeJudgement> {
  const { inForce, forge, store, facts, repository, signal } = parts;
  if (inForce === undefined) return NOTHING;
  const isHeld = facts.holdsAny() || (await listPullRows(store)).some(({ held }) => held !== null);
  const rule = await ruleFor(parts, inForce.definitions, commit);
  const isAsked = rule.required > 0 || rule.forRules > 0;
  if (!isAsked && !isHeld) return NOTHING;
  if (forge === undefined) return isAsked ? refused(commit, [NO_FORGE]) : NOTHING;
  if (!(await repository.isAncestor(inForce.commit, commit, signal))) return NOTHING; // a rewritten branch is refused as such
  const walk = new Walk({ ...parts, forge }, rule, inForce.commit);
  const { texts, merged } = await walk.judge(commit);
  return { ...refused(commit, texts), merged };
}

/**
 * The rule in force; where all that came changes no safeguard, with as many approvals for one step as for another: what one commit takes
 * away and the next gives back was never in force.
 */
async function ruleFor({ definitions, signal }: MergeParts, inForce: Definitions, commit: string): Promise<ApprovalRules> {
  const rule = inForce.workspace.approvals;
  if (rule.forRules === rule.required) return rule;
  const { definitions: candidate } = await definitions.read(commit, signal);
  const isChanged = candidate === undefined || safeguardChanges(inForce, candidate).length > 0;
  return isChanged ? rule : { ...rule, forRules: rule.required };
}

/**
 * The same as a judgement also where a commit on the way is too large to be read: that is its author's to mend, and no failure to try
 * again. When a person accepts the commit anyway, what could not be asked is told, and passed.
 */
export async function judgeMergesFor(parts: MergeParts, commit: string, isAccepted: boolean): Promise<MergeJudgement> {
  try {
    return await judgeMerges(parts, commit);
  } catch (error) {
    if (error instanceof FirebreakError && error.code === "LIMIT_EXCEEDED")
      return refused(commit, [`A commit since the revision in force cannot be judged: ${error.message}.`]);
    if (!isAccepted || !(error instanceof FirebreakError)) throw error;
    return refused(commit, [`Nobody could be asked for approvals (${error.code}: ${error.message}).`]);
  }
}

const NO_FORGE = "The Workspace in force asks for approvals, and firebreak.yaml names no forge to read them from.";

function refused(commit: string, texts: readonly string[]): MergeJudgement {
  const problems = texts.map((text, index) => ({
    code: "REVISION_UNAPPROVED" as const,
    message: index < texts.length - 1 ? text : `${text} To take it as it is, run: firebreak accept ${commit}`,
  }));
  return { problems, merged: [] };
}

/** One walk down the branch's own line. */
class Walk {
  readonly #parts: MergeParts & { readonly forge: Forge };
  readonly #rule: ApprovalRules;
  readonly #from: string;
  readonly #files = new Map<string, readonly SourceFile[]>();
  /** No file of a commit can hold it: what stands in for one that is too large is like nothing else. */
  readonly #standIn = randomUUID();

  constructor(parts: MergeParts & { readonly forge: Forge }, rule: ApprovalRules, from: string) {
    this.#parts = parts;
    this.#rule = rule;
    this.#from = from;
  }

  async judge(to: string): Promise<{ readonly texts: readonly string[]; readonly merged: MergeJudgement["merged"] }> {
    const { repository, signal } = this.#parts;
    const line = await repository.log(this.#from, to, signal, MOST_COMMITS + 1);
    if (line.length > MOST_COMMITS) return { texts: [`More than ${MOST_COMMITS} commits came at once.`], merged: [] };
    const texts: string[] = [];
    const merged: MergeJudgement["merged"][number][] = [];
    for (let at = 0; at < line.length;) {
      const found = await this.#judgeAt(line, at);
      texts.push(...found.texts);
      if (found.merged !== undefined) merged.push(found.merged);
      at += found.covers;
    }
    return { texts, merged };
  }

  async #judgeAt(line: readonly LineCommit[], at: number): Promise<Judged> {
    const { forge, settings, signal } = this.#parts;
    const { commit, parents } = line[at] as LineCommit; // the caller stays inside
    const parent = parents[0];
    if (parent === undefined || (await this.#isSame(parent, commit))) return { texts: [], covers: 1 };
    const { branch } = settings.repository;
    const pull = await forge.readMerged(commit, signal);
    if (pull === undefined || pull.base.ref !== branch) {
      const text = `Commit ${commit.slice(0, 12)} changes definitions and came into ${branch} by no pull request.`;
      return { texts: (await this.#required(parent, commit)) === 0 ? [] : [text], covers: 1 };
    }
    const covers = await this.#covers(line, at, pull);
    if (covers === 0) {
      const text = `What commit ${commit.slice(0, 12)} put on ${branch} is not what the head of pull request #${pull.number} says merged.`;
      return { texts: [text], covers: 1 };
    }
    const base = line[at + covers - 1]?.parents[0] ?? parent;
    return { ...(await this.#judgePull(pull, base, commit)), covers };
  }

  /** Approvals that it takes to come from the one commit to the other. What cannot be read may change anything. */
  async #required(before: string, after: string): Promise<number> {
    const { required, forRules } = this.#rule;
    if (required === forRules) return required;
    const { definitions, signal } = this.#parts;
    const was = (await definitions.read(before, signal)).definitions;
    const will = (await definitions.read(after, signal)).definitions;
    const isSure = was !== undefined && will !== undefined && safeguardChanges(was, will).length === 0;
    return isSure ? required : forRules;
  }

  async #judgePull(pull: PullRequest, base: string, merge: string): Promise<Omit<Judged, "covers">> {
    const { forge, store, trail, facts, signal } = this.#parts;
    // The log tells of every hold and of its end: a row that somebody took out of the store lets nothing in.
    const row = (await listPullRows(store)).find(({ number }) => number === pull.number);
    const held = row?.held ?? facts.hold(pull.number) ?? null;
    const required = await this.#required(base, merge);
    const state = await approvalsOf({ forge, store, trail, signal }, { ...this.#rule, required }, pull, base);
    const texts: string[] = [];
    if (held !== null)
      texts.push(
        `Pull request #${pull.number} is on hold by ${plain(held.by)}${held.reason === "" ? "" : ` (${held.reason})`}; /firebreak approve PLAN there lifts it.`,
      );
    if (!state.isEnough) {
      const names = state.counted.length === 0 ? "" : ` (${state.counted.map(({ who }) => plain(who)).join(", ")})`;
      const head = pull.head.sha.slice(0, 12);
      texts.push(
        `Pull request #${pull.number} has ${state.counted.length} of ${state.required} approvals of its head ${head}${names}${required > this.#rule.required ? ", which it needs because it changes how changes are judged" : ""}${unknownText(state.unknown)}; they can still be given there.`,
      );
    }
    return { texts, merged: { pull, approvals: state.counted } };
  }

  /**
   * How many commits of the line a pull request accounts for: 1 for a merge and a squash, as many as it has for a rebase; 0 when none of
   * it is what merging its head gives, so that nothing slips in beside it.
   */
  async #covers(line: readonly LineCommit[], at: number, pull: PullRequest): Promise<number> {
    const { repository, forge, signal } = this.#parts;
    const { commit, parents } = line[at] as LineCommit;
    await repository.fetchPull(pull.number, pull.head.sha, signal);
    const counts = parents.length > 1 ? [1] : await this.#countsOf(forge, pull);
    for (const count of counts) {
      const before = line[at + count - 1]?.parents[0];
      const isLinear = count === 1 || line.slice(at, at + count).every((one) => one.parents.length === 1);
      if (before !== undefined && isLinear && (await this.#isMergeOf(before, pull.head.sha, commit))) return count;
    }
    return 0;
  }

  /** The most likely first: all of its commits, one, then what is in between (a rebase drops what is there already). */
  async #countsOf(forge: Forge, { number }: PullRequest): Promise<readonly number[]> {
    const commits = Math.min(await forge.countCommits(number, this.#parts.signal), MOST_REBASED);
    const between = Array.from({ length: Math.max(0, commits - 2) }, (_, index) => commits - 1 - index);
    return [...new Set([Math.max(1, commits), 1, ...between])];
  }

  /** True when merging `head` into `before` gives the definitions of `after`, file by file. */
  async #isMergeOf(before: string, head: string, after: string): Promise<boolean> {
    const { repository, signal } = this.#parts;
    const [common, ...others] = await repository.mergeBases(before, head, signal);
    if (common === undefined || others.length > 0) return false;
    const merged = mergeFiles(await this.#read(common), await this.#read(before), await this.#read(head));
    return merged.kind === "merged" && isSameFiles(merged.files, await this.#read(after));
  }

  async #isSame(a: string, b: string): Promise<boolean> {
    return isSameFiles(await this.#read(a), await this.#read(b));
  }

  /**
   * What is compared, not what comes into force: that is read whole, within its limits. So a file that is too large, and gone again, needs
   * no more than any other: who brought it and who took it away.
   */
  async #read(commit: string): Promise<readonly SourceFile[]> {
    const known = this.#files.get(commit);
    if (known !== undefined) return known;
    const files = await this.#parts.repository.readDefinitions(commit, this.#parts.signal, this.#standIn);
    this.#files.set(commit, files);
    return files;
  }
}

function unknownText(commits: number): string {
  return commits === 0
    ? ""
    : `, one of them because the forge knows no account for the author or committer of ${commits} of its commits, which may be an approver's own`;
}

interface LineCommit {
  readonly commit: string;
  readonly parents: readonly string[];
}

interface Judged {
  readonly texts: readonly string[];
  readonly merged?: MergeJudgement["merged"][number];
  /** Commits of the line that this is about, at least 1. */
  readonly covers: number;
}
