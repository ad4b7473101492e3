import { listFindings } from "../../adapters/store/index.ts";
import type { Finding } from "../../core/drift/finding.ts";
import { seenWorld, type ConnectivityWorld } from "../../core/explain/world.ts";
import { checkGuardrails } from "../../core/guardrail/check.ts";
import { guardrailFindings, subjectOf } from "../../core/guardrail/findings.ts";
import type { GuardrailResult } from "../../core/guardrail/results.ts";
import type { Definitions, TargetId } from "../../core/model/kinds.ts";
import { findTarget, listTargets } from "../../core/model/target.ts";
import { runLoop } from "../loop.ts";
import { listOrphans, readOrphans } from "../orphans.ts";
import type { DriftContext } from "./context.ts";
import { respond } from "./respond.ts";

/** Pods come and go all the time; once a second is soon enough to tell people. */
const EVERY_MS = 1_000;
/** Whether anything changed or not: a policy expires by itself. */
const ANYWAY_MS = 60_000;
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

  constructor(context: DriftContext) {
    this.#context = context;
  }

  /** To be called when the inventory of a cluster changed. */
  markChanged(): void {
    this.#changes += 1;
  }

  /** Runs until the detector stops. */
  async run(): Promise<void> {
    const { log, signal, now } = this.#context;
    await runLoop({ name: "guardrails", log, signal, everyMs: () => EVERY_MS }, async () => {
      const { inForce, seen } = this.#context;
      const state = `${inForce?.sequence} ${seen.version} ${this.#changes}`;
      if (inForce === undefined || now() < this.#notBefore || (state === this.#checked && now() < this.#again)) return;
      const begun = now();
      await this.#check(inForce.definitions);
      this.#checked = state;
      this.#again = now() + ANYWAY_MS;
      this.#notBefore = now() + (now() - begun) * SHARE_OF_TIME;
    });
  }

  async #check(definitions: Definitions): Promise<void> {
    const context = this.#context;
    if (definitions.guardrails.size === 0 && this.#told?.size === 0) return;
    const world = await this.#world(definitions);
    const lists = sourcesOf(world).map((source) => checkGuardrails(world.definitions, source));
    const open = (await listFindings(context.store, { open: true, limit: 10_000 })).filter(
      ({ kind }) => kind === "guardrail-violated",
    );
    const findings = guardrailFindings(lists);
    const kept = this.#isWhole(world) ? [] : keepUncertain(open, findings, lists);
    const byTarget = Map.groupBy([...findings, ...kept], ({ target }) => target);
    for (const id of new Set([...byTarget.keys(), ...open.map(({ target }) => target)])) {
      const target = findTarget(definitions, id);
      await respond(context, { id, target, kinds: ["guardrail-violated"], findings: byTarget.get(id) ?? [] });
    }
    this.#told = new Set(byTarget.keys());
  }

  async #world(definitions: Definitions): Promise<ConnectivityWorld> {
    const { clusters, seen, store, now, operator } = this.#context;
    const known = [...clusters.connections()].filter(([, connection]) => connection.health().everSynced);
    const orphans = await readOrphans(this.#context, await listOrphans(store));
    const targets = [...listTargets(definitions), ...orphans].map(({ id }) => id);
    return seenWorld(
      definitions,
      {
        inventories: new Map(known.map(([target, connection]) => [target, connection.inventory()])),
        live: seen.live(targets),
        enforcers: seen.enforcers(),
        hosts: seen.hosts(),
        orphans,
      },
      now(),
      operator,
    );
  }

  /** True when every target that is written was seen, and every cluster's workloads are known: then what is not violated is over. */
  #isWhole({ estate, definitions }: ConnectivityWorld): boolean {
    const written = listTargets(definitions).filter(({ mode }) => mode === "apply");
    return estate.stale.length === 0 && written.every(({ id }) => this.#context.seen.has(id));
  }
}

/** Live first: it tells what is, and who lets it through. */
function sourcesOf({ live, enforceable, approved }: ConnectivityWorld) {
  return [live, enforceable, approved].filter((source) => source !== undefined);
}

/** What was violated and cannot be said now stays told: absence in half a picture proves nothing. */
function keepUncertain(
  open: readonly Finding[],
  findings: readonly Finding[],
  lists: readonly (readonly GuardrailResult[])[],
): readonly Finding[] {
  const uncertain = new Set(lists.flat().flatMap(({ id, outcome }) => (outcome === "uncertain" ? [subjectOf(id)] : [])));
  const told = new Set(findings.map(({ fingerprint }) => fingerprint));
  return open.filter(({ subject, fingerprint }) => uncertain.has(subject) && !told.has(fingerprint));
}
