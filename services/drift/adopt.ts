import type { Adoption } from "../../core/adopt/adoption.ts";
import type { Evidence } from "../../core/adopt/evidence.ts";
import { sayDifference } from "../../core/adopt/say.ts";
import type { Finding } from "../../core/drift/finding.ts";
import { responsesFor } from "../../core/drift/respond.ts";
import { liveSource } from "../../core/enforced/source.ts";
import type { ConnectivityWorld } from "../../core/explain/world.ts";
import type { Definitions } from "../../core/model/kinds.ts";
import type { Target } from "../../core/model/target.ts";
import { listTargets } from "../../core/model/target.ts";
import type { DriftContext } from "./context.ts";
import { worldNow } from "./world.ts";

/** What a finding stands on; undefined for what Git could not say. */
export type EvidenceOf = (finding: Finding) => Evidence | undefined;

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
  evidenceOf: EvidenceOf,
): Promise<readonly Finding[]> {
  const { inForce, settings, adoptions } = context;
  if (inForce === undefined || target === undefined || settings.forge === undefined) return findings;
  if (!responsesFor(inForce.definitions.workspace, target).includes("propose")) return findings;
  let world: ConnectivityWorld | undefined;
  const told: Finding[] = [];
  for (const finding of findings) {
    const evidence = evidenceOf(finding);
    if (evidence === undefined) {
      told.push(finding);
      continue;
    }
    const key = JSON.stringify([finding.kind, finding.summary, finding.effect, inForce.commit]);
    const known = adoptions.get(finding.fingerprint);
    if (known?.key === key && (known.adoption.kind === "sayable" || known.seen === context.seen.version)) {
      told.push({ ...finding, adoption: known.adoption });
      continue;
    }
    world ??= await worldNow(context, definitions);
    const adoption = adoptionOf(context, world, target, evidence);
    adoptions.set(finding.fingerprint, { key, seen: context.seen.version, adoption });
    told.push({ ...finding, adoption });
  }
  return told;
}

function adoptionOf(
  { seen }: DriftContext,
  { estate, approved, definitions }: ConnectivityWorld,
  target: Target,
  evidence: Evidence,
): Adoption {
  const others = seen.live(listTargets(definitions).map(({ id }) => id));
  const at = (own: Evidence["before"]) => liveSource(estate, new Map([...others, [target.id, own]]), seen.enforcers());
  return sayDifference(at(evidence.before), at(evidence.after), approved, target.id);
}
