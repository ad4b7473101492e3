/** A step in which somebody changes enforcement behind Git's back: it is found, told with what it opens, and healed. */
import type { FindingAnswer } from "../../core/api/shapes.ts";
import { waitFor } from "../wait.ts";
import { watchPackets, type Way } from "./packets.ts";
import type { Stage } from "./stage.ts";
import { expect, type Step } from "./step.ts";

const DEADLINE_MS = 60_000;

export interface TamperStep {
  readonly title: string;
  /** The target that is tampered with: `host/FLEET/NAME` or `cluster/NAME`. */
  readonly target: string;
  /** What is typed, as people would. */
  readonly command: string;
  readonly way: Way;
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

export function tamperStep(step: TamperStep): Step {
  return { title: step.title, run: async (stage) => await run(step, stage) };
}

async function run(step: TamperStep, { service, voice, signal }: Stage): Promise<void> {
  const { target, way, effect } = step;
  await service.settled(target);
  const before = await step.look();
  await using watch = watchPackets(way, signal);
  await watch.first(false, 0);

  const began = Date.now();
  await step.tamper();
  const tampered = Date.now();
  voice.detail("did", step.command);
  if (step.remark !== undefined) voice.detail("", step.remark);
  const wait = { timeoutMs: DEADLINE_MS, everyMs: 20, signal };
  const found = waitFor(async () => worstOf(await service.findingsSince(target, began)), {
    ...wait,
    what: `${target} has a finding`,
  });
  const healed = waitFor(async () => (await step.look()) === before && Date.now(), { ...wait, what: `${target} is healed` });
  const [finding, healedAt] = await Promise.all([found, healed]);
  await service.settled(target);
  const settled = Date.now();
  await watch.first(false, settled);

  const told = worstOf(await service.findingsSince(target, began)) ?? finding;
  voice.detail("found", `after ${Date.parse(told.firstSeen) - tampered} ms: ${told.severity}, ${told.kind}, ${told.target}`);
  voice.detail("", told.summary.replace(/: (opens|closes) .*$/, ""));
  for (const connection of told.effect.opened) voice.detail("opens", connection);
  for (const connection of told.effect.closed) voice.detail("closes", connection);
  if (told.effect.opened.length + told.effect.closed.length === 0) voice.detail("opens", "nothing");
  if (told.who !== null) voice.detail("by", told.who);
  voice.detail("healed", `after ${healedAt - tampered} ms, and the finding is closed`);
  const open = watch.openSince(began);
  voice.detail(
    "packets",
    `${way.name}  closed, ${open === undefined ? "" : `open for ${Math.max(1, open.to - open.from)} ms, `}closed`,
  );

  expect(told.effect.opened.length > 0 === (effect === "opens"), `Firebreak says that this ${effect}`);
  if (effect === "opens nothing") expect(open === undefined, "no packet arrives");
  if (step.by !== undefined) expect(told.who === step.by, `Firebreak says that ${step.by} wrote it, not ${told.who ?? "nobody"}`);
  expect((watch.openSince(settled) ?? undefined) === undefined, `${way.name} stays closed once it is healed`);
}

/** The finding that opens most; undefined when there is none. */
function worstOf(findings: readonly FindingAnswer[]): FindingAnswer | undefined {
  return findings.toSorted((a, b) => b.effect.opened.length - a.effect.opened.length)[0];
}
