import { execFile } from "node:child_process";
import { stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { totalmem } from "node:os";
import { promisify } from "node:util";
import packageJson from "../../package.json" with { type: "json" };
import type { SettingsFile } from "../../core/config/settings-schema.ts";
import { readSecret } from "../../services/secrets.ts";
import { failed, fail, ok, warn, type Check } from "./check.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** This machine and its programs. @param usesSsh whether a host is reached by ssh */
export async function checkMachine(usesSsh: boolean): Promise<readonly Check[]> {
  const programs = usesSsh ? (["git", "ssh", "ssh-keyscan"] as const) : (["git"] as const);
  const memory = totalmem();
  const memoryText = `${(memory / GIB).toFixed(1)} GiB`;
  return [
    ok("node", "version", `${process.version}; firebreak ${packageJson.version} needs ${packageJson.engines.node}`),
    memory < 1.5 * GIB
      ? warn("node", "memory", memoryText, "Give the service 1.5 GiB: guardrails of large clusters need it.")
      : ok("node", "memory", memoryText),
    checkParts(Object.keys(packageJson.optionalDependencies), isInstalled),
    ...(await Promise.all(programs.map(checkProgram))),
  ];
}

/** Packages that only the services need: npm leaves them out without a word when it runs on a Node that is too old for them. */
export function checkParts(names: readonly string[], isThere: (name: string) => boolean): Check {
  const missing = names.filter((name) => !isThere(name));
  if (missing.length === 0) return ok("node", "packages", `all ${names.length} of the service are installed`);
  const found = `not installed: ${missing.slice(0, 5).join(", ")}${missing.length > 5 ? ` and ${missing.length - 5} more` : ""}`;
  const remedy = `Run \`npm install --include=optional\` where Firebreak is installed, with npm itself on Node ${packageJson.engines.node}.`;
  return fail("node", "packages", `${found}; \`firebreak up\` cannot start`, remedy);
}

function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}

async function checkProgram(program: "git" | "ssh" | "ssh-keyscan"): Promise<Check> {
  const args = { git: ["--version"], ssh: ["-V"], "ssh-keyscan": ["-?"] }[program];
  const what =
    program === "git"
      ? "Install git: verbs that look into a clone need it."
      : "Install the OpenSSH client: hosts are reached with it.";
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, { timeout: 10_000 });
    return ok(program, "version", `${stdout}${stderr}`.trim().split("\n")[0] ?? "");
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOENT") return ok(program, "version", "is there");
    return program === "git"
      ? warn(program, "version", "is not installed", what)
      : fail(program, "version", "is not installed", what);
  }
}

/** The settings' secrets, the state folder and its disk. */
export async function checkSettings(settings: SettingsFile, environment: NodeJS.ProcessEnv): Promise<readonly Check[]> {
  const references = [...new Set(referencesIn(settings))];
  const secrets = await Promise.all(references.map(async (reference) => await checkSecret(reference, environment)));
  const files = [
    settings.kubernetes.kubeconfig,
    settings.readOnly.kubeconfig,
    settings.ssh.identityFile,
    settings.readOnly.identityFile,
  ];
  const keys = await Promise.all(files.map(async (file) => (file === undefined ? [] : await checkPrivate("settings", file))));
  return [...secrets.flat(), ...keys.flat(), ...(await checkState(settings.stateFolder)), checkWebhook(settings)];
}

async function checkSecret(reference: string, environment: NodeJS.ProcessEnv): Promise<readonly Check[]> {
  try {
    await readSecret(reference, environment);
  } catch (error) {
    return [failed("settings", reference, error)];
  }
  return reference.startsWith("file:")
    ? await checkPrivate("settings", reference.slice("file:".length))
    : [ok("settings", reference, "is set")];
}

/** A file that holds a secret: only its owner may read it. */
async function checkPrivate(area: string, file: string): Promise<readonly Check[]> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined)
    return [
      fail(
        area,
        file,
        "is not there",
        "Write it, or name another file in firebreak.yaml. `firebreak clusters setup CLUSTER --yes` writes a kubeconfig.",
      ),
    ];
  const mode = (found.mode & 0o777).toString(8).padStart(4, "0");
  if ((found.mode & 0o077) === 0) return [ok(area, file, `only its owner can read it (${mode})`)];
  return [warn(area, file, `others than its owner can read or write it (${mode})`, `chmod 600 ${file}`)];
}

async function checkState(folder: string): Promise<readonly Check[]> {
  const there = await stat(folder).catch(() => undefined);
  const disk = await statfs(there === undefined ? dirname(folder) : folder).catch(() => undefined);
  const checks: Check[] = [];
  if (there === undefined) checks.push(ok("state", folder, "is made at the first start"));
  else if ((there.mode & 0o077) === 0) checks.push(ok("state", folder, "only its owner can look into it"));
  else
    checks.push(
      warn("state", folder, "others than its owner can look into it, and the API's token is in it", `chmod 700 ${folder}`),
    );
  if (disk === undefined) return checks;
  const free = disk.bavail * disk.bsize;
  const found = `${(free / GIB).toFixed(1)} GiB free`;
  const remedy = "Make room: without it the audit log takes no entry, and nothing is changed anywhere.";
  if (free < 256 * MIB) checks.push(fail("state", "disk", found, remedy));
  else checks.push(free < 2 * GIB ? warn("state", "disk", found, remedy) : ok("state", "disk", found));
  return checks;
}

function checkWebhook({ repository }: SettingsFile): Check {
  if (repository.webhookSecret !== undefined) return ok("git", "webhook", "is on");
  if (!/^https?:/.test(repository.url)) return ok("git", "webhook", `is off; the branch is read every ${repository.poll / 1000} s`);
  const remedy = "Set repository.webhookSecret and the same secret at the forge: a push then counts at once.";
  return warn("git", "webhook", `is off; the branch is read every ${repository.poll / 1000} s`, remedy);
}

function referencesIn(value: unknown): readonly string[] {
  if (typeof value === "string") return /^(env|file):./.test(value) ? [value] : [];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(referencesIn) : [];
}
