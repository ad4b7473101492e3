import type { StoredProposal } from "../../../adapters/store/index.ts";
import { commentMarker, hasMarker } from "../../../core/forge/comment.ts";
import type { PullRequest } from "../../../core/forge/forge.ts";
import { branchOf, type ProposalContext } from "./context.ts";

/** What the forge says of a proposal. */
export type FoundPull =
  | { readonly kind: "none"; readonly past: readonly number[] }
  | { readonly kind: "open"; readonly pull: PullRequest }
  | { readonly kind: "merged"; readonly pull: PullRequest }
  /** Closed by a person. */
  | { readonly kind: "declined"; readonly pull: PullRequest }
  /** Closed by us, before that could be recorded. */
  | { readonly kind: "closed"; readonly pull: PullRequest };

/** Hidden first line of the pull request of a cause. */
export function pullMarker(cause: string): string {
  return commentMarker("adopt", cause);
}

/** Hidden first line of the comment with which we close it. */
export function closingMarker(cause: string): string {
  return commentMarker("adopt-closed", cause);
}

/**
 * Finds the pull request of this time by its number, else by branch and marker; those of earlier times are past. The number first: Gitea
 * forgets which branch a closed one came from once that is deleted.
 */
export async function findPull(context: ProposalContext, { cause, memory }: StoredProposal): Promise<FoundPull> {
  const { forge, signal, base } = context;
  const past = memory.past ?? [];
  const known = memory.number === undefined ? undefined : await forge.readPull(memory.number, signal);
  const pulls = (await forge.listPullsFrom(branchOf(cause), signal)).filter(
    ({ number, body, base: into }) => into.ref === base && !past.includes(number) && hasMarker(body, pullMarker(cause)),
  );
  const open = known?.state === "open" ? known : pulls.find(({ state }) => state === "open");
  if (open !== undefined) return { kind: "open", pull: open };
  const pull = known ?? pulls[0];
  if (pull === undefined) return { kind: "none", past };
  // One merged before this was asked again says nothing of now.
  if (pull.state === "merged")
    return pull.number === memory.number ? { kind: "merged", pull } : { kind: "none", past: [...past, pull.number] };
  return { kind: (await isClosedByUs(context, cause, pull.number)) ? "closed" : "declined", pull };
}

async function isClosedByUs({ forge, signal }: ProposalContext, cause: string, number: number): Promise<boolean> {
  const self = await forge.readSelf(signal);
  const comments = await forge.listComments(number, undefined, signal);
  return comments.some(({ author, body }) => (self === undefined || author === self) && hasMarker(body, closingMarker(cause)));
}
