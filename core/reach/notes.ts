import type { Manifests } from "../manifest/read.ts";
import type { Note } from "../model/note.ts";
import { livePods } from "../verdict/world.ts";
import type { Group } from "./matrix.ts";

/** What a reader of the listing has to know that the listing cannot say. */
export function reachNotes(
  { world }: Manifests,
  groups: readonly Group[],
  blocked: readonly Group[],
  usesV6: boolean,
): readonly Note[] {
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
  const unknown = live.filter(({ addresses }) => addresses.length === 0).length;
  if (unknown > 0 && /"(ipBlock|networks)"/.test(JSON.stringify(world.policies))) {
    const detail = "Where an enforcer matches blocks with pods' addresses too, more may be allowed or denied between pods";
    tell("info", "no-address", `${count(unknown, "workload")} without a known address: blocks are not matched with them`, detail);
  }
  if (!usesV6 && live.length > 0)
    tell("info", "no-ipv6", "no pod and no policy uses IPv6: addresses outside are listed for IPv4 only");
  for (const { workloads } of blocked) {
    tell("warning", "blocked-entry", `what Ingress or Route send to ${some(workloads)} is blocked by policies`);
  }
  return notes;
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

/** The first few of a list, and how many more. */
function some(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length <= 5 ? shown : `${shown} and ${names.length - 5} more`;
}
