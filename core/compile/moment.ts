import { definitionsAt } from "../model/expiry.ts";
import type { DefinitionsAt } from "../model/expiry.ts";
import type { Definitions } from "../model/kinds.ts";

interface Cut extends DefinitionsAt {
  readonly at: number;
}

/** The last answer per definitions: every target of a revision is compiled from the same object, so that what is derived is shared. */
const cuts = new WeakMap<Definitions, Cut>();

/**
 * The definitions as they hold at one moment (ms since the epoch), see `definitionsAt`.
 *
 * @param now undefined in what a version stored that knew no expiry: whatever can expire is closed
 */
export function definitionsOf(definitions: Definitions, now: number | undefined): DefinitionsAt {
  const moment = now ?? Number.MAX_SAFE_INTEGER;
  const known = cuts.get(definitions);
  if (known !== undefined && known.at <= moment && moment < (known.nextExpiry ?? Number.POSITIVE_INFINITY)) return known;
  const cut = { ...definitionsAt(definitions, moment), at: moment };
  cuts.set(definitions, cut);
  return cut;
}
