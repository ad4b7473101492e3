/**
 * As much of DNS (RFC 1035) as proves that name resolution works: A questions, over UDP and TCP, from a fixed table.
 * Messages here are without the two length bytes that TCP puts in front.
 */

/** Names (lower case, no final dot) to IPv4 addresses. */
export type Records = Readonly<Record<string, string>>;

const HEADER = 12;
const NXDOMAIN = 3;

/** A question for the A record of `name`. */
export function encodeQuery(id: number, name: string): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(0x0100, 2); // recursion desired
  header.writeUInt16BE(1, 4);
  return Buffer.concat([header, encodeName(name), Buffer.from([0, 1, 0, 1])]);
}

/** The answer to a query: the address in the table, else NXDOMAIN. Undefined for bytes that are no query. */
export function answerQuery(query: Buffer, records: Records): Buffer | undefined {
  if (query.length < HEADER + 5 || query.readUInt16BE(4) !== 1) return undefined;
  const question = readName(query, HEADER);
  if (question === undefined || query.length < question.end + 4) return undefined;
  const address = Object.hasOwn(records, question.name) ? records[question.name] : undefined;
  const header = Buffer.from(query.subarray(0, HEADER));
  header.writeUInt16BE(0x8580 | (address === undefined ? NXDOMAIN : 0), 2); // response, authoritative, recursion available
  header.writeUInt16BE(address === undefined ? 0 : 1, 6);
  header.writeUInt32BE(0, 8);
  const parts = [header, query.subarray(HEADER, question.end + 4)];
  if (address !== undefined) {
    const octets = address.split(".").map(Number);
    parts.push(Buffer.from([0xc0, HEADER, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, ...octets])); // pointer to the name, A, IN, 5 s, 4 bytes
  }
  return Buffer.concat(parts);
}

/** The address in an answer to question `id`; "nxdomain"; or undefined for anything else. */
export function decodeAnswer(message: Buffer, id: number): string | undefined {
  if (message.length < HEADER || message.readUInt16BE(0) !== id) return undefined;
  if ((message.readUInt16BE(2) & 0xf) === NXDOMAIN) return "nxdomain";
  if (message.readUInt16BE(6) < 1) return undefined;
  return [...message.subarray(message.length - 4)].join(".");
}

function encodeName(name: string): Buffer {
  const labels = name.split(".").map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, "ascii")]));
  return Buffer.concat([...labels, Buffer.from([0])]);
}

function readName(message: Buffer, from: number): { readonly name: string; readonly end: number } | undefined {
  const labels: string[] = [];
  let at = from;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > 63) return undefined;
    if (length === 0) return { name: labels.join(".").toLowerCase(), end: at + 1 };
    labels.push(message.toString("ascii", at + 1, at + 1 + length));
    at += length + 1;
  }
}
