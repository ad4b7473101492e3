import { FirebreakError } from "../core/ground/error.ts";
import type { TargetId } from "../core/model/kinds.ts";

/**
 * Refuses a cluster that is another one than was last known under its name: a context leads elsewhere. What is known of the name
 * (applied revision, membership, findings) is of the other cluster, and what is written would be enforced in the wrong one.
 *
 * @param known the UID of kube-system as recorded; null or empty before the first run
 * @throws FirebreakError TARGET_REPLACED
 */
export function refuseReplaced(id: TargetId, known: string | null | undefined, live: string): void {
  if (!isReplaced(known, live)) return;
  throw new FirebreakError(
    "TARGET_REPLACED",
    `${id} is not written: the cluster that answers has the UID ${live === "" ? "(none)" : live}, and the one known under this name ` +
      `has ${known}. Mend its context in the kubeconfig or in Git; if it was meant to be replaced, run ` +
      `\`firebreak reconcile ${id} --replaced ${live}\``,
  );
}

/** True when the cluster that answers is not the one that is known. The log and the store may each know of one. */
export function isReplaced(known: string | null | undefined, live: string): boolean {
  return known !== null && known !== undefined && known !== "" && known !== live;
}
