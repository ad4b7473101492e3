import { mkdtemp, rm } from "node:fs/promises";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FirebreakError } from "../../core/ground/error.ts";
import { findTarget, listTargets, type Target } from "../../core/model/target.ts";
import { unknownTarget } from "../../core/model/unknown-name.ts";
import type { SettingsFile } from "../../core/config/settings-schema.ts";
import { publicKeyOf, runAsAdmin } from "../../adapters/nftables/admin.ts";
import { openHost } from "../../adapters/nftables/index.ts";
import { fingerprintOf, pinHostKey, pinnedKeys, scanHostKey } from "../../adapters/nftables/pin.ts";
import { setupScript } from "../../adapters/nftables/setup-script.ts";
import { askYes } from "../ask.ts";
import { requireDefinitions } from "../definitions.ts";
import { tell } from "../output.ts";
import { loadSettings } from "../settings.ts";
import type { ConfigOptions } from "../tree/common.ts";

/** What `firebreak hosts setup` takes. */
export interface HostsSetupOptions extends ConfigOptions, AdminOptions {
  readonly definitions?: string;
  readonly yes?: true;
  readonly pin?: true;
  readonly fingerprint?: string;
}

type HostTarget = Extract<Target, { kind: "host" }>;

/** Where a host is, and what of firebreak.yaml it takes to reach it. */
export interface Reach {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly identityFile: string;
  readonly knownHosts: string;
}

/**
 * `firebreak hosts setup HOST`: prints what root runs on the host; `--pin` pins its key after its fingerprint was confirmed; `--yes` pins,
 * runs the script over ssh as `--admin`, and reads the host back as the service will.
 */
export async function hostsSetup(name: string, options: HostsSetupOptions): Promise<number> {
  const settings = await loadSettings(options.config);
  const signal = new AbortController().signal;
  const reach = await reachOf(name, options.definitions, settings);
  if (options.pin === true || options.yes === true) await pin(reach, options, signal);
  if (options.yes !== true) {
    if (options.pin === true) return 0;
    process.stdout.write(await scriptFor(reach, settings, signal));
    tell(`this is what root runs on ${name}: pipe it to \`ssh root@${reach.address} sh -s\`, or let --yes do it`);
    tell(`then pin its key: firebreak hosts setup ${name} --pin`);
    return 0;
  }
  tell(await runByAdmin(reach, options, await scriptFor(reach, settings, signal), signal));
  await proveIt(reach, settings, signal);
  return 0;
}

/** Who logs in to run a script once. */
export interface AdminOptions {
  readonly admin: string;
  readonly adminKey?: string;
}

/** Runs a script on a host as root, against its pinned key; what it said. */
export async function runByAdmin(
  reach: Reach,
  { admin, adminKey }: AdminOptions,
  script: string,
  signal: AbortSignal,
): Promise<string> {
  const { id: target, address, port, knownHosts: knownHostsFile } = reach;
  const access = { target, address, port, user: admin, identityFile: adminKey, knownHostsFile };
  return (await runAsAdmin(access, script, process.env["SSH_AUTH_SOCK"], signal)).trimEnd();
}

/** How a host of the definitions is reached. @throws FirebreakError NOT_FOUND, USAGE for this machine, CONFIG_INVALID */
export async function reachOf(name: string, folder: string | undefined, settings: SettingsFile): Promise<Reach> {
  const { definitions } = await requireDefinitions({ dir: folder }, settings);
  const target = findTarget(definitions, name);
  if (target?.kind !== "host") {
    const known = listTargets(definitions).map(({ id }) => id);
    throw unknownTarget(
      name,
      known.filter((id) => id.startsWith("host/")),
    );
  }
  return reachOfHost(target, settings);
}

function reachOfHost({ id, fleet, host }: HostTarget, { ssh }: SettingsFile): Reach {
  const { transport } = fleet;
  if (transport.kind !== "ssh")
    throw new FirebreakError("USAGE", `${id} is this machine (transport: local): there is nothing to set up`);
  const { identityFile, knownHosts } = ssh;
  if (identityFile === undefined || knownHosts === undefined) {
    const missing = "firebreak.yaml needs ssh.identityFile (our key) and ssh.knownHosts (where keys of hosts are pinned)";
    throw new FirebreakError("CONFIG_INVALID", `${id} is reached by ssh: ${missing}`);
  }
  const address = host.addresses.find((text) => isIP(text) === 4) ?? host.addresses[0] ?? "";
  return { id, address, port: transport.port, user: transport.user, identityFile, knownHosts };
}

async function scriptFor({ user, identityFile }: Reach, settings: SettingsFile, signal: AbortSignal): Promise<string> {
  const { identityFile: readOnly } = settings.readOnly;
  return setupScript({
    user,
    applyKey: await publicKeyOf(identityFile, signal),
    readbackKey: readOnly === undefined ? undefined : await publicKeyOf(readOnly, signal),
    persist: settings.hosts.persist,
  });
}

/** The first key is believed only when a person, or the fingerprint that a person gave, says so; a pinned one is never replaced. */
async function pin(
  { id, address, port, knownHosts }: Reach,
  { fingerprint }: HostsSetupOptions,
  signal: AbortSignal,
): Promise<void> {
  const key = await scanHostKey(address, port, signal);
  const shown = fingerprintOf(key);
  const pinned = await pinnedKeys(id, knownHosts);
  if (pinned.includes(key)) {
    tell(`${id}: its key is pinned already, ${shown}`);
    if (fingerprint === undefined || fingerprint === shown) return;
  }
  if (pinned.length > 0 && !pinned.includes(key)) {
    const toDo = `if that is right, take its line out of ${knownHosts} first`;
    throw new FirebreakError(
      "HOST_KEY_CHANGED",
      `${id} shows ${shown}, and ${pinned.map(fingerprintOf).join(", ")} is pinned; ${toDo}`,
    );
  }
  if (fingerprint !== undefined && fingerprint !== shown) {
    throw new FirebreakError("HOST_KEY_UNKNOWN", `${id} shows ${shown}, and not ${fingerprint}: nothing was pinned`);
  }
  tell(`${id} at ${address} port ${port} shows ${key.split(" ")[0]} ${shown}`);
  if (fingerprint === undefined) {
    tell("compare it on the host's console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub");
    const question = "Is that the key of this host? [y/N] ";
    if (!(await askYes(question, "compare it, then give --fingerprint SHA256:…")))
      throw new FirebreakError("HOST_KEY_UNKNOWN", `nobody confirmed the key of ${id}: nothing was pinned`);
  }
  await pinHostKey(id, key, knownHosts);
  tell(`pinned in ${knownHosts}`);
}

/** As the service will come: by its own key, with the pinned key of the host. */
async function proveIt(reach: Reach, settings: SettingsFile, signal: AbortSignal): Promise<void> {
  const controlFolder = await mkdtemp(join(tmpdir(), "fb-setup-"));
  const { id, address, port, user, identityFile, knownHosts } = reach;
  const keys = [
    ["apply", identityFile] as const,
    ...(settings.readOnly.identityFile === undefined ? [] : [["readback", settings.readOnly.identityFile] as const]),
  ];
  try {
    for (const [access, file] of keys) {
      const transport = {
        kind: "ssh",
        address,
        user,
        port,
        identityFile: file,
        knownHostsFile: knownHosts,
        controlFolder,
      } as const;
      const connection = await openHost({ target: id, transport, access, signal, now: Date.now });
      try {
        const { completeness } = await connection.observe(signal);
        if (completeness !== "complete") throw new FirebreakError("HOST_NOT_UNDERSTOOD", `${id} was read back only in part`);
      } finally {
        await connection.close();
      }
      tell(`${id} was read back with the ${access} key`);
    }
  } finally {
    await rm(controlFolder, { recursive: true, force: true });
  }
}
