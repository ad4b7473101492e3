import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatSet } from "../../core/address/index.ts";
import { parseSettings } from "../../core/config/settings.ts";
import { ownPaths, ownUrls } from "../../services/own-paths.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fb-own-"));
});
afterAll(async () => await rm(folder, { recursive: true }));

describe("Firebreak's own paths", () => {
  it("are Git, forge, store, queue and every API server (the bug: the service locks itself out of a cluster)", async () => {
    const kubeconfig = join(folder, "kubeconfig");
    await writeFile(
      kubeconfig,
      "clusters: [{name: a, cluster: {server: 'https://10.0.0.1:6443'}}, {name: b, cluster: {server: 'https://[fd00::1]'}}]",
    );
    const settings = parseSettings(
      `repository: {url: "http://10.0.0.2:3000/x.git"}
database: env:DB
redis: env:QUEUE
kubernetes: {kubeconfig: ${kubeconfig}}
forge: {kind: gitea, url: "https://10.0.0.3/api/v1", repository: a/b, token: env:T}`,
      {},
    );
    const urls = await ownUrls(settings, { DB: "postgres://user:secret@10.0.0.4/firebreak", QUEUE: "redis://10.0.0.5" });
    const paths = await ownPaths(urls);
    expect(paths.map(({ addresses, ports }) => `${formatSet(addresses)} ${ports[0]?.from}`)).toEqual([
      "10.0.0.2 3000",
      "10.0.0.3 443",
      "10.0.0.4 5432",
      "10.0.0.5 6379",
      "10.0.0.1 6443",
      "fd00::1 443",
    ]);
  });

  it("open nothing for what cannot be read or resolved", async () => {
    const settings = parseSettings(`repository: {url: /srv/policies.git}\nkubernetes: {kubeconfig: ${folder}/none}`, {});
    expect(await ownPaths(await ownUrls(settings, {}))).toEqual([]);
    expect(await ownPaths(["https://nowhere.invalid", "no url"])).toEqual([]);
  });
});
