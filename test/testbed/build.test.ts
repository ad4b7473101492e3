import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startOf, withLock } from "../../testbed/build/lock.mjs";
import { countPackages } from "../../testbed/build/packages.mjs";
import { cacheFolder, controlPlaneCommands } from "../../testbed/build.mjs";
import { findGo, isAtLeast } from "../../testbed/build/toolchain.mjs";

const run = promisify(execFile);

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fb-lock-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
  delete process.env["KUBEBUILDER_ASSETS"];
});

const quiet = { log: () => undefined };

describe("the build lock", () => {
  it("lets one in at a time (the bug: two runs that write one binary)", async () => {
    const path = join(folder, "lock");
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await readdir(folder);
      inside -= 1;
    };
    await Promise.all([withLock(path, quiet, work), withLock(path, quiet, work), withLock(path, quiet, work)]);
    expect(most).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  it("is taken over from a process that died, also when its pid is used again", async () => {
    const path = join(folder, "lock");
    await writeFile(path, `${process.pid} 1\n`); // our pid, started at another time
    expect(startOf(process.pid)).not.toBe("1");
    expect(await withLock(path, quiet, () => Promise.resolve("built"))).toBe("built");
  });

  it("is given back when the work fails", async () => {
    const path = join(folder, "lock");
    await expect(withLock(path, quiet, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("the count of a first build", () => {
  it("is what Go then compiles, not a guess (the bug: 2,031 packages compiled of at most 1,900)", async () => {
    const module = join(folder, "module");
    await mkdir(join(module, "inner"), { recursive: true });
    await writeFile(join(module, "go.mod"), "module example.org/outer\n\ngo 1.24\n");
    await writeFile(join(module, "outer.go"), 'package outer\n\nimport "example.org/outer/inner"\n\nconst Two = inner.One + 1\n');
    await writeFile(join(module, "inner", "inner.go"), "package inner\n\nconst One = 1\n");
    const go = await findGo({ cache: cacheFolder(), ...quiet });
    if ("missing" in go) throw new Error(go.missing);
    const env = { ...process.env, ...go.env, GOCACHE: join(folder, "cache"), GOFLAGS: "-mod=readonly", GOWORK: "off" };
    const count = async () => await countPackages(go.go, { package: ".", flags: [], cwd: module, env });
    const before = await count();
    const { stderr } = await run(go.go, ["build", "-v", "-trimpath", "-buildvcs=false", "."], { cwd: module, env });
    expect(before).toBe(stderr.trim().split("\n").length);
    expect(await count()).toBe(0);
  });
});

describe("KUBEBUILDER_ASSETS", () => {
  it("replaces etcd and the API server, never the controller manager", async () => {
    for (const name of ["etcd", "kube-apiserver"]) await writeFile(join(folder, name), "", { mode: 0o755 });
    process.env["KUBEBUILDER_ASSETS"] = folder;
    expect(await controlPlaneCommands({ folder: "/built", binary: "/built/controlplane" })).toEqual({
      etcd: [join(folder, "etcd")],
      apiServer: [join(folder, "kube-apiserver")],
      controllerManager: ["/built/controlplane", "kube-controller-manager"],
    });
    expect(await controlPlaneCommands({ missing: "no Go" })).toMatchObject({
      etcd: [join(folder, "etcd")],
      controllerManager: undefined,
    });
  });

  it("says which file is missing", async () => {
    process.env["KUBEBUILDER_ASSETS"] = folder;
    expect(await controlPlaneCommands({ missing: "no Go" })).toEqual({
      missing: `KUBEBUILDER_ASSETS is set, but ${join(folder, "etcd")} is not there`,
    });
  });
});

describe("Go versions", () => {
  it("compares numbers, not text (the bug: 1.9 newer than 1.26)", () => {
    expect(isAtLeast("1.26.3", "1.26.3")).toBe(true);
    expect(isAtLeast("1.27", "1.26.3")).toBe(true);
    expect(isAtLeast("1.9.9", "1.26.3")).toBe(false);
    expect(isAtLeast("1.26", "1.26.3")).toBe(false);
  });
});
