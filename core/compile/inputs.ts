import { decodeMembership, encodeMembership, type EncodedMembership } from "../membership/codec.ts";
import type { Membership, Memberships } from "../membership/membership.ts";
import type { Orphan } from "../membership/orphans.ts";
import type { Definitions, Lifeline, TargetId } from "../model/kinds.ts";
import { FirebreakError } from "../ground/error.ts";
import type { Target } from "../model/target.ts";
import { compileCluster } from "./cluster.ts";
import { compileHost, type OwnPath } from "./host.ts";
import { definitionsOf } from "./moment.ts";
import type { ClusterStructure } from "./structure.ts";
import type { Compiled, Want } from "./want.ts";

/**
 * What a target's want rests on besides Git: stored beside the pointer, so that the drift detector can render the same
 * expectation from Git at the pointer (docs/design/contracts.md "Pointer, not copy").
 */
export type TargetInputs = TargetFacts & { readonly memberships: Memberships };

/** The same without address sets: plain JSON. What is absent in it was stored by a version that did not know it: nothing then. */
type TargetFacts = Moment & (ClusterFacts | HostFacts);

interface Moment {
  /** Targets gone from Git whose workloads still are members. */
  readonly orphans: readonly Orphan[];
  /** The moment of the plan, ms since the epoch: what had expired by then is closed. Absent: whatever can expire is. */
  readonly now?: number;
}

type ClusterFacts = { readonly kind: "cluster" } & Pick<ClusterStructure, "namespaces" | "services"> &
  Partial<Pick<ClusterStructure, "webhooks" | "cells" | "platform">>;

interface HostFacts {
  readonly kind: "host";
  readonly resolvers: readonly string[];
  readonly timeServers?: readonly string[];
}

/** What the operator says in firebreak.yaml that reaches into rendering. */
export interface OperatorInputs {
  readonly floor: Lifeline;
  readonly ownPaths: readonly OwnPath[];
}

/**
 * What one target shall enforce at the moment of its inputs, by definitions in which the inputs' orphans are members
 * (`overlayOrphans`). Notes tell also what of it expires.
 *
 * @throws FirebreakError PLAN_INVARIANT_BROKEN when the inputs are of another kind of target
 */
export function compileTarget(
  definitions: Definitions,
  target: Target,
  inputs: TargetInputs,
  operator: OperatorInputs,
): Compiled<Want> {
  const cut = definitionsOf(definitions, inputs.now);
  const compiled = compileAt(cut.definitions, target, inputs, operator);
  return { ...compiled, notes: [...cut.notes, ...compiled.notes] };
}

function compileAt(definitions: Definitions, target: Target, inputs: TargetInputs, operator: OperatorInputs): Compiled<Want> {
  const { memberships } = inputs;
  if (target.kind === "cluster" && inputs.kind === "cluster") {
    const { namespaces, services, webhooks = [], platform, cells = {} } = inputs;
    return compileCluster({
      definitions,
      cluster: target.cluster,
      namespaces,
      services,
      memberships,
      webhooks,
      cells,
      platform,
    });
  }
  if (target.kind === "host" && inputs.kind === "host") {
    const { resolvers, timeServers = [] } = inputs;
    const { floor, ownPaths } = operator;
    return compileHost({ definitions, target, memberships, floor, resolvers, timeServers, ownPaths });
  }
  throw new FirebreakError("PLAN_INVARIANT_BROKEN", `${target.id} was given the inputs of a ${inputs.kind}`);
}

/** Inputs as plain JSON. */
export type EncodedInputs = TargetFacts & { readonly memberships: readonly EncodedMembership[] };

export function encodeInputs(inputs: TargetInputs): EncodedInputs {
  return { ...inputs, memberships: [...inputs.memberships.values()].map(encodeMembership) };
}

/** @throws FirebreakError ADDRESS_INVALID when the JSON is damaged */
export function decodeInputs(encoded: EncodedInputs): TargetInputs {
  return { ...encoded, memberships: memberships(encoded.memberships) };
}

/** Memberships by their feeding target. */
export function memberships(encoded: readonly unknown[]): Memberships {
  const decoded = encoded.map(decodeMembership);
  return new Map<TargetId, Membership>(decoded.map((membership) => [membership.target, membership]));
}
