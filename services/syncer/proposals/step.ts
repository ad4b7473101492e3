import { recordProposal, type ProposalEnd, type ProposalMemory, type StoredProposal } from "../../../adapters/store/index.ts";
import { joinAdoptions } from "../../../core/finding/adoption.ts";
import type { AdoptingEdit } from "../../../core/adopt/edit.ts";
import { ownersOf, parseCodeowners } from "../../../core/forge/codeowners.ts";
import { markedBody } from "../../../core/forge/comment.ts";
import type { PullRequest } from "../../../core/forge/forge.ts";
import { sha256Hex } from "../../../core/membership/hash.ts";
import { FirebreakError } from "../../../core/ground/error.ts";
import { closingWords, proposalBody, proposalTitle, type Proposal } from "../../../core/text/proposal.ts";
import { withJitter } from "../../loop.ts";
import { cleanBranch, writeBranch } from "./branch.ts";
import { branchOf, type ProposalContext } from "./context.ts";
import { closingMarker, findPull, pullMarker, type FoundPull } from "./find.ts";

/** How often an open one is looked at without a reason: its base may have moved, a person may have closed it. */
const LOOK_AGAIN_MS = 30_000;
const MOVED_AGAIN_MS = 1_000;
const LABELS = ["firebreak", "drift"];

/**
 * Brings one proposal on: opens, updates or closes its pull request, whatever was done before.
 *
 * The forge is asked first and the store told last, so a process that ends anywhere finds by branch and marker what it did.
 */
export async function stepProposal(context: ProposalContext, stored: StoredProposal): Promise<void> {
  const row = asked(stored);
  const asking = row.members.filter(({ isResolved, isHealed }) => !isResolved || isHealed);
  if (row.state === "ended") return await recordProposal(context.store, row, { ...row, dueAt: undefined });
  const found = await findPull(context, row);
  switch (found.kind) {
    case "merged":
      return await end(context, row, found.pull, "merged");
    case "declined":
      return await end(context, row, found.pull, "declined");
    case "closed":
      if (asking.length === 0) return await end(context, row, found.pull, "gone");
      return await bring(context, row, asking, { kind: "none", past: [...(row.memory.past ?? []), found.pull.number] });
    case "none":
    case "open":
      if (asking.length === 0) return await close(context, row, found, "gone", undefined);
      return await bring(context, row, asking, found);
    default:
      return found satisfies never;
  }
}

/** One that ended while its finding came back is asked anew. */
function asked(row: StoredProposal): StoredProposal {
  const { number, past = [], commits = [], end: ended } = row.memory;
  if (row.state !== "ended" || ended === "declined" || row.members.every(({ isResolved }) => isResolved)) return row;
  return { ...row, state: "due", memory: { commits, past: number === undefined ? past : [...past, number] } };
}

type Bringable = Extract<FoundPull, { kind: "none" | "open" }>;

async function bring(
  context: ProposalContext,
  row: StoredProposal,
  asking: StoredProposal["members"],
  found: Bringable,
): Promise<void> {
  const { forge, base, signal, store, now } = context;
  const baseCommit = await forge.readBranch(base, signal);
  if (baseCommit === undefined) throw new FirebreakError("FORGE_FAILED", `there is no branch ${base} on the forge`);
  const adoption = joinAdoptions(asking.flatMap(({ finding }) => finding.adoption ?? []));
  const answer = await context.edit(baseCommit, adoption);
  if ("said" in answer) return await close(context, row, found, "said", undefined);
  if ("none" in answer) return await close(context, row, found, "unsayable", answer.none);
  const { edit } = answer;
  const pull = found.kind === "open" ? found.pull : undefined;
  const written = await writeBranch(context, row, pull, baseCommit, edit.files);
  if (written.kind === "moved") return await recordProposal(store, row, { ...row, dueAt: now() + MOVED_AGAIN_MS });
  if (written.kind === "touched" && pull === undefined) {
    const why = `others committed to ${branchOf(row.cause)}, and no pull request of ours is open`;
    return await recordProposal(store, row, { state: "ended", memory: { ...row.memory, end: "blocked", why }, dueAt: undefined });
  }
  const isTouched = written.kind === "touched";
  const memory: ProposalMemory = {
    ...row.memory,
    ...(found.kind === "none" && { past: found.past }),
    ...(written.kind === "written" && { paths: written.paths, commits: written.commits }),
    base: baseCommit,
  };
  const proposal = { opened: adoption.opened, closed: adoption.closed, edit, findings: findingsOf(row), isTouched };
  await tell(context, row, memory, proposal, written.kind === "written" && written.isChanged);
}

function findingsOf({ members }: StoredProposal): Proposal["findings"] {
  return members.map(({ finding, isResolved, isHealed }) => ({
    ...finding,
    state: isHealed ? "healed" : isResolved ? "gone" : "live",
  }));
}

/** Opens the pull request or makes it say this; a draft where it opens anything, or says more than is live. */
async function tell(
  context: ProposalContext,
  row: StoredProposal,
  memory: ProposalMemory,
  proposal: Proposal,
  isCommitted: boolean,
): Promise<void> {
  const { forge, base, signal, store, now, random } = context;
  const { edit, opened } = proposal;
  const title = proposalTitle(proposal);
  const body = markedBody(pullMarker(row.cause), proposalBody(proposal));
  const digest = sha256Hex(JSON.stringify([title, body])).slice(0, 16);
  const isDraft = opened.length > 0 || edit.elsewhere.opened.length > 0 || edit.elsewhere.closed.length > 0;
  const wish = { title, body, head: branchOf(row.cause), base, isDraft, labels: LABELS };
  const { pull, isNew } = await forge.openPull(wish, signal);
  const isChanged = !isNew && digest !== memory.digest;
  // Whether it is a draft still is a person's matter once it is open.
  if (isChanged) await forge.updatePull(pull.number, { title, body }, signal);
  if (memory.areReviewersAsked !== true || memory.number !== pull.number) await askReviewers(context, pull, edit);
  if (isNew || memory.number !== pull.number) await log(context, "proposal.opened", row, pull, proposal);
  else if (isChanged || isCommitted) await log(context, "proposal.updated", row, pull, proposal);
  await recordProposal(store, row, {
    state: "open",
    memory: { ...memory, number: pull.number, url: pull.url, digest, areReviewersAsked: true },
    dueAt: now() + withJitter(LOOK_AGAIN_MS, random),
  });
}

/** Owners of the files, as far as they are people or teams of the forge, and not ourselves. */
async function askReviewers(
  { forge, base, signal, log: logger }: ProposalContext,
  pull: PullRequest,
  edit: AdoptingEdit,
): Promise<void> {
  const text = await forge.readCodeowners(base, signal);
  if (text === undefined) return;
  const owners = ownersOf(
    parseCodeowners(text),
    edit.files.map(({ path }) => path),
  ).filter((owner) => owner.startsWith("@"));
  const names = owners.map((owner) => owner.slice(1)).filter((name) => name !== pull.author);
  const users = names.filter((name) => !name.includes("/"));
  const teams = names.flatMap((name) => name.split("/")[1] ?? []);
  if (names.length === 0) return;
  const { refused } = await forge.requestReviewers(pull.number, { users, teams }, signal);
  if (refused.length > 0) logger.info({ pull: pull.number, refused }, "owners that cannot review");
}

/** Nothing to ask any more: says why where there is a pull request, and takes the branch away if it is ours alone. */
async function close(
  context: ProposalContext,
  row: StoredProposal,
  found: Bringable,
  why: "gone" | "said" | "unsayable",
  detail: string | undefined,
): Promise<void> {
  const { forge, signal } = context;
  if (found.kind === "open") {
    await forge.closePull(found.pull.number, { marker: closingMarker(row.cause), body: closingWords(why, detail) }, signal);
  }
  await cleanBranch(context, row);
  await end(context, row, found.kind === "open" ? found.pull : undefined, why, detail);
}

async function end(
  context: ProposalContext,
  row: StoredProposal,
  pull: PullRequest | undefined,
  why: ProposalEnd,
  detail?: string,
): Promise<void> {
  const { store, log: logger } = context;
  if (pull !== undefined) await log(context, "proposal.closed", row, pull, { end: why });
  const known = pull === undefined ? {} : { number: pull.number, url: pull.url };
  const memory: ProposalMemory = { ...row.memory, ...known, end: why, ...(detail !== undefined && { why: detail }) };
  logger.info({ cause: row.cause, pull: pull?.number, end: why, why: detail }, "proposal ended");
  await recordProposal(store, row, { state: "ended", memory, dueAt: undefined });
}

async function log(
  { trail }: ProposalContext,
  type: "proposal.opened" | "proposal.updated" | "proposal.closed",
  { cause, members, seenAt }: StoredProposal,
  { number, url }: PullRequest,
  what: Proposal | { readonly end: ProposalEnd },
): Promise<void> {
  const findings = members.slice(0, 20).map(({ fingerprint }) => fingerprint);
  const said = "end" in what ? { end: what.end } : { title: proposalTitle(what), files: what.edit.files.map(({ path }) => path) };
  const id =
    type === "proposal.updated"
      ? `${type}-${cause}-${number}-${seenAt}-${sha256Hex(JSON.stringify(said)).slice(0, 8)}`
      : `${type}-${cause}-${number}`;
  await trail.append([{ id, type, pullRequest: { number, url }, detail: { cause, branch: branchOf(cause), findings, ...said } }]);
}
