import type { Adoption } from "../../core/finding/adoption.ts";
import type { Finding } from "../../core/finding/finding.ts";
import { responsesFor } from "../../core/drift/respond.ts";
import type { Definitions } from "../../core/model/kinds.ts";
import type { Target } from "../../core/model/target.ts";
import { isOverBudget, overBudgetText } from "../../adapters/workers/index.ts";
import { adoptionsOf } from "../adoptions.ts";
import type { Look } from "../compare.ts";
import { isSmall } from "../workers/small.ts";
import type { DriftContext } from "./context.ts";
import { seenNow } from "./world.ts";

/**
 * Findings with how Git could say them, where the target's responses list `propose`.
 *
 * Worked out at once, from what was just seen: what widens is healed in the next second, and the evidence with it. An answer is kept as long
 * as the finding reads the same and nothing else that was seen changed.
 */
export async function withAdoptions(
  context: DriftContext,
  definitions: Definitions,
  target: Target | undefined,
  findings: readonly Finding[],
  look: Look,
): Promise<readonly Finding[]> {
  const { inForce, settings, adoptions } = context;
  if (inForce === undefined || target === undefined || settings.forge === undefined) return findings;
  if (!responsesFor(inForce.definitions.workspace, target).includes("propose")) return findings;
  const keyOf = ({ kind, summary, effect }: Finding): string => JSON.stringify([kind, summary, effect, inForce.commit]);
  const isKnown = (finding: Finding): boolean => {
    const known = adoptions.get(finding.fingerprint);
    return known?.key === keyOf(finding) && (known.adoption?.kind === "sayable" || known.seen === context.seen.version);
  };
  const asked = findings.filter((finding) => !isKnown(finding));
  const said = asked.length === 0 ? [] : await say(context, definitions, target, asked, look);
  for (const [index, finding] of asked.entries())
    adoptions.set(finding.fingerprint, { key: keyOf(finding), seen: context.seen.version, adoption: said[index] });
  return findings.map((finding) => {
    const adoption = adoptions.get(finding.fingerprint)?.adoption;
    return adoption === undefined ? finding : { ...finding, adoption };
  });
}

/** As large as what is live, and as what Git says: what is not small is worked out by a worker. */
async function say(
  context: DriftContext,
  definitions: Definitions,
  target: Target,
  findings: readonly Finding[],
  look: Look,
): Promise<readonly (Adoption | undefined)[]> {
  const { now, operator, workers, signal } = context;
  const world = { definitions, seen: await seenNow(context, definitions), now: now(), operator };
  const asked = { world, target: target.id, look, findings: findings.map(({ kind, subject }) => ({ kind, subject })) };
  if (isSmall(asked)) return adoptionsOf(asked);
  const outcome = await workers.run("adopt", asked, { lane: "looks", signal });
  if (outcome.kind === "done") return outcome.value;
  if (!isOverBudget(outcome)) throw outcome.error;
  const why = `whether Git could say it was not worked out: ${overBudgetText(outcome)}`;
  return findings.map(() => ({ kind: "unsayable", why }));
}
