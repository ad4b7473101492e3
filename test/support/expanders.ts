/**
 * Replays a sequence of states in every way a process may meet it: forwards, reversed, split into single changes, squashed, with
 * every state twice, and with empty states between. What a target ends in may depend on the last state only.
 *
 * A state is a map of things by key. Split adds and changes in key order and then removes in reverse key order, so keys must sort
 * what is referred to (segments) before what refers to it (policies).
 */
export type State = ReadonlyMap<string, unknown>;

/** One way of replaying, ready to step through. */
export interface Replay {
  readonly name: string;
  readonly states: readonly State[];
}

const EMPTY: State = new Map();

/** All replays of one sequence. Avoid symmetric sequences: reversed, they test nothing new. */
export function expand(sequence: readonly State[]): readonly Replay[] {
  const reversed = sequence.toReversed();
  return [
    { name: "forwards", states: sequence },
    { name: "reversed", states: reversed },
    { name: "split", states: split(sequence) },
    { name: "split, reversed", states: split(reversed) },
    { name: "squashed", states: [...sequence.slice(0, 1), ...sequence.slice(-1)] },
    { name: "only the last", states: sequence.slice(-1) },
    { name: "every state twice", states: sequence.flatMap((state) => [state, state]) },
    { name: "with empty states between", states: sequence.flatMap((state) => [EMPTY, state]) },
    { name: "ending empty", states: [...sequence, EMPTY] },
  ];
}

function split(sequence: readonly State[]): readonly State[] {
  const states: State[] = [];
  let current: State = EMPTY;
  for (const next of sequence) {
    for (const key of [...next.keys()].sort()) {
      if (JSON.stringify(current.get(key)) === JSON.stringify(next.get(key)) && current.has(key)) continue;
      current = new Map([...current, [key, next.get(key)]]);
      states.push(current);
    }
    for (const key of [...current.keys()].sort().reverse()) {
      if (next.has(key)) continue;
      current = new Map([...current].filter(([name]) => name !== key));
      states.push(current);
    }
  }
  return states;
}
