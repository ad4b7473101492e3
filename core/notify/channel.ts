import type { Notice } from "./notice.ts";

/** What a channel can do with what it has told. */
export interface Capabilities {
  /** It can change a message in place; without it `edit` notices are not sent, the next message says it all. */
  readonly edit: boolean;
  /** Later messages of a group join the first. */
  readonly thread: boolean;
  /** It hears of the end. */
  readonly resolve: boolean;
  /** Longest body, bytes; a notice is cut to it, and says so. */
  readonly maxBytes: number;
}

/** What an earlier telling of the same group left at the channel, as text: a message id, an address in a thread. */
export type ChannelRef = string;

export interface Sending {
  /** What the channel returned for the group before; undefined for the first telling, and when the group begins anew. */
  readonly ref: ChannelRef | undefined;
  /** From 1. From 2 on the notice may have arrived already, unanswered: a channel that cannot drop repeats by their key looks first. */
  readonly attempt: number;
}

/** What would go out, exactly, without secrets: for `firebreak notify test`. */
export interface Preview {
  /** `POST https://HOST/…` with the secret part of the URL left out, or `mail to …`. */
  readonly to: string;
  /** By name; a secret, and what only the moment of sending gives, is `…`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One place where people are told. Each kind is one file in adapters/chat. */
export interface Channel {
  readonly capabilities: Capabilities;
  /**
   * Tells it, at least once.
   *
   * @returns what to remember for the next telling of the group
   * @throws FirebreakError CHANNEL_FAILED, RATE_LIMITED (with `retryAfterMs`), AUTH_DENIED, CHANNEL_REFUSED (the same will be refused again)
   */
  readonly send: (notice: Notice, sending: Sending, signal: AbortSignal) => Promise<ChannelRef | undefined>;
  readonly preview: (notice: Notice) => Preview;
}

/** The forge's issues are told like a channel, one issue per group. No channel of firebreak.yaml can have this name. */
export const ISSUES = "forge/issues";

/**
 * A group that comes back within this time goes on where it was: its issue is opened again, its thread goes on. Later it begins
 * anew, because nobody looks at an old thread.
 */
export const REJOIN_MS = 7 * 24 * 3_600_000;
