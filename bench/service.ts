/** What an operator waits for, on the sample organisation: pushes, findings, repairs; and what the service costs while nothing happens. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createWorld, type World } from "../testbed/world.ts";
import { addMachines, exampleFiles, populateCluster, writeSettings } from "../testbed/organisation.ts";
import { benchIdle } from "./idle.ts";
import { benchPush } from "./push.ts";
import { formatMs, printFigure, printTitle, timed } from "./report.ts";
import { startService, type Service } from "./run-service.ts";
import { benchTampering } from "./tamper.ts";

/** Prints the section; about five minutes. */
export async function benchService(): Promise<void> {
  printTitle("The service: policies/example on two clusters and four hosts, everything in one process (`firebreak up`)", [
    "API servers, pods, hosts, Git server and this benchmark share the machine with it",
  ]);
  const readCommand = `/bin/sh ${join(import.meta.dirname, "..", "adapters", "nftables", "readback.sh")}`;
  await using world = await createWorld({ git: true, readCommand, clusters: [{ name: "shop-eu" }, { name: "shop-us" }] });
  await addMachines(world);
  for (const cluster of world.clusters.values()) await populateCluster(cluster);
  await world.git.pushFiles(exampleFiles(world.plan), "the sample organisation");
  const stateFolder = world.run.makeFolder("state");

  const often = writeSettings({ world, stateFolder, extra: { logLevel: "warn" } });
  {
    await using service = await started(world, often, "first start, empty state folder: until all targets are in sync");
    await benchIdle(service, "first start, branch asked and hosts read every second");
    await benchPush(world, service, "branch asked every second (±20 %)");
    await benchTampering(world, service);
  }
  const defaults = writeSettings({ world, stateFolder, extra: { logLevel: "warn", ...defaultIntervals(world, stateFolder) } });
  {
    await using service = await started(world, defaults, "second start, same state folder: until all targets are in sync");
    await benchIdle(service, "second start, default intervals");
    world.git.setWebhook({ url: `${service.address}/webhook/git`, secret: WEBHOOK_SECRET });
    await benchPush(world, service, "told by a webhook (branch asked every 30 s)");
    world.git.setWebhook(undefined);
  }
}

const WEBHOOK_SECRET = "benchmark";

/** What `firebreak.yaml` says when it says nothing about intervals; laid over the settings of the sample organisation. */
function defaultIntervals({ git, plan: _ }: World, stateFolder: string): Readonly<Record<string, unknown>> {
  const secret = join(stateFolder, "webhook.secret");
  writeFileSync(secret, WEBHOOK_SECRET, { mode: 0o600 });
  return {
    repository: {
      url: git.url,
      path: "policies",
      username: git.username,
      token: `file:${join(stateFolder, "git.token")}`,
      webhookSecret: `file:${secret}`,
    },
    hosts: { settle: "1s", deadMan: "10s" },
  };
}

async function started(world: World, settingsFile: string, what: string): Promise<Service> {
  const { ms, result: service } = await timed(async () => {
    const starting = await startService(world.run, settingsFile);
    await starting.inSync();
    return starting;
  });
  printFigure(what, formatMs(ms));
  return service;
}
