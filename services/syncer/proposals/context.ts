import type { AdoptingAnswer } from "../../../core/adopt/edit.ts";
import type { SayableAdoption } from "../../../core/finding/adoption.ts";
import type { Forge } from "../../../core/forge/forge.ts";
import type { Parts } from "../../parts.ts";

/** What looking after proposals takes. */
export interface ProposalContext extends Pick<Parts, "store" | "trail" | "log" | "signal" | "now" | "random"> {
  readonly forge: Forge;
  /** The branch that pull requests go into: the one that is followed. */
  readonly base: string;
  /** The edit of the definitions of a commit, paths as in the repository. */
  readonly edit: (commit: string, adoption: SayableAdoption) => Promise<AdoptingAnswer>;
}

/** Deterministic, so that it is found again when every memory is lost. */
export function branchOf(cause: string): string {
  return `firebreak/adopt-${cause}`;
}
