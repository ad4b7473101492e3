import { createHash } from "node:crypto";
import type { Direction } from "../model/kinds.ts";

/** The family and name of the one table we own on a host. */
export const FAMILY = "inet";
export const TABLE = "firebreak";

/** The set whose single element is the generation: the compare-and-swap of every transaction. */
export const FENCE = "fence";

/** A chain without a hook whose only rule carries our mark as its comment. */
export const ABOUT = "about";

/** Before the distribution's own filter chains at 0, so that a foreign accept does not matter and a foreign drop still closes. */
export const PRIORITY = -5;

/** NFLOG group of denials; readable inside a network namespace. */
export const LOG_GROUP = 5;

/** What both names and keywords of one direction are built from. */
export interface Side {
  readonly direction: Direction;
  readonly short: "in" | "out";
  /** Name of the base chain, and of its hook. */
  readonly hook: "input" | "output";
  /** The peer's end of a packet. */
  readonly peer: "saddr" | "daddr";
  readonly loopback: "iifname" | "oifname";
}

export const INGRESS: Side = { direction: "ingress", short: "in", hook: "input", peer: "saddr", loopback: "iifname" };
export const EGRESS: Side = { direction: "egress", short: "out", hook: "output", peer: "daddr", loopback: "oifname" };

const SPEAKABLE = /^[A-Za-z0-9._/-]+$/;
const LONGEST = 120;

/**
 * The name that stands for an origin in counters and sets.
 *
 * nft's text syntax (which the dead-man timer restores from) knows only some characters in names; what has others, or is too long,
 * becomes a digest. The kernel's limit is 255.
 */
export function originName(origin: string): string {
  if (SPEAKABLE.test(origin) && origin.length <= LONGEST) return origin;
  return `x/${shortDigest(origin)}`;
}

/** First 12 hex digits of the SHA-256. */
export function shortDigest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
