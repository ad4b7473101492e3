import { formatAddress, fromAddresses, isEmpty, intersect, parseAddress, subtract, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { endReader } from "../guardrail/ends.ts";
import { FirebreakError } from "../ground/error.ts";
import type { Definitions, RulePort } from "../model/kinds.ts";
import { didYouMean } from "../model/parse/suggest.ts";
import { parseRulePort } from "../model/schema/ports.ts";
import type { Estate, Workload } from "../estate/estate.ts";
import { externalCutter, isWide } from "../reach/externals.ts";
import type { Party } from "../reach/source.ts";
import { cutIntoAtoms } from "../verdict/atoms.ts";

/** What somebody asks: may FROM connect to TO on PORT? */
export interface Question {
  readonly from: Named;
  readonly to: Named;
  readonly port: RulePort;
  readonly portText: string;
}

/** One end as it was named, and who that is. */
export interface Named {
  readonly text: string;
  readonly kind: "segment" | "workload" | "address";
  /** At least one; all members of a segment, and all that it says in addresses, cut where somebody tells them apart. */
  readonly parties: readonly Party[];
}

/**
 * Reads a question: ends are `CLUSTER/NAMESPACE/POD` (or the name of the pod's controller), `FLEET/HOST`, a segment, `internet`, an
 * external, an address; a port is written as in a rule, and a bare number is TCP.
 *
 * @param borders address sets that somebody tells apart: each part of an external, or of a segment's addresses, is asked for itself
 * @throws FirebreakError NOT_FOUND, USAGE saying what was looked for
 */
export function readQuestion({ definitions, estate, borders }: AskedWorld, from: string, to: string, port: string): Question {
  const portText = /^[0-9]+$/.test(port) ? `${port}/tcp` : port;
  const parsed = parseRulePort(portText);
  if (!("ok" in parsed))
    throw new FirebreakError("USAGE", `${JSON.stringify(port)} is no port: write 8443/tcp, http/tcp or icmp/8`);
  const world = { definitions, estate, borders };
  return { from: readEnd(world, from), to: readEnd(world, to), port: parsed.ok, portText };
}

/** Who is asked about, and what tells addresses apart. */
export interface AskedWorld {
  readonly definitions: Definitions;
  readonly estate: Estate;
  readonly borders: readonly AddressSet[];
}

/** Two colons, or four numbers, and nothing that a name has. */
const LIKE_ADDRESS = /^(?:[0-9]+\.){3}[0-9]+(?:\/[0-9]+)?$|^[0-9a-f]*:[0-9a-f:.]*:[0-9a-f:.]*(?:\/[0-9]+)?$/i;

function readEnd(world: AskedWorld, text: string): Named {
  const { definitions, estate, borders } = world;
  if (definitions.segments.has(text) || BY_RANGE.has(text)) return ofSegment(world, text);
  const address = parseAddress(text);
  if ("ok" in address) return ofAddress(estate, formatAddress(address.ok), fromAddresses([address.ok]));
  const cut = externalCutter(estate, () => borders);
  const found = estate.workloads.filter((workload) => isNamed(workload, text));
  const parties = found.flatMap(cut).map(ofWorkload);
  if (parties.length > 0) return { text, kind: "workload", parties };
  if (found.length > 0) {
    throw new FirebreakError("NOT_FOUND", `all addresses of ${text} are those of hosts and pods: name one of these`);
  }
  if (LIKE_ADDRESS.test(text)) {
    const why = text.includes("/") ? `${text} is a block; name one address of it` : address.error;
    throw new FirebreakError("USAGE", why);
  }
  const near = didYouMean(text, knownNames(definitions, estate));
  throw new FirebreakError(
    "NOT_FOUND",
    `there is no ${JSON.stringify(text)}. ${near === undefined ? "" : `${near} `}Name a segment, CLUSTER/NAMESPACE/POD, FLEET/HOST, an external or an address`,
  );
}

/** What could have been meant: segments, then workloads by the shortest of their names. */
function knownNames({ segments }: Definitions, { workloads }: Estate): ReadonlySet<string> {
  const shown = workloads.flatMap(({ id, name, kind }) =>
    kind === "pod" ? [shortName(name), id.slice("cluster/".length)] : [name],
  );
  return new Set([...segments.keys(), ...BY_RANGE, ...shown]);
}

/** Built-in segments that are addresses, and may be asked about. */
const BY_RANGE: ReadonlySet<string> = new Set(["any", "internet"]);

/** An address is the workload that has it; of an external it is this one address. */
function ofAddress({ workloads }: Estate, text: string, addresses: AddressSet): Named {
  const owners = workloads.filter((workload) => !isEmpty(intersect(workload.addresses, addresses)));
  const managed = owners.filter(({ kind }) => kind !== "external");
  if (managed.length > 0) return { text, kind: "workload", parties: managed.map(ofWorkload) };
  const [external] = owners;
  if (external === undefined) return { text, kind: "address", parties: [{ kind: "addresses", addresses }] };
  const one = { ...external, addresses, shown: addresses };
  return {
    text,
    kind: "workload",
    parties: [ofWorkload(isWide(external) ? { ...one, name: `${external.name} (${text})` } : external)],
  };
}

function ofSegment({ definitions, estate, borders }: AskedWorld, name: string): Named {
  const end = endReader(definitions, estate)(name);
  const told = [end.addresses, ...borders];
  const members = estate.workloads.flatMap(externalCutter(estate, () => told)).filter(end.has);
  const owned = unionAll(estate.workloads.map(({ addresses }) => addresses));
  const beyond = isEmpty(end.addresses) ? end.addresses : subtract(end.addresses, owned);
  const parts = isEmpty(beyond) ? [] : cutIntoAtoms([beyond, ...borders]).list.filter(({ within }) => within[0] === 0);
  const parties: Party[] = [...members.map(ofWorkload), ...parts.map(({ addresses }): Party => ({ kind: "addresses", addresses }))];
  if (parties.length > 0) return { text: name, kind: "segment", parties };
  throw new FirebreakError("NOT_FOUND", `segment ${name} selects nothing now; name a workload, or give an inventory that has one`);
}

function ofWorkload(workload: Workload): Party {
  return { kind: "workload", workload };
}

/** `eu/shop/web-1`, `eu/shop/web` or `eu/shop/web[Deployment]` for a pod; `directory/ldap-1`; `mainframe`. */
function isNamed({ id, name, kind }: Workload, text: string): boolean {
  if (kind !== "pod") return name === text || id === text;
  return id === text || id === `cluster/${text}` || name.replace(" ", "/") === text || shortName(name) === text;
}

/** `eu shop/web[Deployment]` as it is typed: `eu/shop/web`. */
function shortName(name: string): string {
  return name.replace(" ", "/").replace(/\[[A-Za-z]+\]$/, "");
}
