/** A step in which somebody changes enforcement behind Git's back: it is found, told with what it opens, and healed. */
import type { FindingAnswer } from "../../core/api/shapes.ts";
import { waitFor } from "../wait.ts";
import { watchPackets, type Way } from "./packets.ts";
import type { Stage } from "./stage.ts";
import { expect, type Step } from "./step.ts";
import type { Voice } from "./voice.ts";

const DEADLINE_MS = 120_000;

export interface TamperStep {
  readonly title: string;
  /** The target that is tampered with: `host/FLEET/NAME` or `cluster/NAME`. */
  readonly target: string;
  /** What is typed, as people would. */
  readonly command: string;
  /** Absent where there are no packets. */
  readonly way: Way | undefined;
  /** What the packets do between the tampering and the repair; "opens" is proven by one that arrives. */
  readonly effect: "opens" | "opens nothing";
  /** Said of the effect, where it is not obvious. */
  readonly remark?: string;
  /** Part of what Firebreak must say about who did it. */
  readonly by?: string;
  tamper(): Promise<unknown>;
  /** What enforces now, in a form that is the same again once it is healed. */
  look(): Promise<string>;
}

export function tamperStep(step: TamperStep): Step<Stage> {
  return { title: step.title, run: async (stage) => await run(step, stage) };
}

async function run(step: TamperStep, { service, voice, signal }: Stage): Promise<void> {
  const { target, way, effect } = step;
  await service.settled(target);
  const before = await step.look();
  await using watch = way === undefined ? undefined : watchPackets(way, signal);
  await watch?.first(false, 0);

  const began = Date.now();
  await step.tamper();
  const tampered = Date.now();
  const wait = { timeoutMs: DEADLINE_MS, everyMs: 20, signal };
  const found = waitFor(async () => worstOf(await service.findingsSince(target, began)), {
    ...wait,
    what: `${target} has a finding`,
  });
  const healed = waitFor(async () => (await step.look()) === before && Date.now(), { ...wait, what: `${target} is healed` });
  voice.detail("did", step.command);
  if (step.remark !== undefined) voice.detail("", step.remark);
  const [first, healedAt] = await bothOf(found, healed);
  await service.settled(target);
  const settled = Date.now();
  await watch?.first(false, settled);

  const told = worstOf(await service.findingsSince(target, began)) ?? first;
  tell(told, voice, tampered);
  voice.detail("healed", `after ${healedAt - tampered} ms; the finding is closed`);
  const open = watch?.openSince(began);
  if (way !== undefined) {
    const between =
      open === undefined ? "closed all the time" : `closed, open for ${Math.max(1, open.to - open.from)} ms, closed again`;
    voice.detail("packets", `${way.name}  ${between}`);
  }
  expect(told.effect.opened.length > 0 === (effect === "opens"), `Firebreak says that this ${effect}`);
  expect(effect === "opens" || open === undefined, "no packet arrives");
  expect(step.by === undefined || told.who === step.by, `${step.by ?? ""} is named as the writer, not ${told.who ?? "nobody"}`);
  expect(watch?.openSince(settled) === undefined, "no packet arrives once it is healed");
}

function tell({ firstSeen, severity, kind, summary, effect, who }: FindingAnswer, voice: Voice, tampered: number): void {
  voice.detail("found", `after ${Date.parse(firstSeen) - tampered} ms: ${kind}, ${severity}`);
  voice.detail("", summary.replace(/: (opens|closes) .*$/, ""));
  for (const connection of effect.opened) voice.detail("opens", connection);
  for (const connection of effect.closed) voice.detail("closes", connection);
  if (effect.opened.length + effect.closed.length === 0) voice.detail("opens", "nothing");
  if (who !== null) voice.detail("by", who);
}

/** Waits for both before it throws: neither may go on behind the step. */
async function bothOf<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b]);
  return await Promise.all([a, b]);
}

/** The finding that opens most; undefined when there is none. A guardrail that it breaks, too, is told beside it where repair takes long. */
function worstOf(findings: readonly FindingAnswer[]): FindingAnswer | undefined {
  const direct = findings.filter(({ kind }) => kind !== "guardrail-violated");
  return direct.toSorted((a, b) => b.effect.opened.length - a.effect.opened.length)[0];
}
