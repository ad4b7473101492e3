/** The last step: the audit log is verified with the pinned key, and a copy that was tampered with is refused. */
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exportTrail } from "../../adapters/trail/export.ts";
import { verifyTrail } from "../../adapters/trail/verify.ts";
import { expect, type Step } from "./step.ts";
import { fromHere, type Stage } from "./stage.ts";

export const auditStep: Step<Stage> = {
  title: "The audit log is verified, and a forged copy is refused",
  async run({ world, service, voice }) {
    const { auditFolder, pinnedKey, firstCheckpoint } = service;
    const verdict = await verifyTrail(auditFolder, { verifierKey: pinnedKey, olderCheckpoint: firstCheckpoint });
    if (verdict.verdict === "rejected") throw new Error(`the log is rejected: ${verdict.reason}: ${verdict.why}`);
    const { size, origin, root } = verdict.checkpoint;
    voice.detail("log", fromHere(auditFolder));
    voice.detail("verified", `${size} entries of ${origin}, with the key pinned when the log was new`);
    voice.detail("head", `root ${Buffer.from(root).toString("base64")}, consistent with the first checkpoint`);
    expect(size > 0, "the log has entries");

    const copy = join(world.run.folder, "forged-audit");
    await exportTrail(auditFolder, copy); // the service goes on writing
    await forge(join(copy, "tile", "entries"));
    const refused = await verifyTrail(copy, { verifierKey: pinnedKey, olderCheckpoint: firstCheckpoint });
    if (refused.verdict !== "rejected") throw new Error("a copy with a changed entry was not refused");
    const where = refused.index === undefined ? "" : `, first at entry ${refused.index}`;
    voice.detail("forged", `one letter of an entry changed in a copy: refused (${refused.reason}${where})`);
  },
};

/** Changes one letter in every bundle of entries. */
async function forge(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path);
    const at = bytes.indexOf("revision"); // the first word of many that are in every log
    if (at < 0) continue;
    bytes[at] = "R".charCodeAt(0);
    await writeFile(path, bytes);
  }
}
