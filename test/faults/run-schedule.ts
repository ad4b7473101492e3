/** Carries out one schedule: from a world in order, through its events, to a world in order again; and writes down what happened. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import pLimit from "p-limit";
import { verifyTrail } from "../../adapters/trail/verify.ts";
import { readEntries } from "../../cli/audit-folder.ts";
import type { StoredEntry } from "../../core/audit/entry.ts";
import { command } from "../../testbed/command.ts";
import { waitFor } from "../../testbed/wait.ts";
import { allows, FIRST_CHOICE, HOSTS } from "./definitions.ts";
import type { Commit, Happened, Journal, Resources } from "./journal.ts";
import { liftAll, perform, removeForeign, type Doing } from "./perform.ts";
import type { Part, Schedule } from "./schedule.ts";
import type { Stage } from "./stage.ts";
import { prepareSubject, resourcesOf, type Subject } from "./subject.ts";
import { unheard } from "./tamperings.ts";
import {
  watchExits,
  watchLog,
  watchPackets,
  watchStatus,
  type ExitWatch,
  type LogWatch,
  type PacketWatch,
  type StatusWatch,
} from "./watchers.ts";

/** Until all is in order at first, and once the faults are over: only a hopeless wait ends so, on the slowest machine. */
const START_MS = 240_000;
const RIGHT_MS = 240_000;
/** Nothing may change in this time, or it was not in order yet. */
const QUIET_MS = 1_500;
const LOOK_EVERY_MS = 150;

export async function runSchedule(stage: Stage, schedule: Schedule): Promise<Journal> {
  const began = Date.now();
  const first = await stage.renew();
  const subject = await prepareSubject(stage, schedule.form);
  const commits: Commit[] = [{ sha: first, at: began, choice: FIRST_CHOICE }];
  const happened: Happened[] = [];
  const logWatch = watchLog(subject.logFolder);
  const watching: { stop(): Promise<void> }[] = [];
  try {
    for (const part of subject.parts) subject.start(part);
    const doing: Doing = { stage, subject, logWatch, commits, happened, lifts: new Set(), oneCommit: pLimit(1) };
    const started = await untilRight(doing, START_MS);
    if (started.wrong.length > 0) throw new Error(`it never started: ${started.wrong.join("; ")}\n${lastWords(subject)}`);
    const key = readFileSync(subject.keyFile, "utf8").trim();
    const before = resources(subject);
    const packets = await watchPackets(stage);
    const status = watchStatus(subject);
    const exits = watchExits(subject);
    watching.push(packets, status, exits);
    const ready = Date.now();
    await doEvents(doing, schedule);
    await liftAll(doing);
    const lifted = Date.now();
    await mendBranch(doing);
    const end = await untilRight(doing, RIGHT_MS, packets);
    const after = resources(subject);
    return await finish({ schedule, began, ready, lifted, doing, packets, status, exits, logWatch, key, before, after, end });
  } catch (error) {
    // Nobody goes on asking in a world that is taken down.
    await Promise.allSettled(watching.map(async (watch) => await watch.stop()));
    throw error;
  } finally {
    await logWatch.stop().catch(() => undefined);
    await subject.remove();
  }
}

async function doEvents(doing: Doing, { events }: Schedule): Promise<void> {
  const from = Date.now();
  const under: Promise<void>[] = [];
  for (const { at, event } of events) {
    await sleep(Math.max(0, from + at - Date.now()));
    under.push(perform(doing, event));
  }
  await Promise.all(under);
  // What is away comes back by itself; whatever takes longer than its schedule is lifted by the caller.
  const until = Date.now() + 10_000;
  while (doing.lifts.size > 0 && Date.now() < until) await sleep(50);
}

/** A branch whose head is refused is told as such, and then somebody mends it: commits between that nobody read are not in force. */
async function mendBranch(doing: Doing): Promise<void> {
  const head = doing.commits.at(-1);
  if (head === undefined || head.choice !== undefined) return;
  const isTold = async (): Promise<boolean> => (await doing.subject.status())?.repository.refused?.commit === head.sha;
  await waitFor(isTold, { what: "status says that the head is refused", timeoutMs: RIGHT_MS, everyMs: LOOK_EVERY_MS });
  await perform(doing, { kind: "push", flips: [] });
}

/** Waits until everything is in order and stays so. @returns what was not, when time was up */
export async function untilRight(
  doing: Doing,
  ms: number,
  packets?: PacketWatch,
): Promise<{ readonly right: number | undefined; readonly wrong: readonly string[] }> {
  const until = Date.now() + ms;
  let since: number | undefined;
  let wrong: readonly string[] = [];
  let size = -1;
  while (Date.now() < until) {
    wrong = await whatIsWrong(doing, packets);
    const isQuiet = wrong.length === 0 && doing.logWatch.size() === size;
    if (!isQuiet) since = undefined;
    else since ??= Date.now();
    size = doing.logWatch.size();
    if (since !== undefined && Date.now() - since >= QUIET_MS) return { right: since, wrong: [] };
    await sleep(LOOK_EVERY_MS);
  }
  return { right: undefined, wrong };
}

async function whatIsWrong(doing: Doing, packets: PacketWatch | undefined): Promise<readonly string[]> {
  const { subject, commits, stage, happened, logWatch } = doing;
  const newest = commits.findLast(({ choice }) => choice !== undefined);
  const status = await subject.status();
  if (status === undefined) return ["the API does not answer"];
  const wrong: string[] = [];
  if (status.revision?.commit !== newest?.sha)
    wrong.push(`in force is ${status.revision?.commit.slice(0, 8)} (${status.revision?.sequence}), not ${newest?.sha.slice(0, 8)}`);
  const targets = HOSTS.length + (stage.hasCluster ? 1 : 0);
  if (status.targets.length !== targets) wrong.push(`status names ${status.targets.length} targets, not ${targets}`);
  for (const { target, state, revision, error } of status.targets) {
    if (state !== "in sync" || revision !== status.revision?.sequence)
      wrong.push(`${target} is ${state} at ${revision} ${error?.code ?? ""} ${error?.message ?? ""}`);
  }
  for (const part of subject.parts) {
    const ready = await subject.get(part, "/readyz");
    if (ready?.code !== 200) wrong.push(`${part} is not ready: ${ready?.text.trim() ?? "no answer"}`);
  }
  const missing = unheard(happened, logWatch.entries);
  wrong.push(...missing.map(({ event }) => `no finding tells of ${JSON.stringify(event)}`));
  // The driver's own hand on a host that a busy machine lets wait beyond a command's deadline is tried again with the next look.
  if (missing.length === 0) await removeForeign(stage).catch((error: unknown) => wrong.push(String(error)));
  const open = (await subject.findings())?.filter(({ resolvedAt }) => resolvedAt === null) ?? [];
  wrong.push(...open.map(({ kind, target, subject: of }) => `open: ${kind} on ${target}: ${of}`));
  if (packets !== undefined && newest?.choice !== undefined) {
    await packets.collect();
    for (const [way, samples] of packets.samples) {
      const last = samples.at(-1);
      const is = allows(newest.choice, way, stage.hasCluster);
      if (last !== undefined && last.isOpen !== is)
        wrong.push(`${way.from} → ${way.to}:${way.port} is ${last.isOpen ? "open" : "closed"}`);
    }
  }
  return wrong;
}

interface Ending {
  readonly schedule: Schedule;
  readonly began: number;
  readonly ready: number;
  readonly lifted: number;
  readonly doing: Doing;
  readonly packets: PacketWatch;
  readonly status: StatusWatch;
  readonly exits: ExitWatch;
  readonly logWatch: LogWatch;
  readonly key: string;
  readonly before: ReadonlyMap<Part, Resources>;
  readonly after: ReadonlyMap<Part, Resources>;
  readonly end: { readonly right: number | undefined; readonly wrong: readonly string[] };
}

async function finish(ending: Ending): Promise<Journal> {
  const { schedule, began, ready, lifted, doing, packets, status, exits, logWatch, key, before, after, end } = ending;
  const { subject, commits, happened, stage } = doing;
  await packets.stop();
  await Promise.all([status.stop(), exits.stop()]);
  const ends = await subject.stop();
  await logWatch.stop();
  const log: StoredEntry[] = [];
  for await (const entry of readEntries(subject.logFolder)) log.push(entry);
  const { verdict } = await verifyTrail(subject.logFolder, { verifierKey: key });
  return {
    schedule,
    began,
    ready,
    lifted,
    ...end,
    happened,
    commits,
    samples: packets.samples,
    control: packets.control,
    polls: status.polls,
    asked: exits.asked,
    entries: logWatch.entries,
    log,
    verdict,
    ended: subject.ended,
    exits: ends,
    outputs: new Map(subject.parts.map((part) => [part, subject.output(part)])),
    resources: subject.parts.flatMap((part) => {
      const [first, last] = [before.get(part), after.get(part)];
      return first === undefined || last === undefined ? [] : [{ part, before: first, after: last }];
    }),
    left: await leftOnHosts(stage, happened),
  };
}

function resources(subject: Subject): ReadonlyMap<Part, Resources> {
  return new Map(
    subject.parts.flatMap((part): [Part, Resources][] => {
      const found = resourcesOf(subject.pidOf(part) ?? 0);
      return found === undefined ? [] : [[part, found]];
    }),
  );
}

/** Processes that Firebreak started on a host and that are still there although it has ended; its timers may take ten seconds. */
async function leftOnHosts({ world, place }: Stage, happened: readonly Happened[]): Promise<readonly string[]> {
  // Whose cable was out has sessions that nobody told of the end. Connections that a killed process shared end after an idle minute.
  const mayHaveSessions = (name: string): boolean =>
    happened.some(
      ({ event }) => event.kind === "kill" || event.kind === "restore" || (event.kind === "away" && event.what === `cable ${name}`),
    );
  const until = Date.now() + 15_000;
  for (;;) {
    const left: string[] = [];
    for (const name of HOSTS) {
      const agent = (await place(name).agent()).pid;
      const pids = (await command(["ip", "netns", "pids", world.host(name).namespace ?? ""])).split("\n").filter(Boolean);
      const lines = pids
        .filter((pid) => Number(pid) !== agent)
        .flatMap((pid) => commandLine(pid, name))
        .filter((line) => !(mayHaveSessions(name) && line.includes("sshd: ")));
      left.push(...lines);
      if (lines.some((line) => line.includes("sshd: ")))
        left.push(...(await connectionsOf(world.host(name).namespace ?? "", name)));
    }
    if (left.length === 0 || Date.now() > until) return left;
    await sleep(250);
  }
}

/** Whose sessions they are: a connection that only this end still knows, or one that a client of ours holds. */
async function connectionsOf(namespace: string, host: string): Promise<readonly string[]> {
  const sockets = await command(["ip", "netns", "exec", namespace, "ss", "-tonpH", "state", "connected", "sport", "=", ":22"]);
  const clients = await command(["pgrep", "-af", "^ssh"]).catch(() => "no client of ssh");
  return [
    ...sockets
      .split("\n")
      .filter(Boolean)
      .map((line) => `${host} socket: ${line.replaceAll(/\s+/g, " ").slice(0, 160)}`),
    ...clients
      .split("\n")
      .filter(Boolean)
      .map((line) => `client: ${line.slice(0, 160)}`),
  ];
}

function commandLine(pid: string, host: string): readonly string[] {
  try {
    const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim();
    return line === "" || /sshd.*(-D|listener)/.test(line) ? [] : [`${host}: ${line.slice(0, 100)}`];
  } catch {
    return [];
  }
}

function lastWords(subject: Subject): string {
  return subject.parts.map((part) => subject.output(part).slice(-3_000)).join("\n");
}
