import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applyAuthorizedKey, readbackAuthorizedKey } from "../../adapters/nftables/index.ts";
import type { SshTransport } from "../../adapters/nftables/index.ts";
import { ScratchNamespace } from "./nft-kernel.ts";

const READBACK_SH = new URL("../../adapters/nftables/readback.sh", import.meta.url).pathname;

/** A network namespace with nftables and an sshd of its own, linked to ours; what an apply key and a read-back key need to use it. */
export class HostFixture implements AsyncDisposable {
  readonly space = new ScratchNamespace();
  readonly folder = mkdtempSync(join(tmpdir(), "fbh-"));
  readonly target: string;
  readonly address: string;
  readonly ours: string;
  #sshd: ChildProcess | undefined;

  private constructor(slot: number) {
    const net = `10.213.${slot % 256}`;
    this.target = `host/test/h${slot}`;
    this.address = `${net}.2`;
    this.ours = `${net}.1`;
    const link = `fbt${process.pid % 100_000}-${slot}`;
    must("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", this.space.name);
    must("ip", "addr", "add", `${this.ours}/24`, "dev", link);
    must("ip", "link", "set", link, "up");
    this.space.run(`ip addr add ${this.address}/24 dev eth0; ip link set eth0 up; mkdir -p /run/sshd`);
    for (const key of ["apply", "readback", "host_1", "host_2"])
      must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", this.file(key));
    const keys = [applyAuthorizedKey(this.publicKey("apply")), readbackAuthorizedKey(this.publicKey("readback"), READBACK_SH)];
    writeFileSync(this.file("authorized_keys"), `${keys.join("\n")}\n`);
    writeFileSync(this.file("known_hosts"), `${this.target} ${this.publicKey("host_1")}`);
    for (const folder of ["c", "tmp"]) mkdirSync(this.file(folder), { mode: 0o700 });
  }

  /** Brings a host up; slots must differ between hosts that live at the same time. */
  static async start(slot: number): Promise<HostFixture> {
    const host = new HostFixture(slot);
    await host.startSshd("host_1");
    return host;
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  publicKey(name: string): string {
    return readFileSync(this.file(`${name}.pub`), "utf8")
      .trim()
      .split(" ")
      .slice(0, 2)
      .join(" ");
  }

  transport(key: "apply" | "readback" = "apply"): SshTransport {
    const files = { identityFile: this.file(key), knownHostsFile: this.file("known_hosts"), controlFolder: this.file("c") };
    return { kind: "ssh", address: this.address, user: "root", port: 22, ...files };
  }

  /** Starts sshd with that host key, and waits until it answers. */
  async startSshd(hostKey: "host_1" | "host_2"): Promise<void> {
    const options = [
      "Port=22",
      `HostKey=${this.file(hostKey)}`,
      `AuthorizedKeysFile=${this.file("authorized_keys")}`,
      "StrictModes=no",
    ];
    const more = [
      "UsePAM=no",
      "PasswordAuthentication=no",
      "PermitRootLogin=prohibit-password",
      "PidFile=none",
      "MaxStartups=100",
      `SetEnv=TMPDIR=${this.file("tmp")}`,
    ];
    const flags = [...options, ...more].flatMap((option) => ["-o", option]);
    const args = ["netns", "exec", this.space.name, "/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", ...flags];
    this.#sshd = spawn("ip", args, { stdio: "ignore" });
    await until(() => answers(this.address));
  }

  async stopSshd(): Promise<void> {
    const sshd = this.#sshd;
    this.#sshd = undefined;
    if (sshd === undefined) return;
    const gone = new Promise((resolve) => sshd.once("exit", resolve));
    sshd.kill("SIGTERM");
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopSshd();
    const left = spawnSync("ip", ["netns", "pids", this.space.name], { encoding: "utf8" }).stdout.split("\n").filter(Boolean);
    for (const pid of left) spawnSync("kill", ["-9", pid]);
    this.space[Symbol.dispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Polls a condition; throws when it does not come true in time. */
export async function until(isTrue: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error("the condition did not come true in time");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 22, timeout: 500 });
    const end = (isUp: boolean) => () => {
      socket.destroy();
      resolve(isUp);
    };
    socket.once("data", end(true)).once("error", end(false)).once("timeout", end(false));
  });
}

function must(file: string, ...args: readonly string[]): void {
  const run = spawnSync(file, args, { encoding: "utf8" });
  if (run.status !== 0) throw new Error(`${file} ${args.join(" ")}: ${run.stderr}`);
}
