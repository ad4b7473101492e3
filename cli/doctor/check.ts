import { codeOf, ERRORS, errorChain } from "../../core/ground/error.ts";

export type CheckState = "ok" | "warn" | "fail";

/** One thing that was looked at. A stable contract: `firebreak doctor -o json`. */
export interface Check {
  /** `node`, `settings`, `postgres`, `redis`, `git`, `forge`, or a target. */
  readonly area: string;
  /** What was looked at. */
  readonly name: string;
  readonly state: CheckState;
  /** What was found. */
  readonly found: string;
  /** What to do; null when nothing is. */
  readonly remedy: string | null;
}

/** As it should be. */
export function ok(area: string, name: string, found: string): Check {
  return { area, name, state: "ok", found, remedy: null };
}

/** Works, and somebody should know. */
export function warn(area: string, name: string, found: string, remedy: string): Check {
  return { area, name, state: "warn", found, remedy };
}

/** Does not work. */
export function fail(area: string, name: string, found: string, remedy: string): Check {
  return { area, name, state: "fail", found, remedy };
}

/** What a failed try means: its words, and what the table of error codes says to do. */
export function failed(area: string, name: string, error: unknown): Check {
  const [first = "", ...causes] = errorChain(error);
  const found = [first, ...causes.slice(-1)].join("; ").slice(0, 600);
  return fail(area, name, found, ERRORS[codeOf(error)].means);
}

/** Runs checks of one thing; what they throw is one more that failed. */
export async function trying(area: string, name: string, work: () => Promise<readonly Check[]>): Promise<readonly Check[]> {
  try {
    return await work();
  } catch (error) {
    return [failed(area, name, error)];
  }
}

/** A clock that is this far from ours. @param seconds theirs minus ours */
export function clockCheck(area: string, seconds: number): Check {
  const off = Math.abs(seconds);
  const found = off < 2 ? "as ours" : `${Math.round(off)} s ${seconds > 0 ? "ahead of" : "behind"} ours`;
  const remedy = "Let chrony, ntpd or systemd-timesyncd set both clocks: certificates, tokens and expiry dates depend on them.";
  if (off >= 60) return fail(area, "clock", found, remedy);
  return off >= 5 ? warn(area, "clock", found, remedy) : ok(area, "clock", found);
}
