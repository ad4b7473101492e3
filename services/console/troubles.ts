import { listProcesses } from "../../adapters/store/index.ts";
import type { ServiceTrouble, WatchGap } from "../../core/api/shapes.ts";
import { HEARD_EVERY_MS } from "../health.ts";
import type { ConsoleParts } from "./main.ts";

/** Services without which nothing is compared or applied. */
const SERVICES = ["syncer", "drift"];
const DAY_MS = 24 * 3_600_000;
const SILENT_MS = 3 * HEARD_EVERY_MS;

/** What this process lacks, what the others said that they lack, and who was not heard of. */
export async function readTroubles({ store, health, roles, now, startedAt }: ConsoleParts): Promise<readonly ServiceTrouble[]> {
  const own = health.troubles().map(({ since, error }) => ({ service: roles[0] ?? "console", since: isoTime(since), error }));
  const heard = await listProcesses(store);
  const others = heard.filter(({ role }) => !roles.some((mine) => mine === role));
  const said = others.flatMap(({ role, troubles, silentMs }) =>
    silentMs > SILENT_MS ? [] : troubles.map(({ since, error }) => ({ service: role, since: isoTime(since), error })),
  );
  const silent = others.filter(({ role, silentMs }) => SERVICES.includes(role) && silentMs > SILENT_MS);
  const never = SERVICES.filter((role) => !heard.some((row) => row.role === role) && now() - startedAt > SILENT_MS);
  return [
    ...own,
    ...said,
    ...silent.map(({ role, silentMs }) => silence(role, now() - silentMs)),
    ...never.map((role) => silence(role, startedAt)),
  ];
}

/** Of the last day: what is older is in the log. */
export async function readGaps({ store, now }: Pick<ConsoleParts, "store" | "now">): Promise<readonly WatchGap[]> {
  const gaps = (await listProcesses(store)).flatMap((row) => row.gaps);
  return gaps
    .filter(({ until }) => now() - until < DAY_MS)
    .map(({ from, until }) => ({ from: isoTime(from), until: isoTime(until) }));
}

function silence(service: string, since: number): ServiceTrouble {
  const work = service === "drift" ? "live is not compared with Git" : "nothing is applied or repaired";
  return {
    service,
    since: isoTime(since),
    error: {
      code: "SERVICE_SILENT",
      message: `it was not heard of since; does it run, and does it reach the store? ${work} meanwhile`,
    },
  };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
