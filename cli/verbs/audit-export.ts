import { exportTrail, type Export } from "../../adapters/trail/export.ts";
import { formatLogVerdict, logVerdictAnswer } from "../../core/text/verdict.ts";
import { auditFolder, type FolderOptions } from "../audit-folder.ts";
import { printResult } from "../output.ts";
import type { OutputOptions } from "../tree/common.ts";

/** `firebreak audit export DIR`: exit 1 when what was copied does not verify; it is exported all the same, as evidence. */
export async function auditExport(dir: string, options: FolderOptions & OutputOptions): Promise<number> {
  const copy = await exportTrail(await auditFolder(options), dir);
  await printResult(options.output, exportAnswer(copy), () => exportText(copy));
  return copy.verdict.verdict === "verified" ? 0 : 1;
}

function exportAnswer({ folder, size, verdict }: Export): unknown {
  return { folder, size, verdict: logVerdictAnswer(verdict, "beside") };
}

function exportText({ folder, size, verdict }: Export): string {
  return `exported ${size} entries to ${folder}: checkpoint, tile/ and verifier-key\n${formatLogVerdict(verdict, "beside")}`;
}
