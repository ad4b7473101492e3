import { listFindings, listOpenWork } from "../../adapters/store/index.ts";
import { isOverBudget, overBudgetText } from "../../adapters/workers/index.ts";
import type { Finding } from "../../core/finding/finding.ts";
import { unwatched, watchGuardrails, type Watched } from "../../core/guardrail/watch.ts";
import type { Definitions, TargetId } from "../../core/model/kinds.ts";
import { findTarget, listTargets } from "../../core/model/target.ts";
import { runLoop } from "../loop.ts";
import type { DriftContext } from "./context.ts";
import { respond } from "./respond.ts";
import { isSmall } from "../workers/small.ts";
import { seenNow } from "./world.ts";

/** Pods come and go all the time; once a second is soon enough to tell people. */
const EVERY_MS = 1_000;
/** Whether anything changed or not: a policy expires by itself. */
const ANYWAY_MS = 60_000;
/** What only live violates is told when it lasts this long, once nothing is on its way to its target. */
const SETTLE_MS = 2_000;
/** Work that takes longer than this is late, and hides nothing. */
const LATE_MS = 2 * 60_000;
/** A check that takes long is made less often. */
const SHARE_OF_TIME = 10;

/**
 * Checks the guardrails in force whenever workloads, what is enforced, or the revision changed: a violation that no commit made (a pod was
 * relabelled, somebody edited a policy) is a finding, and so is one that was there when the guardrail came.
 */
export class GuardrailWatch {
  readonly #context: DriftContext;
  /** Targets with findings of ours, as far as this process knows; undefined before the first check. */
  #told: ReadonlySet<TargetId> | undefined;
  #changes = 0;
  #checked = "";
  #notBefore = 0;
  #again = 0;
  /** When each violation that is not told yet was first seen, by `elapsed`. */
  #since: ReadonlyMap<string, number> = new Map();

  constructor(context: DriftContext) {
    this.#context = context;
  }

  /** To be called when the inventory of a cluster changed. */
  markChanged(): void {
    this.#changes += 1;
  }

  /** Runs until the detector stops. */
  async run(): Promise<void> {
    const { log, signal, elapsed } = this.#context;
    await runLoop({ name: "guardrails", log, signal, everyMs: () => EVERY_MS }, async () => {
      const { inForce, seen } = this.#context;
      const state = `${inForce?.sequence} ${seen.version} ${this.#changes}`;
      if (inForce === undefined || elapsed() < this.#notBefore || (state === this.#checked && elapsed() < this.#again)) return;
      const begun = elapsed();
      await this.#check(inForce.definitions);
      this.#checked = state;
      this.#again = elapsed() + (this.#since.size > 0 ? EVERY_MS : ANYWAY_MS);
      this.#notBefore = elapsed() + (elapsed() - begun) * SHARE_OF_TIME;
    });
  }

  async #check(definitions: Definitions): Promise<void> {
    const context = this.#context;
    if (definitions.guardrails.size === 0 && this.#told?.size === 0) return;
    const watched = await this.#watch(definitions);
    const open = await listFindings(context.store, { open: true, kinds: ["guardrail-violated"], limit: 10_000 });
    const findings = await this.#settled(watched, open);
    const kept = keepUncertain(open, findings, (subject) => this.#isOpenQuestion(definitions, watched, subject));
    const byTarget = Map.groupBy([...findings, ...kept], ({ target }) => target);
    for (const id of new Set([...byTarget.keys(), ...open.map(({ target }) => target)])) {
      const target = findTarget(definitions, id);
      await respond(context, { id, target, kinds: ["guardrail-violated"], findings: byTarget.get(id) ?? [] });
    }
    this.#told = new Set(byTarget.keys());
  }

  /** Tenants and whoever administrates a host size what is looked at: what is not small is looked at by a worker. */
  async #watch(definitions: Definitions): Promise<Watched | Unwatched> {
    const { now, operator, workers, signal, log } = this.#context;
    const world = { definitions, seen: await seenNow(this.#context, definitions), now: now(), operator };
    if (isSmall(world)) return watchGuardrails(world);
    const outcome = await workers.run("watch", world, { lane: "looks", signal });
    if (outcome.kind === "done") return outcome.value;
    if (!isOverBudget(outcome)) throw outcome.error;
    const why = overBudgetText(outcome);
    log.error({ why }, "whether the guardrails hold is not decided");
    return { ...unwatched(definitions, why), uncertain: "all" };
  }

  /**
   * What is to be told now. A workload that just appeared is open for the moment that its isolation takes: what no revision says, and is
   * still being worked on, waits. What was told before is told on, and what the definitions themselves violate at once.
   */
  async #settled(watched: Watched | Unwatched, open: readonly Finding[]): Promise<readonly Finding[]> {
    const { findings, settled } = watched;
    const sure = new Set([...settled, ...open.map(({ fingerprint }) => fingerprint)]);
    const at = this.#context.elapsed();
    const fresh = findings.filter(({ fingerprint }) => !sure.has(fingerprint));
    const since = new Map(fresh.map(({ fingerprint }) => [fingerprint, this.#since.get(fingerprint) ?? at]));
    const work = fresh.length === 0 ? [] : await listOpenWork(this.#context.store);
    const busy = new Set(work.flatMap(({ target, kind }) => (kind === "finding" ? [] : [target])));
    const waits = fresh.filter(({ fingerprint, target }) => {
      const age = at - (since.get(fingerprint) ?? at);
      return age < SETTLE_MS || (busy.has(target) && age < LATE_MS);
    });
    const waiting = new Set(waits.map(({ fingerprint }) => fingerprint));
    this.#since = new Map([...since].filter(([fingerprint]) => waiting.has(fingerprint)));
    return findings.filter(({ fingerprint }) => !waiting.has(fingerprint));
  }

  /** True when nobody can say whether this holds now: absence in half a picture proves nothing. */
  #isOpenQuestion(definitions: Definitions, watched: Watched | Unwatched, subject: string): boolean {
    if (watched.uncertain === "all" || watched.undecided.includes(subject)) return true;
    const written = listTargets(definitions).filter(({ mode }) => mode === "apply");
    const isWhole = watched.stale.length === 0 && written.every(({ id }) => this.#context.seen.has(id));
    return !isWhole && watched.uncertain.includes(subject);
  }
}

/** No answer at all. */
interface Unwatched extends ReturnType<typeof unwatched> {
  readonly uncertain: "all";
}

/** What was violated and cannot be said now stays told. */
function keepUncertain(
  open: readonly Finding[],
  findings: readonly Finding[],
  isOpenQuestion: (subject: string) => boolean,
): readonly Finding[] {
  const told = new Set(findings.map(({ fingerprint }) => fingerprint));
  return open.filter(({ subject, fingerprint }) => isOpenQuestion(subject) && !told.has(fingerprint));
}
