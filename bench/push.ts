/** From a push to all targets read back. */
import { exampleFiles } from "../testbed/organisation.ts";
import type { World } from "../testbed/world.ts";
import { formatTimes, printFigure, timed } from "./report.ts";
import type { Service } from "./run-service.ts";

const PUSHES = 10;
const FILE = "policies/policies/monitoring.yaml";

/** Ten commits, one after another, each changing a rule that every target renders. */
export async function benchPush(world: World, service: Service, how: string): Promise<void> {
  const original = exampleFiles(world.plan)[FILE];
  if (original === undefined) throw new Error(`${FILE} is not part of the example any more`);
  const times: number[] = [];
  for (let push = 0; push < PUSHES; push++) {
    const sequence = ((await service.status()).revision?.sequence ?? 0) + 1;
    const text = original.replace("ports: [9100/tcp]", `ports: [9100/tcp, ${9200 + sequence}/tcp]`);
    const { ms } = await timed(async () => {
      await world.git.pushFiles({ [FILE]: text }, `scrape port ${9200 + sequence} too`);
      await service.inSync(sequence);
    });
    times.push(ms);
  }
  printFigure(`push → 6 targets read back, ${how}`, formatTimes(times));
}
