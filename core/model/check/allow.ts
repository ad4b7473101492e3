import { contains, fromPrefixes } from "../../address/index.ts";
import type { Prefix } from "../../address/index.ts";
import type { Note } from "../note.ts";
import { acceptedAddress } from "../schema/addresses.ts";
import { quote } from "../schema/text.ts";
import type { DefinitionSet } from "./context.ts";
import { noteIn, ofKind } from "./context.ts";

/** What definitions may name, from the operator's `firebreak.yaml`; an absent list allows nothing. */
export interface Allow {
  /** Contexts of the kubeconfig; `inCluster` allows `inCluster: true`. */
  readonly contexts?: readonly string[] | undefined;
  /** Blocks that addresses of hosts must be in. */
  readonly hosts?: readonly Prefix[] | undefined;
  /** Users to log in to hosts as. */
  readonly users?: readonly string[] | undefined;
  /** Whether a fleet may be the machine that the service itself runs on. */
  readonly local?: boolean | undefined;
}

/** Definitions name only what the operator allows: Git must not be able to point the service's credentials anywhere else. */
export function checkAllow(set: DefinitionSet, allow: Allow): readonly Note[] {
  return [
    ...contextNotes(set, allow.contexts ?? []),
    ...hostNotes(set, allow.hosts ?? []),
    ...userNotes(set, allow.users ?? []),
    ...localNotes(set, allow.local ?? false),
  ];
}

function contextNotes(set: DefinitionSet, contexts: readonly string[]): readonly Note[] {
  return ofKind(set, "Cluster").flatMap(({ body: { spec }, document }): Note[] => {
    const context = spec.context ?? "inCluster";
    if (contexts.includes(context)) return [];
    const field = spec.context === undefined ? "inCluster" : "context";
    const summary = `the context ${quote(context)} is not allowed`;
    return [noteIn(document, ["spec", field], "error", "context-not-allowed", summary, operatorDetail("contexts"))];
  });
}

function hostNotes(set: DefinitionSet, hosts: readonly Prefix[]): readonly Note[] {
  const allowed = fromPrefixes(hosts);
  return ofKind(set, "HostFleet").flatMap(({ body, document }) =>
    body.spec.hosts.flatMap((host, index) =>
      host.addresses.flatMap((address, place): Note[] => {
        if (contains(allowed, acceptedAddress(address))) return [];
        const path = ["spec", "hosts", index, "addresses", place];
        const summary = `the address ${address} of host ${quote(host.name)} is not allowed`;
        return [noteIn(document, path, "error", "host-not-allowed", summary, operatorDetail("hosts"))];
      }),
    ),
  );
}

function userNotes(set: DefinitionSet, users: readonly string[]): readonly Note[] {
  return ofKind(set, "HostFleet").flatMap(({ body, document }): Note[] => {
    const user = body.spec.transport.ssh?.user;
    if (user === undefined || users.includes(user)) return [];
    const path = ["spec", "transport", "ssh", "user"];
    return [noteIn(document, path, "error", "user-not-allowed", `the user ${quote(user)} is not allowed`, operatorDetail("users"))];
  });
}

/** The service's own machine: rules there can cut it from hosts, forge and chat, and its scripts run as root beside its keys. */
function localNotes(set: DefinitionSet, isAllowed: boolean): readonly Note[] {
  if (isAllowed) return [];
  return ofKind(set, "HostFleet").flatMap(({ body, document }): Note[] => {
    if (body.spec.transport.local === undefined) return [];
    const summary = "transport local is not allowed: it is the machine that the service runs on";
    const detail = "The operator bounds what definitions may name: allow.local: true in firebreak.yaml, or reach it by ssh";
    return [noteIn(document, ["spec", "transport", "local"], "error", "local-not-allowed", summary, detail)];
  });
}

function operatorDetail(list: string): string {
  return `The operator bounds what definitions may name: allow.${list} in firebreak.yaml`;
}
