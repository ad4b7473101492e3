import type { AddressSet } from "../address/index.ts";
import type { Workload } from "../estate/estate.ts";
import type { Direction } from "../model/kinds.ts";
import type { Party } from "../reach/source.ts";
import type { Pieces } from "./pieces.ts";
import type { EquivalenceQuestion } from "./equivalence-question.ts";

/** A class of subjects in one direction, by one of them. */
export interface Row {
  readonly direction: Direction;
  readonly subject: Workload;
}

/** A class of peers, by one of them; the second one stands in where the first is the subject itself. */
export interface PeerRow {
  readonly party: Party;
  readonly second: Workload | undefined;
  /** The workload by each of the addresses under which it is known elsewhere, where somebody tells them apart. */
  readonly pieces: Readonly<Record<Direction, Pieces>>;
  /** What one look costs, in looks at a peer that few address sets hold. */
  readonly weight: number;
}

/** Peers of one sort that no rule names get one answer; the second is there for the one that is the subject itself. */
const LOOKS = 2;

/** Which peers of a row have to be looked at: those that a rule of either side names, and of all others two of each sort. */
export class PeerChoice {
  readonly #question: EquivalenceQuestion;
  readonly #peers: readonly PeerRow[];
  readonly #parties: readonly Party[];
  /** Positions of peers by sort. */
  readonly #sorts: readonly (readonly number[])[];

  constructor(question: EquivalenceQuestion, peers: readonly PeerRow[]) {
    this.#question = question;
    this.#peers = peers;
    this.#parties = peers.map(({ party }) => party);
    this.#sorts = [...Map.groupBy(peers.keys(), (index) => sortOf(this.#parties[index]))].map(([, list]) => list);
  }

  of({ direction, subject }: Row): readonly PeerRow[] {
    const { intent, rendered } = this.#question;
    const meant = intent.namedAt?.(direction, subject, this.#parties);
    const read = rendered.namedAt?.(direction, subject, this.#parties);
    if (meant === undefined || read === undefined) return this.#peers;
    const named = new Set([...meant, ...read]);
    for (const sort of this.#sorts) {
      let looks = 0;
      for (const index of sort) {
        if (looks === LOOKS) break;
        if (meant.has(index) || read.has(index)) continue;
        named.add(index);
        looks += 1;
      }
    }
    return [...named].sort((a, b) => a - b).flatMap((index) => this.#peers[index] ?? []);
  }
}

/** Where it is and which address families it has: nothing else tells peers apart that no rule names. */
function sortOf(party: Party | undefined): string {
  if (party === undefined) return "";
  if (party.kind === "addresses") return familiesOf(party.addresses);
  const { target = "", addresses, shown, kind } = party.workload;
  return `${kind} ${kind === "pod" ? target : ""} ${familiesOf(addresses)} ${familiesOf(shown)}`;
}

function familiesOf({ v4, v6 }: AddressSet): string {
  return `${v4.length > 0 ? "4" : ""}${v6.length > 0 ? "6" : ""}`;
}
