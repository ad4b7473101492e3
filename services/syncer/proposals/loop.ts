import { recordProposalFailure, subscribe, takeProposals } from "../../../adapters/store/index.ts";
import { isOverBudget, overBudgetText } from "../../../adapters/workers/index.ts";
import type { AdoptingAnswer } from "../../../core/adopt/edit.ts";
import { FirebreakError } from "../../../core/ground/error.ts";
import { Bell, runLoop } from "../../loop.ts";
import { storedError } from "../../stored-error.ts";
import { valueOf } from "../../workers/value.ts";
import type { SyncerContext } from "../context.ts";
import type { ProposalContext } from "./context.ts";
import { stepProposal } from "./step.ts";

const POLL_MS = 5_000;
/** A proposal that nothing is recorded of after this is taken again. */
const HOLD_MS = 5 * 60_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 10 * 60_000;

/** Turns live changes into pull requests, where the forge is set up and a target's responses list `propose`. */
export async function propose(context: SyncerContext): Promise<void> {
  const { forge, store, log, signal, settings, operator, repository, clusters, now, workers } = context;
  if (forge === undefined) return;
  const bell = new Bell();
  const unsubscribe = subscribe(store, "proposals", () => bell.ring());
  const proposals: ProposalContext = {
    ...context,
    forge,
    base: settings.repository.branch,
    edit: async (commit, adoption) => {
      const files = await repository.readDefinitions(commit, signal);
      const known = [...clusters.connections()].filter(([, connection]) => connection.health().everSynced);
      const inventories = new Map(known.map(([target, connection]) => [target, connection.inventory()]));
      const world = { inventories, operator, now: now() };
      // As large as Git and the clusters together.
      const outcome = await workers.run("adopt-edit", { files, adoption, world }, { lane: "branch", signal });
      if (isOverBudget(outcome)) return { none: `where Git would say it was not worked out: ${overBudgetText(outcome)}` };
      return inRepository(settings.repository.path, valueOf(outcome, "find where Git would say it"));
    },
  };
  try {
    await runLoop(
      { name: "proposals", log, signal, everyMs: () => POLL_MS, bell },
      async () => await lookAfterProposals(proposals),
    );
  } finally {
    unsubscribe();
  }
}

/** Paths below the folder of the definitions → paths of the repository. */
function inRepository(folder: string, answer: AdoptingAnswer): AdoptingAnswer {
  if (!("edit" in answer)) return answer;
  const parts = folder.split("/").filter((part) => part !== "" && part !== ".");
  const files = answer.edit.files.map((file) => ({ ...file, path: [...parts, file.path].join("/") }));
  return { edit: { ...answer.edit, files } };
}

/** Brings every proposal on that is due, one after another: a forge wants no two writes at a time. */
export async function lookAfterProposals(context: ProposalContext): Promise<void> {
  const { store, log, signal, now } = context;
  for (;;) {
    const due = await takeProposals(store, now(), HOLD_MS);
    if (due.length === 0) return;
    for (const [index, row] of due.entries()) {
      try {
        await stepProposal(context, row);
      } catch (error) {
        if (signal.aborted) return;
        const asked = error instanceof FirebreakError ? (error.retryAfterMs ?? 0) : 0;
        const waitMs = Math.max(asked, Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(row.attempts, 10)));
        await recordProposalFailure(store, row.cause, storedError(error), now() + waitMs);
        log.warn({ cause: row.cause, left: due.length - index - 1, error }, "proposal failed, will retry");
      }
    }
  }
}
