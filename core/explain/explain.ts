import type { Position } from "../model/note.ts";
import { answerQuestion, type Blame, type BlamedLine, type ExplainAnswer } from "./answer.ts";
import { readQuestion } from "./ask.ts";
import { smallestEdit, type EditInputs } from "./edit.ts";
import type { EndAnswer, Line } from "../guardrail/end.ts";
import { failedSame } from "./failed-same.ts";
import { findPair } from "./pair.ts";
import type { ConnectivityWorld } from "../guardrail/world.ts";

/** Both ends and the port, as people write them. */
export interface AskedConnection {
  readonly from: string;
  readonly to: string;
  readonly port: string;
}

/** Who touched a line last; null when history does not say. */
export type ReadBlame = (at: Position) => Promise<Blame | null>;

/**
 * May FROM connect to TO on PORT, why, by which lines, where it is enforced, whether live agrees, and what would allow it. Who touched
 * the lines last is asked with {@link withBlame}.
 *
 * @param inputs the definitions as files, for the edit
 * @throws FirebreakError NOT_FOUND, USAGE for ends and ports that are none
 */
export function explainConnection(world: ConnectivityWorld, inputs: EditInputs, asked: AskedConnection): ExplainAnswer {
  const sources = [world.approved, world.enforceable, ...(world.live === undefined ? [] : [world.live])];
  const { definitions, estate } = world;
  const borders = [...new Set(sources.flatMap((source) => source.borders))];
  const question = readQuestion({ definitions, estate, borders }, asked.from, asked.to, asked.port);
  const answer = answerQuestion(world, question);
  const lines = linesOf(answer.ends).map((line): BlamedLine => ({ ...line, blame: null }));
  if (answer.verdict === "allowed") return { ...answer, lines, edit: null };
  const { pair } = findPair(world.enforceable, question);
  const parted = failedSame(world, question, pair);
  // What somebody compares labels for is not to be opened by the next edit at hand.
  const edit = parted.length > 0 ? { none: NO_EDIT_BESIDE_SAME } : smallestEdit(world, inputs, question, pair);
  if ("ok" in edit) return { ...answer, lines, edit: edit.ok };
  return { ...answer, lines, edit: null, notes: [...new Set([...answer.notes, ...parted, edit.none])] };
}

const NO_EDIT_BESIDE_SAME =
  "no edit is proposed: give both ends equal labels, if they belong together; a rule without `same` would allow it whatever the labels say";

/** The same with who touched each line last. */
export async function withBlame(answer: ExplainAnswer, blame: ReadBlame): Promise<ExplainAnswer> {
  const lines: BlamedLine[] = [];
  for (const line of answer.lines) lines.push({ ...line, blame: line.at === null ? null : await blame(line.at) });
  return { ...answer, lines };
}

/** Rules and segments of both ends, each once. */
function linesOf(ends: readonly EndAnswer[]): readonly Line[] {
  const lines = ends.flatMap(({ rules, segments }) => [...rules, ...segments.map(({ name, at }) => ({ name, at }))]);
  return [...new Map(lines.map((line) => [line.name, line])).values()];
}
