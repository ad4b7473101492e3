import { API, type StatusAnswer } from "../core/api/shapes.ts";
import { unknownName } from "../core/model/unknown-name.ts";
import { FirebreakError } from "../core/ground/error.ts";
import type { ApiClient } from "./api.ts";
import { commitNamed, findClone } from "./git-clone.ts";
import { tell } from "./output.ts";

const WHOLE = /^[0-9a-f]{40}([0-9a-f]{24})?$/;
/** Fewer digits are no id, and four digits may be the number of a revision. */
const SHORT = /^[0-9a-f]{7,63}$/;

/** True for an id with all its digits: of SHA-1, or of SHA-256. */
export function isWhole(name: string): boolean {
  return WHOLE.test(name);
}

/** The commits that a service speaks of. */
export function commitsOf({ revision, repository }: StatusAnswer): readonly string[] {
  return [repository.refused?.commit, repository.head ?? undefined, revision?.commit].filter((commit) => commit !== undefined);
}

/**
 * The whole id that somebody means: one of these that begins with it.
 *
 * @returns undefined when none does
 * @throws FirebreakError USAGE when it is no commit id, or several begin with it: nobody is to guess which was meant
 */
export function wholeCommit(name: string, known: readonly string[]): string | undefined {
  if (isWhole(name)) return name;
  if (!SHORT.test(name))
    throw new FirebreakError(
      "USAGE",
      `${JSON.stringify(name)} is no commit id: at least 7 hexadecimal digits; git rev-parse prints it`,
    );
  const found = [...new Set(known)].filter((commit) => commit.startsWith(name));
  if (found.length > 1) throw new FirebreakError("USAGE", `${name} may be ${found.join(" or ")}: say more of it`);
  if (found[0] !== undefined) tell(`${name} is ${found[0]}`);
  return found[0];
}

/** As {@link wholeCommit}, also of the clone that we are in. @throws FirebreakError NOT_FOUND */
export async function wholeCommitHere(name: string, known: readonly string[]): Promise<string> {
  const found = wholeCommit(name, known);
  if (found !== undefined) return found;
  const clone = await findClone(".");
  if (clone === undefined) throw unknownName("commit", name, known, "Say the whole id: git rev-parse prints it");
  return await commitNamed(clone, name); // git refuses what may be several
}

/** The number of a revision, or the whole id of a commit; of a short one the service is asked. @throws FirebreakError NOT_FOUND, USAGE */
export async function revisionOf(api: ApiClient, name: string): Promise<string> {
  if (/^[0-9]{1,9}$/.test(name) || isWhole(name)) return name;
  const known = commitsOf(await api.get<StatusAnswer>(API.status));
  const found = wholeCommit(name, known);
  if (found !== undefined) return found;
  throw unknownName("commit", name, known, "Say the whole id, or the number of a revision: firebreak audit log lists them");
}
