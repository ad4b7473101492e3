import { createHash } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { FirebreakError } from "../../core/ground/error.ts";
import { run } from "./run.ts";
import { plainText } from "./ssh.ts";

/** `KEYTYPE KEY`. */
export type HostKey = string;

/** Best first; one is enough, since ssh then asks for that type. */
const TYPES = ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "ssh-rsa"];
const SCAN_MS = 20_000;

/** What a host shows as its key, unproved: whoever is on the way could show another. @throws FirebreakError HOST_UNREACHABLE */
export async function scanHostKey(address: string, port: number, signal: AbortSignal): Promise<HostKey> {
  const args = ["-T", "10", "-p", String(port), "-t", "ed25519,ecdsa,rsa", "--", address];
  const result = await run({ file: "ssh-keyscan", args, deadlineMs: SCAN_MS, maxBytes: 65_536, signal });
  const keys = result.stdout.split("\n").flatMap((line) => {
    const [name = "", type = "", key = ""] = line.trim().split(/\s+/);
    return name.startsWith("#") || !TYPES.includes(type) || !/^[A-Za-z0-9+/=]+$/.test(key) ? [] : [{ type, key }];
  });
  const best = keys.sort((a, b) => TYPES.indexOf(a.type) - TYPES.indexOf(b.type))[0];
  if (best !== undefined) return `${best.type} ${best.key}`;
  const cause = new Error(plainText(result.stderr));
  throw new FirebreakError("HOST_UNREACHABLE", `ask ${address} port ${port} for its host key`, { cause });
}

/** As `ssh-keygen -lf` prints it: `SHA256:…`, base64 without padding. */
export function fingerprintOf(hostKey: HostKey): string {
  const [, key = ""] = hostKey.split(" ");
  return `SHA256:${createHash("sha256").update(Buffer.from(key, "base64")).digest("base64").replace(/=+$/, "")}`;
}

/** Keys that are pinned for a target; empty when the file or the line is not there. */
export async function pinnedKeys(target: string, file: string): Promise<readonly HostKey[]> {
  return (await linesOf(file)).flatMap((line) => {
    const [names = "", type, key] = line.trim().split(/\s+/);
    return names.split(",").includes(target) && type !== undefined && key !== undefined ? [`${type} ${key}`] : [];
  });
}

/** Adds `TARGET KEYTYPE KEY`; every other line stays. The file is replaced as a whole: ssh may read it at any moment. */
export async function pinHostKey(target: string, hostKey: HostKey, file: string): Promise<void> {
  const lines = (await linesOf(file)).filter((line) => line.trim() !== "");
  const draft = `${file}.${process.pid}.new`;
  await writeFile(draft, `${[...lines, `${target} ${hostKey}`].join("\n")}\n`, { mode: 0o644 });
  await rename(draft, file);
}

async function linesOf(file: string): Promise<readonly string[]> {
  try {
    return (await readFile(file, "utf8")).split("\n");
  } catch (cause) {
    if ((cause as { code?: string }).code === "ENOENT") return [];
    throw new FirebreakError("CONFIG_INVALID", `read the pinned host keys in ${file}`, { cause });
  }
}
