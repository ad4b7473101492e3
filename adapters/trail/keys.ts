import { dirname } from "node:path";
import { formatSignerKey, type NoteSigner, parseSignerKey } from "../../core/audit/key.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import type { Disk } from "./disk.ts";
import { DurableFiles } from "./durable.ts";

/** Where a log's key lies: the secret (0600), its verifier key to be handed out, and the newest checkpoint it remembers. */
export interface KeyFiles {
  readonly secret: string;
  readonly verifier: string;
  readonly head: string;
}

/** The files of a key, from the path of the secret. */
export function keyFiles(privateKeyFile: string): KeyFiles {
  return { secret: privateKeyFile, verifier: `${privateKeyFile}.pub`, head: `${privateKeyFile}.head` };
}

/** Reads the key; undefined when there is none. Throws CONFIG_INVALID for a file that is no key, or the key of a log of another name. */
export async function readSigner(disk: Disk, files: KeyFiles, origin: string): Promise<NoteSigner | undefined> {
  const bytes = await disk.readFile(files.secret);
  if (bytes === undefined) return undefined;
  const signer = parseSignerKey(Buffer.from(bytes).toString());
  if (signer.verifier.name === origin) return signer;
  throw new FirebreakError(
    "CONFIG_INVALID",
    `open the audit log ${origin}: its key ${files.secret} is of the log ${signer.verifier.name}`,
  );
}

/** Makes a new key from 32 random bytes, the secret first: a verifier key without it would promise what nobody can sign. */
export async function createSigner(disk: Disk, files: KeyFiles, origin: string, seed: Uint8Array): Promise<NoteSigner> {
  const secret = formatSignerKey(origin, seed);
  const signer = parseSignerKey(secret);
  const durable = new DurableFiles(disk, dirname(files.secret));
  await durable.put([{ path: files.secret, bytes: Buffer.from(`${secret}\n`) }]);
  await durable.put([{ path: files.verifier, bytes: Buffer.from(`${signer.verifier.text}\n`) }]);
  return signer;
}
