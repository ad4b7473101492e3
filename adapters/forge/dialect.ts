import type { Check, Committed, Forge, ForgeKind, NewCommit } from "../../core/forge/forge.ts";
import type { RequestLimits } from "./client.ts";
import type { ComparedComment } from "./first-texts.ts";
import type { PullDialect } from "./pulls.ts";

/** Where the forges part ways; all else is done alike in `open.ts`. */
export interface ForgeDialect extends PullDialect, Pick<Forge, "createBranch" | "deleteBranch"> {
  readonly kind: ForgeKind;
  /** Where CODEOWNERS may be; the first that is there counts. */
  readonly codeowners: readonly string[];
  readSelf(request: RequestLimits): Promise<string | undefined>;
  readMoved(number: number, request: RequestLimits): Promise<string | undefined>;
  /** Ids of those comments whose text somebody changed, however soon, or may have; all of them are given unedited by their times. */
  findEdited(
    comments: readonly (ComparedComment & { readonly node_id?: string })[],
    request: RequestLimits,
  ): Promise<ReadonlySet<number>>;
  putCheck(commit: string, name: string, check: Check, request: RequestLimits): Promise<"check" | "status">;
  commitFiles(commit: NewCommit, request: RequestLimits): Promise<Committed>;
}
