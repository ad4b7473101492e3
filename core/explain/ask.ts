import { formatAddress, fromAddresses, isEmpty, intersect, parseAddress } from "../address/index.ts";
import { endReader } from "../guardrail/ends.ts";
import { FirebreakError } from "../ground/error.ts";
import type { Definitions, RulePort } from "../model/kinds.ts";
import { didYouMean } from "../model/parse/suggest.ts";
import { parseRulePort } from "../model/schema/ports.ts";
import type { Estate, Workload } from "../estate/estate.ts";
import type { Party } from "../reach/source.ts";

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
  /** At least one; all members of a segment. */
  readonly parties: readonly Party[];
}

/**
 * Reads a question: ends are `CLUSTER/NAMESPACE/POD` (or the name of the pod's controller), `FLEET/HOST`, a segment, `internet`, an
 * external, an address; a port is written as in a rule, and a bare number is TCP.
 *
 * @throws FirebreakError NOT_FOUND, USAGE saying what was looked for
 */
export function readQuestion(definitions: Definitions, estate: Estate, from: string, to: string, port: string): Question {
  const portText = /^[0-9]+$/.test(port) ? `${port}/tcp` : port;
  const parsed = parseRulePort(portText);
  if (!("ok" in parsed))
    throw new FirebreakError("USAGE", `${JSON.stringify(port)} is no port: write 8443/tcp, http/tcp or icmp/8`);
  return { from: readEnd(definitions, estate, from), to: readEnd(definitions, estate, to), port: parsed.ok, portText };
}

/** Two colons, or four numbers, and nothing that a name has. */
const LIKE_ADDRESS = /^(?:[0-9]+\.){3}[0-9]+(?:\/[0-9]+)?$|^[0-9a-f]*:[0-9a-f:.]*:[0-9a-f:.]*(?:\/[0-9]+)?$/i;

function readEnd(definitions: Definitions, estate: Estate, text: string): Named {
  if (definitions.segments.has(text) || text === "internet") return ofSegment(definitions, estate, text);
  const address = parseAddress(text);
  if ("ok" in address) {
    const set = fromAddresses([address.ok]);
    const owners = estate.workloads.filter(({ addresses }) => !isEmpty(intersect(addresses, set)));
    if (owners.length > 0) return { text: formatAddress(address.ok), kind: "workload", parties: owners.map(ofWorkload) };
    return { text: formatAddress(address.ok), kind: "address", parties: [{ kind: "addresses", addresses: set }] };
  }
  const found = estate.workloads.filter((workload) => isNamed(workload, text));
  if (found.length > 0) return { text, kind: "workload", parties: found.map(ofWorkload) };
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
  return new Set([...segments.keys(), "internet", ...shown]);
}

function ofSegment(definitions: Definitions, estate: Estate, name: string): Named {
  const end = endReader(definitions, estate)(name);
  const parties: Party[] = estate.workloads.filter(end.has).map(ofWorkload);
  if (parties.length === 0 && !isEmpty(end.addresses)) parties.push({ kind: "addresses", addresses: end.addresses });
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
