import type { Manifests } from "../manifest/read.ts";
import type { Note } from "../model/note.ts";
import type { Classes } from "../verdict/classes.ts";
import { unknownWords } from "../verdict/unknown.ts";
import { livePods } from "../verdict/world.ts";
import type { World } from "../verdict/world.ts";
import { workloadOf } from "./workload-name.ts";
import type { Group, Unsure } from "./matrix-types.ts";

/** What a reader of the listing has to know that the listing cannot say. */
export function reachNotes(
  { world }: Manifests,
  groups: readonly Group[],
  blocked: readonly Group[],
  usesV6: boolean,
  most: number,
): readonly Note[] {
  const some = (names: readonly string[]): string => firstOf(names, most, ", ");
  const live = livePods(world.pods);
  const notes: Note[] = [];
  const tell = (severity: Note["severity"], code: string, summary: string, detail?: string): void => {
    notes.push({ severity, code, summary, ...(detail !== undefined && { detail }) });
  };
  if (live.length === 0) tell("warning", "no-workloads", "no workload among the manifests: there is nothing to list");
  if (world.policies.length === 0) tell("warning", "no-policies", "no policy among the manifests: everything is allowed");
  const finished = world.pods.length - live.length;
  if (finished > 0) tell("info", "finished-pods", `${count(finished, "pod")} Succeeded or Failed: left out`);
  const split = groups.filter(({ peers }) => peers.length > 1).flatMap(({ workloads }) => workloads);
  if (split.length > 0) {
    const detail = "What is listed for them is what any of their pods may do";
    tell("warning", "pods-differ", `policies tell pods of one workload apart: ${some(split)}`, detail);
  }
  const host = live.filter(({ hostNetwork }) => hostNetwork === true).map(({ namespace, name }) => `${namespace}/${name}`);
  if (host.length > 0) {
    tell("info", "host-network", `on the host network: ${some(host)}`, "No policy selects them, and selectors do not name them");
  }
  if (!usesV6 && live.length > 0)
    tell("info", "no-ipv6", "no pod and no policy uses IPv6: addresses outside are listed for IPv4 only");
  for (const { workloads } of blocked) {
    tell("warning", "blocked-entry", `what Ingress or Route send to ${some(workloads)} is blocked by policies`);
  }
  return notes;
}

/** What is not listed and may be open all the same, with one connection and why nobody knows. */
export function unsureNote({ pairs, from, to, possible }: Unsure, { pods }: World, { labelKeys }: Classes): Note {
  const names = [from.workloads[0] ?? "", (from === to ? to.workloads[1] : to.workloads[0]) ?? ""] as const;
  const words = names.flatMap((name) =>
    unknownWords(
      livePods(pods).find((pod) => workloadOf(pod) === name),
      labelKeys,
    ),
  );
  const summary = `uncertain: more may be open than is listed for ${count(pairs, "pair")} of workloads, such as ${names.join(" → ")}: ${possible}`;
  return { severity: "warning", code: "uncertain", summary, detail: [...new Set(words)].join("; ") };
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

/** Names in a note before the rest is counted, unless somebody asks for all. */
export const FEW = 5;

/** The first few of a list, and how many more. */
export function firstOf(names: readonly string[], most: number, between: string): string {
  const shown = names.slice(0, most).join(between);
  return names.length <= most ? shown : `${shown}${between === ", " ? "" : ";"} and ${names.length - most} more (--full names all)`;
}
