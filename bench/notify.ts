/** A storm: one cause on 1,000 targets, from findings to people, over the embedded store; receivers in this process. */
import { openNotifyWorld, drift, topLevel, replyKeys } from "../test/support/notify-world.ts";
import { heapInUse } from "./heap.ts";
import { formatBytes, formatMs, printFigure, printTitle } from "./report.ts";

const TARGETS = 1_000;
const MINUTE = 60_000;

/** Wall clock and CPU of this process, as text. */
async function timed(work: () => Promise<unknown>): Promise<string> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return `${formatMs(performance.now() - start)} (CPU ${formatMs((user + system) / 1_000)})`;
}

/** Prints messages, time and memory of a storm. */
export async function benchNotify(): Promise<void> {
  printTitle(`a storm: one cause on ${TARGETS.toLocaleString("en")} targets, told on Slack (bot), a webhook and GitHub`, [
    "the clock is the benchmark's: waits between messages cost nothing; the work is real, on PGlite, receivers in this process",
  ]);
  await using world = await openNotifyWorld();
  const targets = Array.from({ length: TARGETS }, (_, index) => `host/fleet/h-${index}`);
  const before = heapInUse();
  const found = await timed(async () => {
    for (const target of targets) await world.look(target, [drift(target)]);
  });
  printFigure("findings and their outbox rows recorded, one look per target", found);
  const grouped = await timed(async () => await world.round());
  printFigure("all of them in their groups, on three channels", grouped);
  const told = await timed(async () => await world.pass(6 * MINUTE, 1_000));
  printFigure("the first six minutes, a round each second", told);
  printFigure("heap, after the storm has been told", `${formatBytes(heapInUse() - before)} more`);
  const open = [topLevel(world).length, replyKeys(world).length, world.hooked().ids.length, world.github.state.issues.length];
  printFigure("Slack messages / replies, webhook messages, issues", open.join(" / "));
  const over = await timed(async () => {
    for (const target of targets) await world.look(target, []);
    await world.pass(12 * MINUTE, 5_000);
  });
  printFigure("all over: recorded, grouped and told", over);
  const all = [topLevel(world).length, replyKeys(world).length, world.hooked().ids.length, world.github.state.issues.length];
  printFigure("in the end: Slack messages / replies, webhook messages, issues", all.join(" / "));
  const writes = world.github.requests.filter((request) => !request.startsWith("GET")).length;
  printFigure(
    "calls: Slack, webhook, GitHub (of these writes)",
    `${world.slack.receiver.received.length}, ${world.hook.received.length}, ${world.github.requests.length} (${writes})`,
  );
}
