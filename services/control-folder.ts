import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Longest folder that leaves room for ssh's socket name under the limit of a socket path (104 bytes). */
const LONGEST = 60;

export interface ControlFolder extends AsyncDisposable {
  readonly path: string;
}

/** A private folder for ssh's control sockets: in the state folder when its path is short enough, else a temporary one. */
export async function openControlFolder(stateFolder: string, service: string): Promise<ControlFolder> {
  const wanted = join(stateFolder, `ssh-${service}`);
  const path = wanted.length <= LONGEST ? wanted : await mkdtemp(join(tmpdir(), "fb-ssh-"));
  await mkdir(path, { recursive: true, mode: 0o700 });
  return { path, [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }) };
}
