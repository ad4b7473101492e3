import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SettingsFile } from "../../core/config/settings-schema.ts";
import { gitAuth } from "../../services/git-auth.ts";
import { fail, ok, trying, warn, type Check } from "./check.ts";

/** The repository of definitions: whether its branch can be read with what the settings say. */
export async function checkRepository(
  settings: SettingsFile,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const { url, branch, path } = settings.repository;
  return await trying("git", "branch", async () => {
    const { openRepository } = await import("../../adapters/git/index.ts");
    const folder = await mkdtemp(join(tmpdir(), "fb-doctor-"));
    try {
      const repository = openRepository({ url, branch, path, folder, auth: await gitAuth(settings, environment) });
      const head = await repository.fetchHead(signal);
      const files = await repository.readDefinitions(head, signal);
      const found = `${branch} is at ${head.slice(0, 10)}, files below ${path || "."}: ${files.length}`;
      if (files.length > 0) return [ok("git", "branch", found)];
      return [warn("git", "branch", found, "repository.path names the folder of the definitions; commit them, or mend the path.")];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** The forge's token: who it is, and what it may do. */
export async function checkForge(
  settings: SettingsFile,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  if (settings.forge === undefined) return [];
  return await trying("forge", "rights", async () => {
    const { openForgeOf } = await import("../../services/forge.ts");
    const forge = await openForgeOf(settings, environment);
    if (forge === undefined) return [];
    await forge.listPulls(settings.repository.branch, signal);
    const self = await forge.readSelf(signal);
    if (self === undefined)
      return [ok("forge", "rights", `reads pull requests of ${forge.repository}; who it is, the forge does not say`)];
    const permission = await forge.readPermission(self, signal);
    const found = `${self} has ${permission} on ${forge.repository}`;
    if (permission === "write" || permission === "admin") return [ok("forge", "rights", found)];
    const remedy = "Give the account write: comments, checks, issues and pull requests of drift need it.";
    return [fail("forge", "rights", found, remedy)];
  });
}
