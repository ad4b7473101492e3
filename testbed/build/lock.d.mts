/** Types of lock.mjs. */
/** Clock ticks since boot at which a process started; undefined when it does not run; "unknown" where the system does not tell. */
export function startOf(pid: number): string | undefined;
/** Runs `work` while holding the lock file; waits for a living owner, takes over from a dead one. */
export function withLock<T>(
  path: string,
  options: { readonly log: (line: string) => void; readonly signal?: AbortSignal },
  work: () => Promise<T>,
): Promise<T>;
