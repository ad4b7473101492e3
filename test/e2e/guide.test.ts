/** The guide's story, typed by somebody with a cluster, a host and nothing else. Needs root and the real parts, as the main job. */
import { chmodSync, copyFileSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { buildPart } from "../../testbed/build.mjs";
import { createNamespace } from "../../testbed/cluster.ts";
import { tryCommand } from "../../testbed/command.ts";
import { createPod } from "../../testbed/pods.ts";
import { freePort } from "../../testbed/ports.ts";
import { createWorld, type World } from "../../testbed/world.ts";
import { blocksOf, STORY, Typist } from "../support/guide-blocks.ts";

let world: World;
let typist: Typist;

// For each try anew: a page goes on in what the one before it left.
beforeEach(async () => {
  world = await createWorld({ clusters: [{ name: "my-cluster", packets: "if built" }], hosts: [{ name: "ldap-1" }] });
  const cluster = world.cluster("my-cluster");
  await createNamespace(cluster, "shop");
  for (const app of ["web", "database"]) await createPod(cluster, { namespace: "shop", name: `${app}-0`, labels: { app } });
  typist = new Typist({
    environment: { FIREBREAK_LISTEN: `127.0.0.1:${await freePort()}` },
    places: {
      "10.20.0.11": world.host("ldap-1").address,
      "10.20.0.0/16": world.plan.hosts,
      "SHA256:FINGERPRINT-OF-THE-CONSOLE": await fingerprintOf(world.host("ldap-1").hostKey),
      "10.0.0.0/24": `${world.rootAddress}/32`,
      // A minute of patience for each commit would be no other test.
      "{url: ., branch: main}": "{url: ., branch: main, poll: 1s}",
    },
  });
  await bringKubectl();
  for (const folder of [".kube", ".ssh"]) mkdirSync(join(typist.folder, folder));
  copyFileSync(world.kubeconfig, join(typist.folder, ".kube/config"));
  copyFileSync(world.sshKey, join(typist.folder, ".ssh/id_ed25519"));
  chmodSync(join(typist.folder, ".ssh/id_ed25519"), 0o600);
}, 300_000);

afterEach(async () => {
  await typist?.[Symbol.asyncDispose]();
  await world?.close();
}, 60_000);

/** The machine's kubectl, or the one that benchmarks build. */
async function bringKubectl(): Promise<void> {
  const there = await tryCommand(["kubectl", "version", "--client"]).catch(() => undefined);
  if (there?.code === 0) return;
  const built = await buildPart("kubectl");
  if ("missing" in built) throw new Error(built.missing);
  symlinkSync(built.binary, join(typist.folder, ".bin/kubectl"));
}

/** What ssh-keygen says of a public key on the host's console. */
async function fingerprintOf(publicKey: string): Promise<string> {
  const { stdout } = await tryCommand(["ssh-keygen", "-lf", "-"], { input: `${publicKey}\n` });
  return stdout.split(" ")[1] ?? "";
}

// Bug: the first hour of somebody new ends at a command that does something else than the page says.
it("everything that the quick start, observe → enforce and day 2 say happens", { timeout: 900_000 }, async () => {
  const problems: string[] = [];
  for (const block of STORY.flatMap((name) => blocksOf(name))) problems.push(...(await typist.type(block)));
  expect(problems).toEqual([]);
});
