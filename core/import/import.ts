import { compileTarget } from "../compile/inputs.ts";
import { clusterStructure } from "../compile/structure.ts";
import type { Manifests } from "../manifest/read.ts";
import { computeMembership } from "../membership/compute.ts";
import { FirebreakError } from "../ground/error.ts";
import { hasErrors, type Note } from "../model/note.ts";
import { parseDefinitions } from "../model/parse.ts";
import { clusterTargetId, findTarget } from "../model/target.ts";
import type { Diff } from "../reach/diff-lines.ts";
import { manifestDiff } from "../reach/manifest-diff.ts";
import { wantDigest } from "../render/digest.ts";
import type { NetworkPolicy } from "../render/networkpolicy-types.ts";
import { renderNetworkPolicies } from "../render/networkpolicy.ts";
import type { Profile } from "../verdict/profile.ts";
import { documentsOf, type WriteOptions } from "./definitions.ts";
import type { Document } from "./document.ts";
import { inventoryOf } from "./inventory.ts";
import { draftOf } from "./rules.ts";
import { filesOf, type ImportedFile } from "./write.ts";

/** Definitions that were made of what was there, and how well they say it. */
export interface Imported {
  readonly files: readonly ImportedFile[];
  readonly counts: { readonly read: number; readonly segments: number; readonly policies: number; readonly rules: number };
  /** The policies that a cluster would be given if the segments were enforced, without what Firebreak itself keeps open. */
  readonly comesTo: readonly NetworkPolicy[];
  /** What would differ if the definitions were enforced as they are, apart from what Firebreak itself keeps open. */
  readonly differs: Diff;
  /** What differs with DNS and the other essentials, which Firebreak keeps open unless the Workspace says otherwise. */
  readonly withEssentials: Diff;
  /** What could not be said, each a sentence that names the object. */
  readonly leftOut: readonly string[];
}

/** What an import takes beside the manifests. */
export type ImportOptions = Omit<WriteOptions, "mode" | "podRanges"> & {
  readonly profile: Profile;
  /** The moment of the check, ms since the epoch. */
  readonly now: number;
  /** Another file has the Cluster, with a label `cluster` of its name. */
  readonly isDefined?: boolean;
};

const NO_ESSENTIALS: Document = {
  kind: "Workspace",
  metadata: { name: "check" },
  spec: {
    essentials: { dns: false, dhcp: false, ntp: false, icmpErrors: false, apiserver: false, webhooks: false },
  },
};

/**
 * Definitions that mean what the NetworkPolicies of a cluster mean, in `mode: plan` and nothing enforced; compiled back and compared.
 *
 * @throws FirebreakError PLAN_INVARIANT_BROKEN when what was written does not read: a defect of Firebreak
 */
export function importManifests(manifests: Manifests, options: ImportOptions): Imported {
  const draft = draftOf(manifests.world);
  const podRanges: readonly string[] = [];
  const documents = documentsOf(draft, { ...options, mode: "plan", podRanges });
  const enforced = documentsOf(draft, { ...options, mode: "apply", isolate: "enforce", podRanges });
  const comesTo = rendered(manifests, [...enforced, NO_ESSENTIALS], options);
  const differs = (policies: readonly NetworkPolicy[]): Diff => {
    const kept = manifests.world.policies.filter(({ kind = "NetworkPolicy" }) => kind !== "NetworkPolicy");
    return manifestDiff(
      manifests,
      { ...manifests, world: { ...manifests.world, policies: [...kept, ...policies] } },
      options.profile,
    );
  };
  const of = (kind: Document["kind"]): readonly Document[] => documents.filter((document) => document.kind === kind);
  return {
    files: filesOf(
      documents.filter(({ kind }) => kind !== "Cluster" || options.isDefined !== true),
      options.cluster,
    ),
    counts: {
      read: draft.policies.length,
      segments: of("Segment").length,
      policies: of("Policy").length,
      rules: of("Policy").reduce((sum, { spec }) => sum + (spec["rules"] as readonly unknown[]).length, 0), // documentsOf makes them
    },
    comesTo,
    differs: differs(comesTo),
    withEssentials: differs(rendered(manifests, enforced, options)),
    leftOut: draft.leftOut,
  };
}

/** The NetworkPolicies that the documents come to on these workloads. */
function rendered(manifests: Manifests, documents: readonly Document[], { cluster, now }: ImportOptions): readonly NetworkPolicy[] {
  const files = filesOf(documents, cluster).map(({ path, text }) => ({ path, bytes: new TextEncoder().encode(text) }));
  const { definitions, notes } = parseDefinitions(files, { allow: undefined });
  if (definitions === undefined) throw broken(notes);
  const target = findTarget(definitions, clusterTargetId(cluster));
  if (target?.kind !== "cluster") throw broken([]);
  const inventory = inventoryOf(manifests, cluster);
  const { membership } = computeMembership(definitions, target.cluster, inventory, now);
  const { want } = compileTarget(
    definitions,
    target,
    {
      kind: "cluster",
      ...clusterStructure(definitions, target.cluster, inventory),
      memberships: new Map([[target.id, membership]]),
      orphans: [],
      now,
    },
    { floor: { from: [], ports: [] }, ownPaths: [] },
  );
  if (want.kind !== "cluster") throw broken([]);
  return renderNetworkPolicies(want, { instance: "import", sequence: 0, digest: wantDigest(want) });
}

function broken(notes: readonly Note[]): FirebreakError {
  const errors = notes.filter((note) => hasErrors([note])).map(({ summary }) => summary);
  return new FirebreakError("PLAN_INVARIANT_BROKEN", `what was imported does not read: ${errors.slice(0, 3).join("; ")}`);
}
