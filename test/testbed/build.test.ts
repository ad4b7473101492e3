import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startOf, withLock } from "../../testbed/build/lock.mjs";
import { controlPlaneCommands } from "../../testbed/build.mjs";
import { isAtLeast } from "../../testbed/build/toolchain.mjs";

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
