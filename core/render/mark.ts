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
  /** On live objects: what says that Firebreak itself gave this object this number; see `services/syncer/seals.ts`. */
  readonly seal?: string;
}
