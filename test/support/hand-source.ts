import { noPorts, portRange, allPorts, type PortSet, unionPorts } from "../../core/address/ports.ts";
import type { Estate } from "../../core/estate/estate.ts";
import { estateOf } from "../../core/estate/build.ts";
import type { ClusterInventory } from "../../core/membership/inventory.ts";
import type { Definitions } from "../../core/model/kinds.ts";
import { parseDefinitions } from "../../core/model/parse.ts";
import { hasErrors } from "../../core/model/note.ts";
import { formatNotes } from "../../core/text/notes.ts";
import type { EndMode, Party, Source } from "../../core/reach/source.ts";

/** Definitions as written; documents may leave `apiVersion` out. Throws on a mistake in the test. */
export function written(text: string, file = "policies/test.yaml"): Definitions {
  const documents = text
    .split(/^---$/m)
    .map((document) => `apiVersion: firebreak.dev/v1alpha1\n${document.trim()}\n`)
    .join("---\n");
  const { definitions, notes } = parseDefinitions([{ path: file, bytes: Buffer.from(documents) }], { allow: undefined });
  if (definitions === undefined || hasErrors(notes)) throw new Error(formatNotes(notes));
  return definitions;
}

/** The estate of some definitions, with inventories by the cluster's name. */
export function estate(definitions: Definitions, ...inventories: readonly ClusterInventory[]): Estate {
  return estateOf(definitions, new Map(inventories.map((inventory) => [inventory.target, inventory])));
}

/** What a hand-made source lets through: `web>db:5432`, `web>db` (every port), `any>db`; by the label `app`, a host's or an external's name, `out` for addresses. */
export interface HandMade {
  readonly allows: readonly string[];
  /** Apps that are isolated, for both directions; others are open. */
  readonly enforced?: readonly string[];
  readonly observed?: readonly string[];
  /** Apps whose own end is uncertain. */
  readonly uncertain?: readonly string[];
}

/** A source that says what it is told to, over any estate. */
export function handSource(on: Estate, made: HandMade, kind: Source["kind"] = "intent"): Source {
  const modeOf = (party: Party): EndMode => {
    if (party.kind === "addresses" || party.workload.target === undefined) return "unmanaged";
    if (made.enforced?.includes(nameOf(party)) === true) return "enforced";
    return made.observed?.includes(nameOf(party)) === true ? "observed" : "open";
  };
  const between = (from: Party, to: Party): PortSet =>
    made.allows
      .map((text) => /^([\w-]+)>([\w-]+)(?::(\d+))?$/.exec(text) ?? [])
      .filter(([, a, b]) => (a === "any" || a === nameOf(from)) && (b === "any" || b === nameOf(to)))
      .map(([, , , port]) => (port === undefined ? allPorts : portRange("tcp", Number(port))))
      .reduce(unionPorts, noPorts);
  return {
    kind,
    estate: on,
    borders: [],
    keyOf: (workload) => nameOf({ kind: "workload", workload }),
    endKey: (_direction, workload) => nameOf({ kind: "workload", workload }),
    end(direction, subject, peer) {
      const mode = modeOf(subject);
      const isIsolated = mode === "enforced" || mode === "observed";
      const ports = !isIsolated ? allPorts : direction === "ingress" ? between(peer, subject) : between(subject, peer);
      return { mode, ports, uncertain: made.uncertain?.includes(nameOf(subject)) === true ? ["its enforcer is unknown"] : [] };
    },
    explain(direction, subject, peer) {
      const mode = modeOf(subject);
      const text = `${direction} of ${nameOf(subject)} is ${mode}`;
      const allowed = direction === "ingress" ? between(peer, subject) !== noPorts : between(subject, peer) !== noPorts;
      return { direction, allowed, mode, origins: [], isolatedBy: [], at: undefined, text };
    },
  };
}

function nameOf(party: Party): string {
  if (party.kind === "addresses") return "out";
  const { kind, labels, name } = party.workload;
  return kind === "pod" ? (labels["app"] ?? "plain") : (name.split("/").at(-1) ?? name);
}
