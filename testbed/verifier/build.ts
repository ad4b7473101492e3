/** Builds the two independent verifiers of the audit log: our seventy lines over Go's own library, and Tessera's fsck. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const SOURCES = ["go.mod", "go.sum", "main.go"] as const;
const FSCK = "github.com/transparency-dev/tessera/cmd/fsck";

/** Paths of the built programs. */
export interface Verifiers {
  /** `verifier -key FILE [-older CHECKPOINT] FOLDER`: exit 0 and `verified: …`, or exit 1. */
  readonly verifier: string;
  /** `fsck -ui=false -N 8 --storage_url=file://FOLDER/ --public_key=FILE`: it always exits 0; `Successfully fsck'd` on stderr tells. */
  readonly fsck: string;
}

/** Builds them, once per content of the sources, into a cache outside the checkout. Throws what `go build` says. */
export async function buildVerifiers(): Promise<Verifiers> {
  const hash = createHash("sha256");
  for (const source of SOURCES) hash.update(await readFile(join(import.meta.dirname, source)));
  const folder = join(homedir(), ".cache", "firebreak", "testbed", `verifier-${hash.digest("hex").slice(0, 16)}`);
  const built = { verifier: join(folder, "verifier"), fsck: join(folder, "fsck") };
  if (await isThere(folder)) return built;

  const partial = `${folder}.${process.pid}`;
  await mkdir(partial, { recursive: true });
  try {
    await goBuild(join(partial, "verifier"), ".");
    await goBuild(join(partial, "fsck"), FSCK);
    await rename(partial, folder);
  } catch (error) {
    // Another process may have finished the same build first.
    if (!(await isThere(folder))) throw error;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return built;
}

async function goBuild(output: string, what: string): Promise<void> {
  const path = `${process.env["PATH"] ?? ""}:/usr/local/go/bin`;
  const args = ["build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-o", output, what];
  await run("go", args, { cwd: import.meta.dirname, env: { ...process.env, PATH: path, CGO_ENABLED: "0" }, maxBuffer: 1 << 24 });
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
