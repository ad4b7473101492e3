import { createHash } from "node:crypto";
import type { Finding } from "../core/finding/finding.ts";
import type { TargetId } from "../core/model/kinds.ts";
import type { Observation } from "../core/observed/observation.ts";
import { targetOf, type Look } from "./compare.ts";
import { mapInTurns } from "./turns.ts";

interface Remembered {
  readonly look: Look;
  readonly content: string;
  readonly findings: readonly Finding[];
}

/**
 * What the last large comparison of each target found: what a tenant wrote once costs a worker its seconds once, and not at every look. It
 * counts only for what decides a comparison: the same expectations, the same picture of the workloads, and byte for byte the same live.
 */
export class LookMemory {
  readonly #last = new Map<TargetId, Remembered>();

  /** What this look would find; otherwise how to remember what it does find. */
  async recall(
    look: Look,
  ): Promise<{ readonly findings: readonly Finding[] } | { readonly remember: (found: readonly Finding[]) => void }> {
    const content = await contentOf(look.observation);
    const known = this.#last.get(targetOf(look));
    if (known?.content === content && isSame(known.look, look)) return { findings: known.findings };
    return { remember: (findings) => void this.#last.set(targetOf(look), { look: withoutLive(look), content, findings }) };
  }
}

function isSame(before: Look, now: Look): boolean {
  if (before.states.length !== now.states.length || !now.states.every((state, at) => state === before.states[at])) return false;
  if (before.kind === "host" || now.kind === "host") return before.kind === now.kind;
  return before.inventory === now.inventory && before.enforcer === now.enforcer;
}

/** What is live is remembered by its digest: it may be large. */
function withoutLive(look: Look): Look {
  return look.kind === "cluster"
    ? { ...look, observation: { ...look.observation, policies: [] } }
    : { ...look, observation: { ...look.observation, ruleset: [] } };
}

/** Digest of everything that was seen, but when; in turns, because others size it. */
async function contentOf(observation: Observation): Promise<string> {
  const hash = createHash("sha256");
  const take = (part: unknown): void => void hash.update(`${JSON.stringify(part)}\n`);
  if (observation.kind === "cluster") {
    const { policies, at: _, ...rest } = observation;
    take(rest);
    await mapInTurns(policies, take);
  } else {
    const { ruleset, at: _, ...rest } = observation;
    take(rest);
    await mapInTurns(ruleset, take);
  }
  return hash.digest("hex");
}
