import { auditFolder, readCheckpoint, type FolderOptions } from "../audit-folder.ts";

/** `firebreak audit checkpoint`: the signed text as it is, byte for byte, because its signature covers it. */
export async function auditCheckpoint(options: FolderOptions): Promise<number> {
  process.stdout.write(await readCheckpoint(await auditFolder(options)));
  return 0;
}
