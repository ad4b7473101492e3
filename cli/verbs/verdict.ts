import { readFile } from "node:fs/promises";
import { FirebreakError } from "../../core/ground/error.ts";
import { answerProbe, endpointFinder, parseProbe } from "../../core/reach/probe.ts";
import type { Probe } from "../../core/reach/probe.ts";
import { evaluator } from "../../core/verdict/evaluator.ts";
import { loadManifests, profileNamed } from "../manifests.ts";
import { writeAll } from "../write-all.ts";

/** What the command line gives. */
export interface VerdictOptions {
  readonly manifests: string;
  readonly probes: string;
  readonly enforcer: string;
}

/** `firebreak verdict --manifests DIR --probes FILE`: one line of JSON for each probe, in order. */
export async function verdict({ manifests: folder, probes: file, enforcer }: VerdictOptions): Promise<number> {
  const profile = profileNamed(enforcer);
  const probes = readProbes(await textOf(file), file);
  const manifests = await loadManifests(folder);
  if (manifests === undefined) return 1;
  const engine = evaluator(manifests.world, profile);
  const find = endpointFinder(manifests.world);
  await writeAll(probes.map((probe) => `${JSON.stringify(answerProbe(engine, find, probe))}\n`));
  return 0;
}

/** `-` is standard input. */
async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file === "-" ? "/dev/stdin" : file, "utf8");
  } catch (cause) {
    throw new FirebreakError("NOT_FOUND", `read the probes in ${file}`, { cause });
  }
}

/** Every line must read before any is answered: answers are matched to probes by their order. */
function readProbes(text: string, file: string): readonly Probe[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    const probe = parseProbe(line);
    if (typeof probe === "string") throw new FirebreakError("USAGE", `${file}:${index + 1}: ${probe}`);
    return [probe];
  });
}
