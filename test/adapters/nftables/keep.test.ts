/** A host that loads its confirmed ruleset when it starts: real files and commands of the units, in a private /etc and /run. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { INSTALLED_DIGESTS } from "../../../adapters/nftables/keep.ts";
import { DROP_IN, FORGET, INIT_SCRIPT, KEEP, KEPT, UNIT } from "../../../adapters/nftables/persist-script.ts";
import { READBACK_SCRIPT } from "../../../adapters/nftables/readback-script.ts";
import { parseReadback } from "../../../adapters/nftables/readback.ts";
import { compareHost } from "../../../core/drift/host.ts";
import { bootText } from "../../../core/plan/host-boot.ts";
import { createTransaction } from "../../../core/plan/host-transaction.ts";
import { renderRuleset } from "../../../core/render/nft.ts";
import { allow, block, blocks, hostWant, ports } from "../../support/host-wants.ts";
import { ScratchNamespace } from "../../support/nft-kernel.ts";

const MARK = { instance: "fb-test", sequence: 7, digest: "0123456789abcdef" };
const WANT = hostWant({
  ingress: { mode: "enforce", allows: [allow("web/0", blocks("10.1.0.1/32", "10.2.0.0/24"), ports("443/tcp"))] },
  lifeline: { from: [block("10.0.0.0/24")], ports: ports("22/tcp") },
});
const CONFIRMED = renderRuleset(WANT, MARK, { generation: 5, phase: "final" });

let space: ScratchNamespace;
let folder: string;
beforeEach(() => {
  space = new ScratchNamespace();
  folder = mkdtempSync(join(tmpdir(), "fbk-"));
  for (const name of ["etc", "work", "run/systemd/system", "scripts"]) spawnSync("mkdir", ["-p", join(folder, name)]);
  writeFileSync(join(folder, "scripts/systemctl"), "#!/bin/sh\n", { mode: 0o755 });
});
afterEach(() => {
  space[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a script of ours as root on the host, whose /etc, /run and systemctl are its own. */
function onHost(
  script: string,
  args: readonly string[] = [],
  input = "",
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const mounts = `mount -t tmpfs none /mnt; mkdir /mnt/u /mnt/w; cp -a "${folder}/etc/." /mnt/u/; mount -t overlay -o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w overlay /etc; mount --bind "${folder}/run" /run; mount --bind "${folder}/scripts/systemctl" "$(command -v systemctl)"`;
  const runs = `${mounts}; sh -c "$1" firebreak "\${@:2}"; status=$?; rm -rf "${folder}/etc"; cp -a /mnt/u "${folder}/etc"; exit $status`;
  return spawnSync("ip", ["netns", "exec", space.name, "bash", "-c", runs, "firebreak", script, ...args], {
    input,
    encoding: "utf8",
  });
}

function keep(text: string) {
  return onHost(KEEP, [String(Buffer.byteLength(text)), UNIT, DROP_IN, INIT_SCRIPT], text);
}

const onDisk = (path: string): string => join(folder, path);

/** What the drift detector tells of a host that shows this. */
function told() {
  const { kept, isComplete, ...seen } = parseReadback(onHost(READBACK_SCRIPT).stdout);
  expect(isComplete).toBe(true);
  const told = kept === undefined ? {} : { kept: { ...kept, wanted: true } };
  const observation = {
    kind: "host" as const,
    target: "host/a/b",
    completeness: "complete" as const,
    identity: "",
    at: 0,
    ...seen,
    ...told,
  };
  return compareHost({ expected: CONFIRMED, observation }).map(({ kind, summary }) => `${kind}: ${summary}`);
}

/** The commands of a unit, as systemd would run them. */
function commandsOf(unit: string, key: string): readonly string[] {
  return unit.split("\n").flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1).replace(/^-/, "")] : []));
}

describe("under systemd", () => {
  // Bug caught: a host that comes back from a reboot is open until somebody looks.
  it("the unit's own command brings back exactly what was confirmed", () => {
    space.load(createTransaction(CONFIRMED));
    const before = space.list();
    expect(keep(bootText(WANT, CONFIRMED))).toMatchObject({ status: 0 });
    expect(told()).toEqual([]);
    for (const command of [
      ...commandsOf(UNIT, "ExecStart"),
      ...commandsOf(DROP_IN, "ExecStartPost"),
      ...commandsOf(DROP_IN, "ExecStopPost"),
      ...commandsOf(DROP_IN, "ExecReload"),
    ]) {
      space.run("nft flush ruleset");
      expect(onHost(command)).toMatchObject({ status: 0 });
      expect(JSON.stringify(space.list()).replaceAll(/"handle":\d+/g, "")).toBe(
        JSON.stringify(before).replaceAll(/"handle":\d+/g, ""),
      );
    }
    // Over a table that is already there, whatever it holds.
    space.run("nft insert rule inet firebreak input tcp dport 8080 accept");
    onHost(commandsOf(UNIT, "ExecStart")[0] ?? "");
    expect(JSON.stringify(space.list())).not.toContain("8080");
  });

  // Bug caught: a file that others may read or write, or a unit that is not enabled.
  it("only root may read what is kept, and the unit is enabled", () => {
    keep(bootText(WANT, CONFIRMED));
    expect(statSync(onDisk(KEPT.ruleset)).mode & 0o777).toBe(0o600);
    expect(statSync(onDisk("/etc/firebreak")).mode & 0o777).toBe(0o700);
    expect(existsSync(onDisk(KEPT.unit))).toBe(true);
    expect(readFileSync(onDisk(KEPT.unit), "utf8")).toBe(UNIT);
    expect(spawnSync("readlink", [onDisk(KEPT.wants)], { encoding: "utf8" }).stdout.trim()).toBe("../firebreak-ruleset.service");
    expect(INSTALLED_DIGESTS.unit).toMatch(/^[0-9a-f]{64}$/);
  });

  // Bug caught: somebody changes what the next reboot loads, and everything says "in sync".
  it.each([
    ["the file is gone", `rm ${KEPT.ruleset}`, "the file is missing, or empty"],
    ["the file is another one", `echo '{"nftables": []}' >${KEPT.ruleset}`, "the file holds something else"],
    ["the unit is off", `rm ${KEPT.wants}`, "what loads the file under systemd is missing, changed or not enabled"],
    ["the unit is changed", `echo '# x' >>${KEPT.unit}`, "what loads the file under systemd is missing, changed or not enabled"],
    [
      "nothing follows nftables.service any more",
      `rm ${KEPT.dropIn}`,
      "what loads the file under systemd is missing, changed or not enabled",
    ],
  ])("is told when %s, and written again", (_, tampering, why) => {
    space.load(createTransaction(CONFIRMED));
    keep(bootText(WANT, CONFIRMED));
    expect(onHost(tampering)).toMatchObject({ status: 0 });
    expect(told()).toEqual([
      `next-start: after a reboot this host would not enforce what was confirmed, until the next look: ${why}`,
    ]);
    keep(bootText(WANT, CONFIRMED));
    expect(told()).toEqual([]);
  });

  // Bug caught: half a file, or one that nft does not take, replaces the good one.
  it("what is cut or refused by nft changes nothing", () => {
    keep(bootText(WANT, CONFIRMED));
    const before = readFileSync(onDisk(KEPT.ruleset), "utf8");
    expect(onHost(KEEP, ["999", UNIT, DROP_IN, INIT_SCRIPT], "{}").status).toBe(72);
    expect(keep('{"nftables": [{"add": {"rule": {}}}]}').status).toBe(73);
    expect(readFileSync(onDisk(KEPT.ruleset), "utf8")).toBe(before);
  });

  // Bug caught: a host that was let go is enforced again by its next reboot.
  it("nothing is left once it is forgotten", () => {
    keep(bootText(WANT, CONFIRMED));
    expect(onHost(FORGET)).toMatchObject({ status: 0 });
    for (const path of Object.values(KEPT)) expect(existsSync(onDisk(path))).toBe(false);
  });
});

describe("elsewhere", () => {
  it("under OpenRC it is an init script before the network", () => {
    rmSync(onDisk("run/systemd"), { recursive: true });
    spawnSync("mkdir", ["-p", onDisk("run/openrc"), onDisk("etc/runlevels/boot"), onDisk("etc/init.d")]);
    space.load(createTransaction(CONFIRMED));
    expect(keep(bootText(WANT, CONFIRMED))).toMatchObject({ status: 0 });
    expect(readFileSync(onDisk(KEPT.initScript), "utf8")).toBe(INIT_SCRIPT);
    expect(told()).toEqual([]);
  });

  // Bug caught: a container or a test host gets files for an init system that it does not have, and a finding for ever.
  it("without systemd and OpenRC nothing is written, and nothing is told", () => {
    rmSync(onDisk("run/systemd"), { recursive: true });
    space.load(createTransaction(CONFIRMED));
    expect(keep(bootText(WANT, CONFIRMED))).toMatchObject({ status: 0 });
    expect(existsSync(onDisk(KEPT.ruleset))).toBe(false);
    expect(told()).toEqual([]);
  });
});
