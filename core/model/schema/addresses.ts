import { z } from "zod";
import {
  fromAddresses,
  intersect,
  isEmpty,
  formatAddress,
  formatPrefix,
  fromPrefixes,
  parseAddress,
  parsePrefix,
} from "../../address/index.ts";
import type { Address, Prefix } from "../../address/index.ts";
import { guidance } from "./later.ts";
import { parsedText } from "./text.ts";

const CIDR_META = { description: "A CIDR block or an address, without host bits.", examples: ["10.0.0.0/24", "2001:db8::/32"] };

/** A CIDR block or a bare address; host bits are refused with the network that was probably meant. */
export const Cidr = parsedText<Prefix>(CIDR_META, (text) => {
  const parsed = parsePrefix(text);
  if ("ok" in parsed) return parsed;
  return { code: "bad-cidr", summary: parsed.error, detail: cidrDetail(text, parsed.corrected) };
});

function cidrDetail(text: string, corrected: Prefix | undefined): string {
  if (corrected === undefined) return "Write a block such as 10.0.0.0/24";
  const address = parseAddress(text.split("/", 1)[0] ?? "");
  if (!("ok" in address)) return "Packets carry IPv4 addresses as such";
  return `Write ${formatPrefix(corrected)} for the block, or ${formatAddress(address.ok)} for the one address`;
}

/** A list of blocks with at least one. */
export function cidrs(description: string) {
  return z.array(Cidr).min(1).meta({ description }).register(guidance, { hint: "Write it as a list: [10.0.0.0/24]" });
}

/** Addresses by which no other machine can be told apart: no host may be known by one (RFC 6890). */
const NOBODY = [
  "0.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "224.0.0.0/4",
  "255.255.255.255/32",
  "::/127",
  "fe80::/10",
  "ff00::/8",
].map(constantPrefix);

const NOBODY_SET = fromPrefixes(NOBODY);

/** An IP address of a host, in canonical text. Names are refused: what they resolve to is not in Git. */
export const HostAddress = parsedText<string>({ description: "An IP address of the host.", examples: ["10.20.0.11"] }, (text) => {
  const parsed = parseAddress(text);
  if (!("ok" in parsed)) {
    const detail =
      parsed.corrected === undefined
        ? "Write the IP address; host names are not looked up"
        : `Write ${formatAddress(parsed.corrected)}`;
    return { code: "bad-address", summary: parsed.error, detail };
  }
  if (isEmpty(intersect(NOBODY_SET, fromAddresses([parsed.ok])))) return { ok: formatAddress(parsed.ok) };
  const detail = "Loopback, link-local, multicast and unspecified addresses do not tell hosts apart";
  return { code: "bad-address", summary: `${text} is not an address of one host`, detail };
});

/** The address of a text that {@link HostAddress} accepted. */
export function acceptedAddress(text: string): Address {
  const parsed = parseAddress(text);
  if ("ok" in parsed) return parsed.ok;
  throw new Error(parsed.error); // canonical text of a parsed address parses
}

function constantPrefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if ("ok" in parsed) return parsed.ok;
  throw new Error(parsed.error); // constants: every test loads this module
}
