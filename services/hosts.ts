import { isIP } from "node:net";
import { openHost, type HostAccess, type HostConnection, type ReadAnswer } from "../adapters/nftables/index.ts";
import { FirebreakError } from "../core/ground/error.ts";
import type { TargetId } from "../core/model/kinds.ts";
import type { Target } from "../core/model/target.ts";

export type HostTarget = Extract<Target, { kind: "host" }>;

export interface HostPoolOptions {
  readonly identityFile: string | undefined;
  readonly knownHosts: string | undefined;
  /** Private folder for control sockets; short, since socket paths end at about 104 bytes. */
  readonly controlFolder: string;
  readonly access: HostAccess;
  /** Whether the machine that the service runs on may be a host. */
  readonly allowLocal: boolean;
  /** What a host may send at most when it is read back. */
  readonly maxReadBytes: number;
  /** Whether the confirmed ruleset is to be kept for the next start of each host. */
  readonly keepForStart: boolean;
  /** Who reads what hosts answer. */
  readonly readAnswer: ReadAnswer;
  readonly signal: AbortSignal;
  readonly now: () => number;
}

interface Entry {
  readonly key: string;
  readonly connection: Promise<HostConnection>;
}

/** One connection per host, opened when first used and anew when its address, user or port changes. */
export class HostPool implements AsyncDisposable {
  readonly #options: HostPoolOptions;
  readonly #entries = new Map<TargetId, Entry>();

  constructor(options: HostPoolOptions) {
    this.#options = options;
  }

  /** @throws FirebreakError CONFIG_INVALID when the settings lack what ssh needs */
  async connection(target: HostTarget): Promise<HostConnection> {
    const key = JSON.stringify([target.fleet.transport, target.host.addresses]);
    const known = this.#entries.get(target.id);
    if (known?.key === key) return await known.connection;
    if (known !== undefined) await this.forget(target.id);
    const connection = this.#open(target);
    this.#entries.set(target.id, { key, connection });
    connection.catch(() => {
      if (this.#entries.get(target.id)?.connection === connection) this.#entries.delete(target.id);
    });
    return await connection;
  }

  async forget(target: TargetId): Promise<void> {
    const entry = this.#entries.get(target);
    this.#entries.delete(target);
    if (entry !== undefined) await closeQuietly(entry);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#entries.values()].map(closeQuietly));
    this.#entries.clear();
  }

  async #open(target: HostTarget): Promise<HostConnection> {
    const { identityFile, knownHosts, controlFolder, allowLocal, ...options } = this.#options;
    const { transport } = target.fleet;
    if (transport.kind === "local") {
      if (!allowLocal)
        throw new FirebreakError("HOST_REFUSED", `${target.id} is this machine, and firebreak.yaml has no allow.local: true`);
      return await openHost({ ...options, target: target.id, transport: { kind: "local" } });
    }
    if (identityFile === undefined || knownHosts === undefined) {
      throw new FirebreakError(
        "CONFIG_INVALID",
        `${target.id} is reached by ssh: firebreak.yaml needs ssh.identityFile and ssh.knownHosts`,
      );
    }
    const address = target.host.addresses.find((text) => isIP(text) === 4) ?? target.host.addresses[0] ?? "";
    const { user, port } = transport;
    const ssh = { kind: "ssh", address, user, port, identityFile, knownHostsFile: knownHosts, controlFolder } as const;
    return await openHost({ ...options, target: target.id, transport: ssh });
  }
}

/** A connection that never opened has nothing to close. */
async function closeQuietly(entry: Entry): Promise<void> {
  const connection = await entry.connection.catch(() => undefined);
  await connection?.close();
}
