import { FirebreakError } from "../../core/ground/error.ts";

/** What a commit says of itself; nothing of it is proven (author and committer are what somebody typed). */
export interface CommitInfo {
  readonly commit: string;
  readonly tree: string;
  readonly parents: readonly string[];
  /** `Name <address>`. */
  readonly author: string;
  readonly committer: string;
  /** When it was committed, ms since the epoch, by the committer's clock. */
  readonly committedAt: number;
  readonly message: string;
  /** Whether there is a signature and of which kind; verifying it is another matter. */
  readonly signature: "none" | "ssh" | "pgp" | "x509" | "unknown";
}

/**
 * Parses a raw commit object.
 *
 * Our own, because isomorphic-git's commit model mistakes SSH signatures. Format: header lines (continued by a leading space), an
 * empty line, the message.
 */
export function parseCommit(commit: string, bytes: Uint8Array): CommitInfo {
  const text = new TextDecoder().decode(bytes);
  const gap = text.indexOf("\n\n");
  const headers = readHeaders(gap < 0 ? text : text.slice(0, gap));
  const tree = headers.find(([name]) => name === "tree")?.[1];
  if (tree === undefined) throw new FirebreakError("DEFINITION_INVALID", `commit ${commit} names no tree`);
  const committer = headers.find(([name]) => name === "committer")?.[1] ?? "";
  return {
    commit,
    tree,
    parents: headers.filter(([name]) => name === "parent").map(([, value]) => value),
    author: person(headers.find(([name]) => name === "author")?.[1] ?? ""),
    committer: person(committer),
    committedAt: Number(/ (\d+) [+-]\d{4}$/.exec(committer)?.[1] ?? 0) * 1000,
    message: gap < 0 ? "" : text.slice(gap + 2).replace(/\n$/, ""),
    signature: signatureKind(headers.find(([name]) => name === "gpgsig" || name === "gpgsig-sha256")?.[1]),
  };
}

function readHeaders(text: string): readonly (readonly [string, string])[] {
  const headers: [string, string][] = [];
  for (const line of text.split("\n")) {
    const last = headers.at(-1);
    if (line.startsWith(" ") && last !== undefined) {
      last[1] += `\n${line.slice(1)}`;
      continue;
    }
    const space = line.indexOf(" ");
    if (space > 0) headers.push([line.slice(0, space), line.slice(space + 1)]);
  }
  return headers;
}

function person(header: string): string {
  return header.replace(/ \d+ [+-]\d{4}$/, "");
}

function signatureKind(signature: string | undefined): CommitInfo["signature"] {
  if (signature === undefined) return "none";
  if (signature.startsWith("-----BEGIN SSH SIGNATURE-----")) return "ssh";
  if (signature.startsWith("-----BEGIN PGP SIGNATURE-----")) return "pgp";
  if (signature.startsWith("-----BEGIN SIGNED MESSAGE-----")) return "x509";
  return "unknown";
}
