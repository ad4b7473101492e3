import type { TargetId } from "../model/kinds.ts";

/** Connections between segments on some ports, in the words of a rule. */
export interface Said {
  /** Segments, built-ins, or addresses that no segment holds (`203.0.113.0/24`). Never empty. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** As in a rule: `8443/tcp`, `any` alone. */
  readonly ports: readonly string[];
}

/**
 * Which pairs of workloads a live change is evidence of: those at the target with everybody who is on it, on one of `peers`, or on no
 * target at all. A policy object of one cluster says nothing of the workloads of another, as long as it names none of their addresses.
 */
export interface Scope {
  readonly target: TargetId;
  /** What the target's workloads are in the pairs that changed: a change of who may come in says nothing of where they may go. */
  readonly as: readonly ("initiator" | "responder")[];
  /** `all`: a host knows everybody by address. */
  readonly peers: readonly TargetId[] | "all";
}

/**
 * What Git would have to say so that it says what is live; plain data, stored with the finding, since the evidence is healed away.
 *
 * sayable: rules can say it, and among the pairs in scope nothing else · unsayable: they cannot, with the reason as a sentence.
 */
export type Adoption =
  | {
      readonly kind: "sayable";
      readonly opened: readonly Said[];
      readonly closed: readonly Said[];
      readonly scopes: readonly Scope[];
    }
  | { readonly kind: "unsayable"; readonly why: string };

/** An adoption that rules can say. */
export type SayableAdoption = Extract<Adoption, { kind: "sayable" }>;

/** `geo → cust-record: 8443/tcp`. */
export function formatSaid({ from, to, ports }: Said): string {
  return `${from.join(", ")} → ${to.join(", ")}: ${ports.join(", ") === "any" ? "any port" : ports.join(", ")}`;
}

/** Everything that some adoptions say, each once: targets that parted in one way are one change of Git. */
export function joinAdoptions(adoptions: readonly Adoption[]): SayableAdoption {
  const sayable = adoptions.filter((adoption) => adoption.kind === "sayable");
  return {
    kind: "sayable",
    opened: distinct(sayable.flatMap(({ opened }) => opened)),
    closed: distinct(sayable.flatMap(({ closed }) => closed)),
    scopes: sayable.flatMap(({ scopes }) => scopes),
  };
}

function distinct(list: readonly Said[]): readonly Said[] {
  return [...new Map(list.map((said) => [formatSaid(said), said])).values()];
}
