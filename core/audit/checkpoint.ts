/** Checkpoints: C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint). A signed note whose text is origin, size and root. */
import { decodeBase64, type NoteSigner, type NoteVerifier } from "./key.ts";
import { HASH_BYTES, type Hash, isTreeSize } from "./merkle.ts";
import { openNote, signNote } from "./note.ts";

/** A tree head: how many entries, and the root over them. */
export interface Checkpoint {
  /** The log's name, also the name of its key. */
  readonly origin: string;
  readonly size: number;
  readonly root: Hash;
}

/** What opening a checkpoint gave; `why` is a sentence for people. */
export type OpenedCheckpoint =
  | { readonly verdict: "verified"; readonly checkpoint: Checkpoint }
  | {
      readonly verdict: "rejected";
      readonly reason: "note-malformed" | "signature-invalid" | "key-unknown" | "checkpoint-malformed" | "origin-mismatch";
      readonly why: string;
    };

/** The three lines of a checkpoint, unsigned. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString("base64")}\n`;
}

/** A signed checkpoint as it is stored and sent. */
export function signCheckpoint(checkpoint: Checkpoint, signer: NoteSigner): string {
  return signNote(formatCheckpoint(checkpoint), [signer]);
}

/** Reads the text of a checkpoint; undefined when it is none. Extension lines after the root are allowed and ignored. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [origin = "", decimal = "", encoded = "", ...rest] = text.split("\n");
  const size = Number(decimal);
  const root = decodeBase64(encoded);
  if (origin === "" || !/^(0|[1-9][0-9]*)$/.test(decimal) || !isTreeSize(size)) return undefined;
  if (root?.length !== HASH_BYTES || rest.at(-1) !== "" || rest.slice(0, -1).includes("")) return undefined;
  return { origin, size, root };
}

/** Opens a signed checkpoint of the log that the key is named after: the origin line must be the key's name. */
export function openCheckpoint(bytes: Uint8Array, verifier: NoteVerifier): OpenedCheckpoint {
  const note = openNote(bytes, [verifier]);
  if (note.verdict === "rejected") return note;
  const checkpoint = parseCheckpoint(note.text);
  if (checkpoint === undefined) {
    return { verdict: "rejected", reason: "checkpoint-malformed", why: "the signed text is not origin, size and root" };
  }
  if (checkpoint.origin !== verifier.name) {
    return {
      verdict: "rejected",
      reason: "origin-mismatch",
      why: `it is of the log ${checkpoint.origin}, not of ${verifier.name}`,
    };
  }
  return { verdict: "verified", checkpoint };
}
