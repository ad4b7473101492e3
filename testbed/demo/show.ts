/** The whole demonstration, as root: stage, tour, and what one can do while it stays up. */
import { formatStatus } from "../../core/text/answers.ts";
import { formatGuide } from "./guide.ts";
import { joinClusters, raiseClusters, raiseHosts, startFirebreak, type Clusters, type Stage, type StageOptions } from "./stage.ts";
import { playSteps, type Score } from "./step.ts";
import { auditStep } from "./tour-audit.ts";
import { clusterSteps } from "./tour-clusters.ts";
import { hostSteps } from "./tour-hosts.ts";
import type { Voice } from "./voice.ts";

export interface ShowOptions extends StageOptions {
  /** Leave after the tour. */
  readonly exit: boolean;
  /** Parts that the set-up found missing, a line each. */
  readonly without: readonly string[];
}

/** Plays it; returns the exit code (see USAGE). */
export async function showInRealWorld(options: ShowOptions): Promise<number> {
  const { voice, signal, exit } = options;
  voice.heading("Firebreak: one Git repository says who may talk to whom, in every cluster and on every host");
  sayLeftOut(voice, options.without);
  await using world = await raiseHosts(options);
  const building = raiseClusters(world, options);
  building.catch(() => undefined); // awaited below; until then a failure must not end the process
  const stage = await startFirebreak(world, options);
  try {
    await showStatus(stage);
    const hostScore = await playSteps(stage, hostSteps(stage), 1);
    const clusters = await waitForClusters(stage, building);
    const clusterScore = await tourClusters(stage, clusters, hostScore);
    const auditScore = await playSteps(stage, [auditStep], count(hostScore) + count(clusterScore) + 1);
    const leftOut = [...options.without, ...leftOutOf(clusters)];
    const code = summarise(voice, [hostScore, clusterScore, auditScore], leftOut);
    if (exit) return code;
    voice.block(`\n${formatGuide(stage)}`);
    await until(signal);
    return code;
  } finally {
    await building.catch(() => undefined); // nothing may still start while the world is removed
    await stage.service.stop();
    voice.say("Firebreak has stopped; removing the world");
  }
}

async function waitForClusters({ voice }: Stage, building: Promise<Clusters>): Promise<Clusters> {
  voice.heading("The clusters join");
  return await building;
}

async function tourClusters(stage: Stage, clusters: Clusters, before: Score): Promise<Score> {
  const nothing: Score = { done: 0, failed: [] };
  if ("missing" in clusters) {
    stage.voice.say(`left out: ${clusters.missing}`);
    return nothing;
  }
  await joinClusters(stage);
  await showStatus(stage);
  if (clusters.withoutPackets !== undefined) {
    stage.voice.say(`packets between pods are left out: ${clusters.withoutPackets}`);
    return nothing;
  }
  return await playSteps(stage, await clusterSteps(stage, clusters.pods), count(before) + 1);
}

async function showStatus({ service, voice }: Stage): Promise<void> {
  voice.block(`\n${formatStatus(await service.status(), Date.now())}`);
}

function leftOutOf(clusters: Clusters): readonly string[] {
  if ("missing" in clusters) return [`the clusters: ${clusters.missing}`];
  return clusters.withoutPackets === undefined ? [] : [`packets between pods: ${clusters.withoutPackets}`];
}

function sayLeftOut(voice: Voice, lines: readonly string[]): void {
  if (lines.length === 0) return;
  voice.heading("Left out on this machine");
  for (const line of lines) voice.block(`- ${line}`);
}

function summarise(voice: Voice, scores: readonly Score[], leftOut: readonly string[]): number {
  const failed = scores.flatMap((score) => score.failed);
  const done = scores.reduce((sum, score) => sum + score.done, 0);
  voice.heading(`${done} steps did what they say, ${failed.length} did not`);
  for (const line of failed) voice.bad(line);
  sayLeftOut(voice, leftOut);
  if (failed.length > 0) return 1;
  if (leftOut.length === 0) return 0;
  return process.env["CI"] === "true" ? 1 : 2;
}

function count({ done, failed }: Score): number {
  return done + failed.length;
}

/** Resolves when the signal is given. */
async function until(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const alive = setInterval(() => undefined, 60_000); // a pending promise alone does not keep a process
  if (signal.aborted) resolve();
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  clearInterval(alive);
}
