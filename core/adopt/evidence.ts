import type { Finding } from "../finding/finding.ts";
import { withElements } from "../drift/host-ours.ts";
import type { LiveTarget } from "../enforced/target.ts";
import { objectKey, objectSubject } from "../plan/cluster-live.ts";
import type { ClusterObservation, HostObservation } from "../observed/observation.ts";
import type { NetworkPolicy } from "../render/networkpolicy-types.ts";
import { FAMILY, TABLE } from "../render/nft-names.ts";
import { isRecord, readTable } from "../render/nft-table.ts";
import type { NftRuleset } from "../render/nft.ts";

/** One target as it should be, and the same with one divergence; what other people added besides is in both. */
export interface Evidence {
  readonly before: LiveTarget;
  readonly after: LiveTarget;
}

/** What a finding of a cluster stands on. Undefined: its kind is nothing that Git could say. */
export function clusterEvidence(
  { kind, subject }: Pick<Finding, "kind" | "subject">,
  expected: readonly NetworkPolicy[],
  observation: ClusterObservation,
): Evidence | undefined {
  if (!["modified", "deleted", "foreign", "conflict", "unpublished-element"].includes(kind)) return undefined;
  const wanted = new Map(expected.map((object) => [objectKey(object), object]));
  const live = observation.policies.map(({ object }) => object);
  const subjects = (object: NetworkPolicy): boolean => objectSubject(object) === subject;
  const others = [...wanted.values(), ...live.filter((object) => !wanted.has(objectKey(object)))].filter(
    (object) => !subjects(object),
  );
  const at = (objects: readonly NetworkPolicy[]): LiveTarget => ({
    kind: "cluster",
    completeness: observation.completeness,
    policies: [...others, ...objects].map((object) => ({ object })),
  });
  return { before: at(expected.filter(subjects)), after: at(live.filter(subjects)) };
}

/** What a finding of a host's own table stands on. Undefined: another table, or nothing that Git could say. */
export function hostEvidence(
  { kind, subject }: Pick<Finding, "kind" | "subject">,
  expected: NftRuleset,
  observation: HostObservation,
): Evidence | undefined {
  if (kind !== "ruleset-changed" && kind !== "unpublished-element") return undefined;
  const foreign = observation.ruleset.filter((object) => !isOurs(object));
  const { completeness, legacyTables, addresses } = observation;
  const at = (ours: readonly unknown[]): LiveTarget => {
    return { kind: "host", completeness, legacyTables, addresses, ruleset: [...ours, ...foreign] };
  };
  const set = /^set (.+)$/.exec(subject)?.[1];
  if (set === undefined) return { before: at(expected), after: at(observation.ruleset.filter(isOurs)) };
  const elements = readTable(observation.ruleset)?.sets.get(set)?.elem ?? [];
  return { before: at(expected), after: at(withElements(expected, set, elements)) };
}

/** True for an object of `table inet firebreak`. */
function isOurs(object: unknown): boolean {
  return Object.entries(isRecord(object) ? object : {}).some(([kind, body]) => {
    if (!isRecord(body) || body["family"] !== FAMILY) return false;
    return (kind === "table" ? body["name"] : body["table"]) === TABLE;
  });
}
