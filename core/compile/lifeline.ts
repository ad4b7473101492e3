import type { Definitions, Lifeline } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import { listTargets, type Target } from "../model/target.ts";
import { ruleBook } from "./rules.ts";

type HostTarget = Extract<Target, { kind: "host" }>;

/** Hosts that are written, where something isolates ingress and no lifeline is open: each a warning. @param floor of firebreak.yaml */
export function noteLifelines(definitions: Definitions, floor: Lifeline): readonly Note[] {
  const { segmentsOf } = ruleBook(definitions);
  const hosts = listTargets(definitions).filter((target): target is HostTarget => target.kind === "host");
  return hosts.flatMap((target) => {
    const isIsolated = segmentsOf(target.fleet, target.host).some(({ isolate }) => isolate.ingress !== "off");
    return isIsolated ? noteLifeline(target, floor) : [];
  });
}

/** The warning for one host, when nothing would let its people and Firebreak in whatever the policies say. */
export function noteLifeline({ id, mode, fleet }: HostTarget, floor: Lifeline): readonly Note[] {
  const ways = [floor, fleet.lifeline];
  const isOpen = ways.some(({ from }) => from.length > 0) && ways.some(({ ports }) => ports.length > 0);
  if (mode !== "apply" || isOpen) return [];
  return [
    {
      severity: "warning",
      code: "no-lifeline",
      at: fleet.at,
      summary: `${id} has no lifeline: once its ingress is enforced, a mistake in the definitions keeps everybody out, Firebreak too`,
      detail: "Say from which networks and on which ports it is always reached: `lifeline` in firebreak.yaml, or of the fleet.",
    },
  ];
}
