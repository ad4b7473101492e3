import { createHash, randomBytes } from "node:crypto";
import type { Access } from "./access.ts";

const LINK_LIVES_MS = 5 * 60_000;
const SESSION_LIVES_MS = 12 * 3_600_000;
/** A screen on a wall may look for long; it can change nothing. */
const VIEW_LIVES_MS = 30 * 24 * 3_600_000;
const MOST_LINKS = 100;
const MOST_SESSIONS = 1_000;

/** What a person who signed in may do, and until when (ms). */
export interface Session {
  readonly access: Exclude<Access, "none">;
  readonly csrf: string;
  readonly expiresAt: number;
  /** Digest of `api.token` as it was: a session ends with the token that its link came from. */
  readonly madeWith: string;
}

type Link = Pick<Session, "access" | "expiresAt" | "madeWith">;

/**
 * Links that count once, and the sessions that came of them. In memory: a restart signs everybody out.
 *
 * Codes and cookies are kept as digests, so that nothing here lets anybody in. Both are bounded: the oldest goes.
 */
export class Sessions {
  readonly #links = new Map<string, Link>();
  readonly #sessions = new Map<string, Session>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A code for somebody who showed `token`. */
  link(access: Session["access"], token: string): { readonly code: string; readonly expiresAt: number } {
    const code = secret();
    const expiresAt = this.#now() + LINK_LIVES_MS;
    keep(this.#links, digestOf(code), { access, expiresAt, madeWith: digestOf(token) }, MOST_LINKS);
    return { code, expiresAt };
  }

  /** Takes a code for a session; undefined for one that was used, is too old, or never was. */
  redeem(code: string, token: string): { readonly id: string; readonly session: Session } | undefined {
    const key = digestOf(code);
    const link = this.#links.get(key);
    this.#links.delete(key);
    if (link === undefined || !this.#counts(link, token)) return undefined;
    const id = secret();
    const lives = link.access === "full" ? SESSION_LIVES_MS : VIEW_LIVES_MS;
    const session = { access: link.access, csrf: secret(), expiresAt: this.#now() + lives, madeWith: link.madeWith };
    keep(this.#sessions, digestOf(id), session, MOST_SESSIONS);
    return { id, session };
  }

  /** The session of a cookie, while `token` is still the one that it came from. */
  find(id: string | undefined, token: string): Session | undefined {
    if (id === undefined) return undefined;
    const key = digestOf(id);
    const session = this.#sessions.get(key);
    if (session === undefined || this.#counts(session, token)) return session;
    this.#sessions.delete(key);
    return undefined;
  }

  end(id: string): void {
    this.#sessions.delete(digestOf(id));
  }

  #counts({ expiresAt, madeWith }: Pick<Session, "expiresAt" | "madeWith">, token: string): boolean {
    return expiresAt > this.#now() && madeWith === digestOf(token);
  }
}

function keep<T>(all: Map<string, T>, key: string, value: T, most: number): void {
  all.set(key, value);
  const [oldest] = all.keys();
  if (all.size > most && oldest !== undefined) all.delete(oldest);
}

function secret(): string {
  return randomBytes(32).toString("base64url");
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}
