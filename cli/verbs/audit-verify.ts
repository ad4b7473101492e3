import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { VERIFIER_KEY_PATH } from "../../adapters/trail/open.ts";
import { verifyTrail } from "../../adapters/trail/verify.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { formatLogVerdict, logVerdictAnswer, type KeySource } from "../../core/text/verdict.ts";
import { auditFolder, type FolderOptions } from "../audit-folder.ts";
import { printResult } from "../output.ts";
import type { OutputOptions } from "../tree/common.ts";

/** What `firebreak audit verify` takes. */
export interface VerifyOptions extends FolderOptions, OutputOptions {
  readonly key?: string;
  readonly checkpoint?: string;
}

/** A verifier key in its text form; anything else is the name of a file. */
const KEY_TEXT = /^\S+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/;

/** `firebreak audit verify`: exit 1 when the log is rejected. Without `--key` it says that this proves less. */
export async function auditVerify(options: VerifyOptions): Promise<number> {
  const folder = await auditFolder(options);
  const keySource: KeySource = options.key === undefined ? "beside" : "pinned";
  const verifierKey = await readKey(options.key ?? join(folder, VERIFIER_KEY_PATH));
  const olderCheckpoint = options.checkpoint === undefined ? undefined : await readText(options.checkpoint, "the older checkpoint");
  const verdict = await verifyTrail(folder, { verifierKey, olderCheckpoint });
  await printResult(options.output, logVerdictAnswer(verdict, keySource), () => formatLogVerdict(verdict, keySource));
  return verdict.verdict === "verified" ? 0 : 1;
}

async function readKey(key: string): Promise<string> {
  return KEY_TEXT.test(key) ? key : await readText(key, "the verifier key");
}

async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new FirebreakError("NOT_FOUND", `read ${what} from ${file}`, { cause });
  }
}
