/** The whole demonstration: stage, tour, and then it stays up. As root in a world with packets; else what needs no rights. */
import { accessSync, constants, mkdirSync } from "node:fs";
import { formatStatus } from "../../core/text/answers.ts";
import { exampleFiles } from "../organisation.ts";
import { createFlatWorld } from "./flat-world.ts";
import { buildForge, moveToForge } from "./forge-stage.ts";
import { formatGuide } from "./guide.ts";
import { OFFLINE_STEPS } from "./offline.ts";
import { joinClusters, raiseClusters, raiseHosts, startFirebreak, type Clusters, type Stage, type StageOptions } from "./stage.ts";
import { NO_SCORE, playSteps, type Score } from "./step.ts";
import { auditStep } from "./tour-audit.ts";
import { clusterSteps } from "./tour-clusters.ts";
import { forgeSteps } from "./tour-forge.ts";
import { hostSteps } from "./tour-hosts.ts";
import type { Voice } from "./voice.ts";

/** Clusters that are there. */
type Fleet = Exclude<Clusters, { readonly missing: string }>;

export interface ShowOptions extends StageOptions {
  /** Leave after the tour. */
  readonly exit: boolean;
  /** Parts that the set-up found missing, a line each. */
  readonly without: readonly string[];
}

/** Plays everything, on hosts and clusters with packets; returns the exit code (see USAGE). */
export async function showWorld(options: ShowOptions): Promise<number> {
  begin(options);
  await using world = await raiseHosts(options);
  const building = raiseClusters(world, options);
  building.catch(() => undefined); // awaited below; until then a failure must not end the process
  try {
    const stage = await startFirebreak(world, options);
    return await stopping(stage, async () => {
      showStatus(stage, await stage.service.status());
      let score = await playSteps(stage, hostSteps(stage), NO_SCORE);
      options.voice.heading("The clusters join");
      const clusters = await building;
      if (!("missing" in clusters)) {
        await joinClusters(stage);
        showStatus(stage, await stage.service.status());
        score = await playSteps(stage, await clusterSteps(stage, clusters), score);
        return await playOnForge(stage, clusters, options, score);
      }
      score = await playSteps(stage, [auditStep], score);
      return await finish(options, score, clusters, stage);
    });
  } finally {
    await building.catch(() => undefined); // nothing may still start while the world is removed
  }
}

/** The last act, where a forge can be had: the repository moves there, and people review and are told. */
async function playOnForge(stage: Stage, clusters: Fleet, options: ShowOptions, before: Score): Promise<number> {
  stage.voice.heading("The loop closes where people work");
  const why = clusters.withoutPackets ?? (await buildForge(stage))?.missing;
  if (why !== undefined) {
    const score = await playSteps(stage, [auditStep], before);
    const without = [...options.without, `no forge: ${why}`];
    return await finish({ ...options, without }, score, clusters, stage);
  }
  const onForge = await moveToForge(stage);
  try {
    const orderFlow = exampleFiles(stage.world.plan)["policies/policies/order-flow.yaml"] ?? "";
    const score = await playSteps(onForge, forgeSteps(orderFlow, clusters.pods), before);
    return await finish(options, await playSteps<Stage>(onForge, [auditStep], score), clusters, onForge);
  } finally {
    await onForge.service.stop();
  }
}

/** Plays what needs no rights: the command line offline, then clusters without packets; returns the exit code. */
export async function showWithoutRights(asked: ShowOptions, why: string): Promise<number> {
  const options = asked.without.length > 0 ? asked : { ...asked, without: [`no hosts, pods and packets: ${why}`] };
  begin(options);
  const { voice, folder } = options;
  const score = await playSteps(options, OFFLINE_STEPS, NO_SCORE);
  voice.heading("Clusters without packets");
  if (!mayWrite(folder)) return await finish(options, score, { missing: `${folder} belongs to somebody else: remove it` });
  await using world = await createFlatWorld({ folder, why, signal: options.signal });
  const clusters = await raiseClusters(world, options);
  if ("missing" in clusters) return await finish(options, score, clusters);
  const stage = await startFirebreak(world, options);
  return await stopping(stage, async () => {
    showStatus(stage, await stage.service.status());
    const all = await playSteps(stage, [...(await clusterSteps(stage, clusters)), auditStep], score);
    return await finish(options, all, clusters, stage);
  });
}

function begin({ voice, without }: ShowOptions): void {
  voice.heading("Firebreak: one Git repository says who may talk to whom, in every cluster and on every host");
  sayLeftOut(voice, without);
}

/** Runs the tour and stops the service, whatever comes of it. */
async function stopping(stage: Stage, tour: () => Promise<number>): Promise<number> {
  try {
    return await tour();
  } finally {
    await stage.service.stop();
    stage.voice.say("Firebreak has stopped; its state folder stays to be looked at, all else is removed");
  }
}

/** The summary; then it stays up, where there is something to stay up for. */
async function finish(options: ShowOptions, score: Score, clusters: Clusters, stage?: Stage): Promise<number> {
  const { voice, exit, signal, without } = options;
  const leftOut = [...without, ...leftOutOf(clusters)];
  voice.heading(`${score.done} of ${score.done + score.failed.length} steps did what they say`);
  for (const line of score.failed) voice.bad(line);
  sayLeftOut(voice, leftOut);
  if (!exit && stage !== undefined) {
    voice.block(`\n${formatGuide(stage, await stage.service.signIn())}`);
    await aborted(signal);
  }
  if (score.failed.length > 0) return 1;
  if (leftOut.length === 0 || !exit) return 0;
  return process.env["CI"] === "true" ? 1 : 2;
}

function showStatus({ voice }: Stage, status: Parameters<typeof formatStatus>[0]): void {
  voice.block(`\n${formatStatus(status, Date.now())}`);
}

function leftOutOf(clusters: Clusters): readonly string[] {
  if ("missing" in clusters) return [`no clusters: ${clusters.missing}`];
  return clusters.withoutPackets === undefined ? [] : [`no packets between pods: ${clusters.withoutPackets}`];
}

function sayLeftOut(voice: Voice, lines: readonly string[]): void {
  if (lines.length === 0) return;
  voice.heading("Left out on this machine");
  for (const line of lines) voice.block(`- ${line}`);
}

function mayWrite(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false; // whatever the reason, nothing can be kept there
  }
}

/** Resolves when the signal is given. */
async function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const alive = setInterval(() => undefined, 60_000); // a pending promise alone does not keep a process
  signal.addEventListener("abort", () => resolve(), { once: true });
  if (signal.aborted) resolve();
  await promise;
  clearInterval(alive);
}
