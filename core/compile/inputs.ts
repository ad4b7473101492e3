import type { Namespace, Service } from "../membership/inventory.ts";
import { decodeMembership, encodeMembership, type EncodedMembership } from "../membership/codec.ts";
import type { Membership, Memberships } from "../membership/membership.ts";
import type { Orphan } from "../membership/orphans.ts";
import type { Definitions, Lifeline, TargetId } from "../model/kinds.ts";
import { FirebreakError } from "../model/error.ts";
import type { Target } from "../model/target.ts";
import { compileCluster } from "./cluster.ts";
import { compileHost, type OwnPath } from "./host.ts";
import type { Compiled, Want } from "./want.ts";

/**
 * What a target's want rests on besides Git: stored beside the pointer, so that the drift detector can render the same
 * expectation from Git at the pointer (DESIGN.md §5 "Pointer, not copy").
 */
export type TargetInputs =
  | {
      readonly kind: "cluster";
      readonly namespaces: readonly Namespace[];
      readonly services: readonly Service[];
      readonly memberships: Memberships;
      /** Targets gone from Git whose workloads still are members. */
      readonly orphans: readonly Orphan[];
    }
  | {
      readonly kind: "host";
      readonly resolvers: readonly string[];
      readonly memberships: Memberships;
      readonly orphans: readonly Orphan[];
    };

/** What the operator says in firebreak.yaml that reaches into rendering. */
export interface OperatorInputs {
  readonly floor: Lifeline;
  readonly ownPaths: readonly OwnPath[];
}

/** What one target shall enforce, by definitions in which the inputs' orphans are members (`overlayOrphans`). @throws FirebreakError PLAN_INVARIANT_BROKEN when the inputs are of another kind of target */
export function compileTarget(
  definitions: Definitions,
  target: Target,
  inputs: TargetInputs,
  operator: OperatorInputs,
): Compiled<Want> {
  if (target.kind === "cluster" && inputs.kind === "cluster") {
    const { namespaces, services, memberships } = inputs;
    return compileCluster({ definitions, cluster: target.cluster, namespaces, services, memberships });
  }
  if (target.kind === "host" && inputs.kind === "host") {
    const { resolvers, memberships } = inputs;
    return compileHost({ definitions, target, memberships, floor: operator.floor, resolvers, ownPaths: operator.ownPaths });
  }
  throw new FirebreakError("PLAN_INVARIANT_BROKEN", `${target.id} was given the inputs of a ${inputs.kind}`);
}

/** Inputs as plain JSON. */
export type EncodedInputs =
  | {
      readonly kind: "cluster";
      readonly namespaces: readonly Namespace[];
      readonly services: readonly Service[];
      readonly memberships: readonly EncodedMembership[];
      readonly orphans: readonly Orphan[];
    }
  | {
      readonly kind: "host";
      readonly resolvers: readonly string[];
      readonly memberships: readonly EncodedMembership[];
      readonly orphans: readonly Orphan[];
    };

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
