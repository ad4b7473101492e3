import { anyAddress, fromAddressTexts, type AddressSet } from "../address/index.ts";
import { portsFromRanges } from "../address/ports.ts";
import { compileHost } from "../compile/host.ts";
import { FirebreakError } from "../ground/error.ts";
import type { Definitions, HostFleet } from "../model/kinds.ts";
import { hasErrors } from "../model/note.ts";
import { parseDefinitions } from "../model/parse.ts";
import { findTarget, hostTargetId } from "../model/target.ts";
import { wantDigest } from "../render/digest.ts";
import { renderRuleset } from "../render/nft.ts";
import { Budget } from "../verdict/budget.ts";
import { accessDifference, hostAccess, type HostAccess, type HostEffect } from "../verdict/nft.ts";
import { HOOK_STEPS } from "../verdict/nft/walk.ts";
import { intersectSpaces, spaceFromBoxes, subtractSpaces } from "../verdict/nft/space.ts";
import type { Document } from "./document.ts";
import { familiesOf, hostDraftOf, type HostDraft } from "./host.ts";
import { hostDocuments, HOST_LABEL } from "./host-definitions.ts";
import { filesOf, type ImportedFile } from "./write.ts";

/** One host as it is asked for. */
export interface HostListing {
  readonly host: string;
  /** The output of `nft -j list ruleset`, or what reads like it. */
  readonly listing: unknown;
  /** What was not understood of it before, each a sentence. */
  readonly leftOut: readonly string[];
}

/** Definitions that were made of the firewalls of hosts, and how well they say it. */
export interface ImportedHosts {
  readonly files: readonly ImportedFile[];
  readonly counts: { readonly hosts: number; readonly segments: number; readonly policies: number; readonly rules: number };
  /** What would differ on a host if its segments were enforced, apart from what Firebreak itself keeps open; only hosts where something would. */
  readonly differs: readonly { readonly host: string; readonly effect: HostEffect }[];
  /** What could not be said, each with its host. */
  readonly leftOut: readonly { readonly host: string; readonly text: string }[];
}

/** What an import of hosts takes beside their listings. */
export interface HostImportOptions {
  readonly fleet: HostFleet;
  /** Every definition there is: other hosts have labels, too. */
  readonly definitions: Definitions;
  readonly taken: ReadonlySet<string>;
  readonly isolate: "observe" | "enforce";
  readonly owner?: string | undefined;
  /** The folder of the files. */
  readonly folder: string;
}

/**
 * Definitions that mean what the firewalls of hosts mean; compiled back and compared. Hosts whose firewalls mean the same are one segment.
 *
 * @throws FirebreakError NOT_FOUND for a host that the fleet does not have
 * @throws FirebreakError PLAN_INVARIANT_BROKEN when what was written does not read: a defect of Firebreak
 */
export function importHosts(listings: readonly HostListing[], options: HostImportOptions): ImportedHosts {
  const { fleet, definitions, isolate, owner, taken, folder } = options;
  const asked = listings.map((listing) => readHost(listing, fleet));
  const read = asked.filter(({ draft }) => !draft.isUnread);
  const known = [...definitions.fleets.values()].flatMap((each) =>
    each.hosts.map(({ name, labels }) => ({ fleet: each.name, name, labels })),
  );
  const write = { fleet: fleet.name, known, taken, owner };
  const { documents, unnamed } = hostDocuments(read, { ...write, isolate });
  const enforced = compiled(hostDocuments(read, { ...write, isolate: "enforce" }).documents, fleet);
  const of = (kind: Document["kind"]): readonly Document[] => documents.filter((document) => document.kind === kind);
  return {
    files: filesOf(documents, folder),
    counts: {
      hosts: read.length,
      segments: of("Segment").length,
      policies: of("Policy").length,
      rules: of("Policy").reduce((sum, { spec }) => sum + (spec["rules"] as readonly unknown[]).length, 0), // hostDocuments makes them
    },
    differs: read
      .filter(({ name }) => !unnamed.includes(name))
      .map(({ name, local, draft }) => ({ host: name, effect: differenceOf(draft, enforced(name), local) }))
      .filter(({ effect }) => effect.kind !== "equivalent" || effect.uncertain.length > 0),
    leftOut: [
      ...unnamed.map((host) => ({
        host,
        text: `no label chooses it alone: give it \`labels: {${HOST_LABEL}: ${host}}\` in fleet ${fleet.name}`,
      })),
      ...asked.flatMap(({ name, draft, leftOut }) => [...leftOut, ...draft.leftOut].map((text) => ({ host: name, text }))),
    ],
  };
}

interface Read {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly local: AddressSet;
  readonly draft: HostDraft;
  readonly leftOut: readonly string[];
}

function readHost({ host, listing, leftOut }: HostListing, fleet: HostFleet): Read {
  const found = fleet.hosts.find(({ name }) => name === host);
  if (found === undefined)
    throw new FirebreakError(
      "NOT_FOUND",
      `fleet ${fleet.name} has no host ${host}: a file is named after its host, as the fleet calls it`,
    );
  const { set } = fromAddressTexts(found.addresses);
  return { name: host, labels: found.labels, local: set, draft: hostDraftOf(listing, set), leftOut };
}

const NO_ESSENTIALS: Document = {
  kind: "Workspace",
  metadata: { name: "check" },
  spec: { essentials: { dns: false, dhcp: false, ntp: false, icmpErrors: false, apiserver: false, webhooks: false } },
};

/** What the documents let through on each host of the fleet, read back from what would be written there. */
function compiled(documents: readonly Document[], fleet: HostFleet): (host: string) => HostAccess {
  const asWritten: Document = {
    kind: "HostFleet",
    metadata: { name: fleet.name, labels: fleet.labels },
    spec: {
      mode: "plan",
      transport: { ssh: { user: "check" } },
      hosts: fleet.hosts.map(({ name, addresses, labels }) => ({ name, addresses, labels })),
    },
  };
  const files = filesOf([...documents, asWritten, NO_ESSENTIALS], "check").map(({ path, text }) => ({
    path,
    bytes: new TextEncoder().encode(text),
  }));
  const { definitions, notes } = parseDefinitions(files, { allow: undefined });
  if (definitions === undefined || hasErrors(notes))
    throw new FirebreakError(
      "PLAN_INVARIANT_BROKEN",
      `an import wrote definitions that do not read: ${notes.map(({ summary }) => summary).join("; ")}`,
    );
  return (host) => {
    const target = findTarget(definitions, hostTargetId(fleet.name, host));
    if (target?.kind !== "host") throw new FirebreakError("PLAN_INVARIANT_BROKEN", `an import lost host ${host}`);
    const { want } = compileHost({ definitions, target, memberships: new Map(), floor: { from: [], ports: [] }, resolvers: [] });
    const mark = { instance: "import", sequence: 0, digest: wantDigest(want) };
    return hostAccess(
      renderRuleset(want, mark, { generation: 1, phase: "final" }),
      undefined,
      fromAddressTexts(target.host.addresses).set,
    );
  };
}

/** Port 0: rules cannot name it, and nobody can connect to it. */
const NO_PORT = spaceFromBoxes([
  {
    peers: anyAddress,
    ports: portsFromRanges((["tcp", "udp", "sctp"] as const).map((protocol) => ({ protocol, first: 0, last: 0 }))),
  },
]);

function differenceOf({ input, output }: HostDraft, now: HostAccess, local: AddressSet): HostEffect {
  const families = familiesOf(local);
  const of = (space: HostAccess["input"]["space"]): HostAccess["input"] => ({
    space: subtractSpaces(intersectSpaces(space, families), NO_PORT),
    uncertain: [],
    isOverBudget: false,
  });
  const old: HostAccess = { exists: true, isDormant: false, input: of(input.space), output: of(output.space), uncertain: [] };
  const written: HostAccess = {
    ...now,
    input: { ...now.input, ...of(now.input.space) },
    output: { ...now.output, ...of(now.output.space) },
  };
  return accessDifference(old, written, new Budget(4 * HOOK_STEPS));
}
