/** A real systemd as process 1, in namespaces and an overlay of its own: this machine's files, and none of its services. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./until.ts";

const SYSTEMD = "/lib/systemd/systemd";

/** Whether there is one to start. */
export const hasSystemd = existsSync(SYSTEMD);

/** $1: folder; the rest is for what prepares. $out is the folder outside, its `shared` is /out inside; the machine's root is `.`. */
const BOOT = (prepare: string): string => `set -e
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs none "$1/over"
mkdir "$1/over/u" "$1/over/w"
mount -t overlay -o "lowerdir=/,upperdir=$1/over/u,workdir=$1/over/w" overlay "$1/root"
out=$1 keep=$2 unit=$3 dropin=$4 openrc=$5
cd "$1/root"
mount -t proc proc proc
for name in run tmp dev sys; do mount -t tmpfs none "$name"; done
for node in "null 1 3" "zero 1 5" "urandom 1 9" "random 1 8"; do set -- $node; mknod -m 666 "dev/$1" c "$2" "$3"; done
mkdir -p dev/pts dev/shm out run/systemd/system sys/fs/cgroup/systemd
ln -s /proc/self/fd dev/fd; ln -s /proc/self/fd/0 dev/stdin; ln -s /proc/self/fd/1 dev/stdout; ln -s /proc/self/fd/2 dev/stderr
mount --bind "$out/shared" out
mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
rm -rf etc/systemd/system/*.wants
${prepare}
exec chroot . /usr/bin/env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin ${SYSTEMD} --system --unit=probe.target --log-target=null </dev/null
`;

export interface MachineOptions {
  /** Files that it sees in /out. */
  readonly files: Readonly<Record<string, string>>;
  /** Shell lines before systemd starts. They have `keep`, `unit`, `dropin` and `openrc` from `values`. */
  readonly prepare: string;
  readonly values?: readonly [string, string, string, string];
}

/** Starts it with the unit probe.target, waits until its /out/result ends with "done", ends it, and returns what is in /out then. */
export async function runMachine({ files, prepare, values = ["", "", "", ""] }: MachineOptions): Promise<(name: string) => string> {
  const folder = mkdtempSync(join(tmpdir(), "fbs-"));
  try {
    for (const name of ["over", "root", "shared"]) mkdirSync(join(folder, name));
    const shared = (name: string): string => join(folder, "shared", name);
    for (const [name, text] of Object.entries(files)) writeFileSync(shared(name), text, { mode: 0o755 });
    const machine = spawn("unshare", ["-fmpniu", "--kill-child", "sh", "-c", BOOT(prepare), "boot", folder, ...values], {
      stdio: "ignore",
    });
    const read = (name: string): string => (existsSync(shared(name)) ? readFileSync(shared(name), "utf8") : "");
    try {
      await until(() => read("result").endsWith("done\n") || machine.exitCode !== null, 100_000);
      const texts = new Map(["result", "ready", "show", "stopped", "errors"].map((name) => [name, read(name)]));
      return (name) => texts.get(name) ?? "";
    } finally {
      const gone = new Promise((resolve) => machine.once("exit", resolve));
      machine.kill("SIGKILL");
      await gone;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
