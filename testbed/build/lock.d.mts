/** Types of lock.mjs. */
/** Clock ticks since boot at which a process started; undefined when it does not run; "unknown" where the system does not tell. */
export function startOf(pid: number): string | undefined;
