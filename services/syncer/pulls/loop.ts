import { forgetPull, listPullRows, subscribe } from "../../../adapters/store/index.ts";
import type { PullRequest } from "../../../core/forge/forge.ts";
import { inTurns } from "../../../core/forge/turns.ts";
import { FirebreakError } from "../../../core/ground/error.ts";
import { Bell, runLoop, withJitter } from "../../loop.ts";
import type { SyncerContext } from "../context.ts";
import { readCommands } from "./commands.ts";
import { judgeAgain, nameInForce, type PullContext } from "./context.ts";
import { lookAtPull } from "./look.ts";
import { bindingNow } from "./plan.ts";

/** A pull request of which the forge tells nothing new is looked at whole this often anyway: somebody may have deleted our comment. */
const WHOLE_LOOK_MS = 10 * 60_000;
/** Forges tell times in seconds: what came in the second of the last look would be missed. */
const SETTLED_MS = 5_000;
/** What looks at one author's pull requests from forks may take in one round; the others wait for the next, after everybody else's. */
const AUTHOR_MS = 20_000;
/** How often it is asked whether a revision is in force yet. */
const FIRST_LOOK_MS = 1_000;

/** What was seen of a pull request at the last whole look. */
interface Glance {
  /** All that a list of pull requests tells, and what is in force. */
  readonly key: string;
  readonly since: number;
  readonly lookedAt: number;
}

/** Open pull requests into the followed branch, round by round. A hint only makes a round come sooner. */
export class PullWatch {
  readonly #context: SyncerContext;
  readonly #plans: PullContext["plans"] = new Map();
  readonly #glances = new Map<number, Glance>();
  /** Numbers to look at whole in the next round; "all" when it is not known which. */
  #hinted: Set<number> | "all" = "all";
  #retryAfterMs = 0;
  readonly #bell = new Bell();

  constructor(context: SyncerContext) {
    this.#context = context;
  }

  /** Ends with the signal. Does nothing without a forge. */
  async run(): Promise<void> {
    const { forge, store, log, signal, settings, random } = this.#context;
    if (forge === undefined) return;
    const stops = [
      subscribe(store, "pulls", (payload) => this.hint(Number(payload) || undefined)),
      subscribe(store, "revision", () => this.#bell.ring()),
    ];
    const everyMs = (): number =>
      this.#context.inForce === undefined
        ? FIRST_LOOK_MS
        : Math.max(withJitter(settings.repository.poll, random), this.#retryAfterMs);
    try {
      await runLoop({ name: "pulls", log, signal, everyMs, bell: this.#bell }, async () => await this.round());
    } finally {
      for (const stop of stops) stop();
    }
  }

  /** Somebody says that something happened. */
  hint(number: number | undefined): void {
    if (number === undefined) this.#hinted = "all";
    else if (this.#hinted !== "all") this.#hinted.add(number);
    this.#bell.ring();
  }

  /** One look at every pull request of which something may be new. A failing one stops no other; a limit or a refusal stops the round. */
  async round(): Promise<void> {
    const { forge, repository, settings, signal, log, elapsed } = this.#context;
    const { inForce, takingUp } = this.#context;
    // Without a revision in force, as in the first moments after a start, everything would be compared with nothing.
    if (forge === undefined || inForce === undefined || takingUp !== undefined) return;
    this.#retryAfterMs = 0;
    const hinted = this.#hinted;
    this.#hinted = new Set();
    const context: PullContext = { ...this.#context, inForce, forge, plans: this.#plans };
    try {
      const pulls = await forge.listPulls(settings.repository.branch, signal);
      const base = await repository.fetchHead(signal);
      let isLifted = await this.#readOver(context, pulls, base);
      const spent = new Map<string, number>();
      const late: number[] = [];
      for (const pull of inTurns(pulls)) {
        if (!(await this.#isNews(pull, base, hinted))) continue;
        const soFar = spent.get(pull.author) ?? 0;
        if (pull.isFork && soFar > AUTHOR_MS) {
          late.push(pull.number);
          continue;
        }
        const begun = elapsed();
        try {
          if (await lookAtPull(context, pull, base)) isLifted = true;
          this.#seen(pull, base);
        } catch (error) {
          if (signal.aborted || isForAll(error)) throw error;
          this.#glances.delete(pull.number);
          log.warn({ pull: pull.number, error }, "pull request could not be looked at, will retry");
        }
        spent.set(pull.author, soFar + elapsed() - begun);
      }
      for (const number of late) this.hint(number);
      if (isLifted) judgeAgain(this.#context);
    } catch (error) {
      this.#hinted = "all";
      if (error instanceof FirebreakError) this.#retryAfterMs = error.retryAfterMs ?? 0;
      throw error;
    }
  }

  /** Pull requests that are no longer open: merged ones are heard while their merge waits for approvals, all others are forgotten. */
  async #readOver(context: PullContext, open: readonly PullRequest[], base: string): Promise<boolean> {
    const { store, forge, signal } = context;
    const isOpen = new Set(open.map(({ number }) => number));
    const rows = (await listPullRows(store)).filter(({ number }) => !isOpen.has(number));
    const stays = [...isOpen];
    let isLifted = false;
    for (const row of rows) {
      const pull = await forge.readPull(row.number, signal);
      const isWaiting = pull?.state === "merged" && !(await isOver(context, pull, base));
      if (pull !== undefined && isWaiting) {
        stays.push(row.number);
        const read = await readCommands(context, pull, row);
        isLifted ||= read.isApproved || (row.held !== null && read.reading.held === null);
        continue;
      }
      this.#plans.delete(row.number);
      this.#glances.delete(row.number);
      await forgetPull(store, row.number);
    }
    await context.repository.keepPulls(stays);
    return isLifted;
  }

  async #isNews(pull: PullRequest, base: string, hinted: Set<number> | "all"): Promise<boolean> {
    const glance = this.#glances.get(pull.number);
    if (glance === undefined || hinted === "all" || hinted.has(pull.number)) return true;
    if (glance.key !== this.#keyOf(pull, base)) return true;
    const now = this.#context.now();
    return glance.lookedAt - glance.since < SETTLED_MS || now - glance.lookedAt > WHOLE_LOOK_MS || (await this.#hasMoved(pull));
  }

  /** What is enforced on a target that the plan touches is another now. */
  async #hasMoved(pull: PullRequest): Promise<boolean> {
    const known = this.#plans.get(pull.number);
    if (known === undefined) return true;
    const { forge } = this.#context;
    if (forge === undefined) return false;
    const context: PullContext = { ...this.#context, forge, plans: this.#plans };
    const now = await bindingNow(context, known.binding.head, known.binding.base, known.touched);
    return now.live !== known.binding.live;
  }

  #seen(pull: PullRequest, base: string): void {
    const key = this.#keyOf(pull, base);
    const before = this.#glances.get(pull.number);
    const now = this.#context.now();
    this.#glances.set(pull.number, { key, since: before?.key === key ? before.since : now, lookedAt: now });
  }

  #keyOf({ head, updatedAt, isDraft }: PullRequest, base: string): string {
    return [head.sha, base, updatedAt, isDraft, nameInForce(this.#context)].join(" ");
  }
}

/** Its merge is in force; or nothing of the branch waits, so it is no longer in it. */
async function isOver({ repository, inForce, signal }: PullContext, { mergeCommit }: PullRequest, base: string): Promise<boolean> {
  if (inForce === undefined) return false;
  if (inForce.commit === base) return true;
  return mergeCommit !== undefined && (await repository.isAncestor(mergeCommit, inForce.commit, signal));
}

function isForAll(error: unknown): boolean {
  return error instanceof FirebreakError && (error.code === "RATE_LIMITED" || error.code === "AUTH_DENIED");
}
