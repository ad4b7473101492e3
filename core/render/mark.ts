/**
 * What every object of ours carries, so that a process which remembers nothing can tell what is ours, from which revision,
 * and whether it was changed (docs/design/contracts.md "Store lost").
 */
export interface Mark {
  /** Id of the Firebreak installation; another installation's objects are foreign. */
  readonly instance: string;
  /** Sequence number of the revision. */
  readonly sequence: number;
  /** Digest of the want it renders, without the elements of address sets; hex, 16 characters. */
  readonly digest: string;
}

/**
 * The mark under which a host enforces what is wanted: the one that is there, where an earlier revision wanted the same. So a commit that
 * changes nothing for a host does not rewrite it.
 */
export function markToKeep(wanted: Mark, live: Mark | undefined): Mark {
  const isSame = live !== undefined && live.instance === wanted.instance && live.digest === wanted.digest;
  return isSame && live.sequence < wanted.sequence ? live : wanted;
}
