import type { TargetId } from "../../core/model/kinds.ts";
import type { HostObservation } from "../../core/observed/observation.ts";
import type { HostStep } from "../../core/plan/plan.ts";
import type { Readback } from "./readback.ts";
import type { SshTransport } from "./ssh.ts";

/**
 * Where a host is. `local` is the machine itself; `netns` a network namespace of it (tests and the demonstration's world).
 */
export type HostTransport = SshTransport | { readonly kind: "local" } | { readonly kind: "netns"; readonly name: string };

/** apply: the full scripts, with `sudo -n nft` where the user is not root · readback: a key whose forced command is the read-back. */
export type HostAccess = "apply" | "readback";

/** The steps of an apply, in order; told after each so that tests can end the process there. */
export type ApplyStage = "snapshot" | "arm" | "load" | "confirm" | "disarm";

/** Reads what the read-back script printed; see `parseReadback`. */
export type ReadAnswer = (text: string, signal: AbortSignal) => Promise<Readback>;

export interface OpenHostOptions {
  readonly target: TargetId;
  readonly transport: HostTransport;
  readonly access: HostAccess;
  /** Ends everything that is under way. */
  readonly signal: AbortSignal;
  /** ms since the epoch. */
  readonly now: () => number;
  /** What the host may send at most when it is read back; more is HOST_NOT_UNDERSTOOD. 16 MiB when absent. */
  readonly maxReadBytes?: number;
  /** Whether the ruleset is to be kept for the next start: told on in observations. False when absent. */
  readonly keepForStart?: boolean;
  /** Who reads what the host answers: root of it sizes that. Absent: this process. */
  readonly readAnswer?: ReadAnswer;
  /** Told after each stage of an apply. */
  readonly onStep?: (stage: ApplyStage) => void | Promise<void>;
}

export interface ApplyOptions {
  /** How long the host waits for our confirmation before it restores what it had. At least 2. */
  readonly deadManSeconds: number;
  readonly signal: AbortSignal;
  /** Asked when the host has kept what is in force, before anything changes there: what it throws ends the apply. */
  readonly mayLoad?: () => Promise<void>;
  /** Whether to read the host back over the connection that confirmed. */
  readonly readBack?: boolean;
}

/**
 * confirmed: the host was reached over a new connection with the new generation in force, and the timer is off.
 * `seen` is what was read back after that; absent when it was not asked for, or is to be asked for by `observe`.
 * Not confirmed: `restored` says whether the previous ruleset was seen in force again; false means that nobody could see.
 */
export type ApplyOutcome =
  | { readonly confirmed: true; readonly seen?: HostObservation }
  | { readonly confirmed: false; readonly restored: boolean };

/**
 * A host that can be read and written. Not for two applies at once: targets have one writer (docs/design/contracts.md "Work,
 * queue, store").
 */
export interface HostConnection extends AsyncDisposable {
  /**
   * Everything in one command (two, where nft breaks off in the middle of its listing). `partial` when any part of it did not come back whole.
   *
   * Throws HOST_UNREACHABLE, HOST_KEY_CHANGED, HOST_KEY_UNKNOWN, AUTH_DENIED, HOST_REFUSED, HOST_NOT_UNDERSTOOD.
   */
  observe(signal: AbortSignal): Promise<HostObservation>;
  /**
   * One transaction under a dead-man timer on the host.
   *
   * Throws PLAN_STALE when the fence has moved on (nothing applied), APPLY_REFUSED when the host does not take the transaction (nothing
   * applied), APPLY_NOT_CONFIRMED when the timer ran out before anything was sent, and what `observe` throws until then.
   */
  apply(step: HostStep, options: ApplyOptions): Promise<ApplyOutcome>;
  /**
   * Keeps a ruleset (as `bootText` writes it) for the next start of the host, or with undefined nothing any more. Does nothing where neither
   * systemd nor OpenRC runs. Throws HOST_REFUSED, APPLY_REFUSED, and what `observe` throws for a host that cannot be reached.
   */
  keep(text: string | undefined, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
