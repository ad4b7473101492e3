import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import type { SettingsFile } from "../../core/config/settings-schema.ts";
import { visible } from "../../core/ground/visible.ts";
import { listTargets, type Target } from "../../core/model/target.ts";
import { unknownTarget } from "../../core/model/unknown-name.ts";
import { fail, failed, ok, trying, type Check } from "../doctor/check.ts";
import { checkMachine, checkSettings } from "../doctor/machine.ts";
import { checkForge, checkRepository } from "../doctor/repository.ts";
import { checkServers } from "../doctor/servers.ts";
import { loadDefinitions } from "../definitions.ts";
import { printResult } from "../output.ts";
import { loadSettings } from "../settings.ts";
import type { ConfigOptions, OutputOptions } from "../tree/common.ts";

/** What `firebreak doctor` takes. */
export interface DoctorOptions extends ConfigOptions, OutputOptions {
  readonly definitions?: string;
  readonly target?: string;
}

const AT_ONCE = 8;
/** For one target, or one other thing. */
const PATIENCE_MS = 60_000;

/** `firebreak doctor`: looks at all that the service depends on, with the service's own credentials; exit 1 when something fails, else 0. */
export async function doctor(options: DoctorOptions): Promise<number> {
  const checks = await checkAll(options);
  const failures = checks.filter(({ state }) => state === "fail").length;
  const warnings = checks.filter(({ state }) => state === "warn").length;
  await printResult(options.output, { checks, failed: failures, warned: warnings }, () => formatChecks(checks, failures, warnings));
  return failures === 0 ? 0 : 1;
}

async function checkAll(options: DoctorOptions): Promise<readonly Check[]> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  let settings: SettingsFile;
  try {
    settings = await loadSettings(options.config);
  } catch (error) {
    return [...(await checkMachine(true)), failed("settings", options.config, error)];
  }
  const all = await targetsOf(settings, options);
  const targets = all.targets.filter(({ id }) => options.target === undefined || id === options.target);
  if (options.target !== undefined && targets.length === 0)
    throw unknownTarget(
      options.target,
      all.targets.map(({ id }) => id),
    );
  const usesSsh = all.targets.some((target) => target.kind === "host" && target.fleet.transport.kind === "ssh");
  return [
    ...(await checkMachine(usesSsh)),
    ok("settings", options.config, "reads"),
    ...(await checkSettings(settings, process.env)),
    ...(await checkServers(settings, process.env)),
    ...all.checks,
    ...(await checkRepository(settings, process.env, signal)),
    ...(await checkForge(settings, process.env, signal)),
    ...(await checkTargets(targets, settings)),
  ];
}

/** Targets of the definitions here. */
async function targetsOf(
  settings: SettingsFile,
  options: DoctorOptions,
): Promise<{ readonly targets: readonly Target[]; readonly checks: readonly Check[] }> {
  let loaded: Awaited<ReturnType<typeof loadDefinitions>>;
  try {
    loaded = await loadDefinitions({ dir: options.definitions }, settings);
  } catch (error) {
    return { targets: [], checks: [failed("definitions", options.definitions ?? settings.repository.path, error)] };
  }
  const { definitions, folder, files } = loaded;
  if (definitions === undefined) {
    const remedy = "firebreak validate lists every error with file and line";
    return { targets: [], checks: [fail("definitions", folder, "hold errors, so that no target is known", remedy)] };
  }
  const targets = listTargets(definitions);
  return { targets, checks: [ok("definitions", folder, `files: ${files}, targets: ${targets.length}`)] };
}

async function checkTargets(targets: readonly Target[], settings: SettingsFile): Promise<readonly Check[]> {
  const controlFolder = await mkdtemp(join(tmpdir(), "fb-doctor-"));
  const limit = pLimit(AT_ONCE);
  try {
    const found = await Promise.all(targets.map((target) => limit(async () => await checkTarget(target, settings, controlFolder))));
    return found.flat();
  } finally {
    await rm(controlFolder, { recursive: true, force: true });
  }
}

async function checkTarget(target: Target, settings: SettingsFile, controlFolder: string): Promise<readonly Check[]> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  return await trying(target.id, "reach", async () => {
    if (target.kind === "cluster") {
      const { checkCluster } = await import("../doctor/clusters.ts");
      return await checkCluster(target.cluster, settings, signal);
    }
    const { checkHost } = await import("../doctor/hosts.ts");
    return await checkHost(target, settings, controlFolder, signal);
  });
}

function formatChecks(checks: readonly Check[], failures: number, warnings: number): string {
  const lines = withoutRepeats(checks);
  const width = Math.max(...lines.map(({ area }) => area.length));
  const text = lines.flatMap(({ area, name, state, found, remedy }, index) => [
    `${state.padEnd(4)}  ${visible(area).padEnd(width)}  ${visible(name)}: ${visible(found)}`,
    // What is to be done about several in a row is said once, below the last of them.
    ...(remedy === null || lines[index + 1]?.remedy === remedy ? [] : [`${" ".repeat(width + 8)}→ ${visible(remedy)}`]),
  ]);
  const good = checks.length - failures - warnings;
  return [...text, "", `${good} as they should be, ${warnings} to know of, ${failures} that do not work`].join("\n");
}

/** What is the same of many targets is one line, where it was first found. */
function withoutRepeats(checks: readonly Check[]): readonly Check[] {
  const alike = Map.groupBy(checks, ({ name, state, found, remedy }) => JSON.stringify([name, state, found, remedy]));
  return [...alike.values()].flatMap(([first, ...more]) => {
    if (first === undefined) return [];
    return [more.length === 0 ? first : { ...first, area: `${first.area} and ${more.length} more` }];
  });
}
