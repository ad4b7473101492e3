/** Probes: one connection attempt with real packets, and what came of it. */
import { randomBytes, randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { createConnection } from "node:net";
import { decodeAnswer, encodeQuery } from "./dns.ts";
import type { Ask, ProbeResult } from "./protocol.ts";

type ProbeAsk = Extract<Ask, { kind: "probe" }>;
type ResolveAsk = Extract<Ask, { kind: "resolve" }>;

/** TCP: a handshake. UDP: a datagram that comes back (the listeners of the test bed echo). */
export async function probe(ask: ProbeAsk): Promise<ProbeResult> {
  if (ask.protocol === "udp") {
    const outcome = await exchangeUdp(ask, randomBytes(16), (message, sent) => (message.equals(sent) ? true : undefined));
    return typeof outcome === "string" ? closed(outcome) : { verdict: "open", why: "answered" };
  }
  return await new Promise((resolve) => {
    const socket = createConnection({ host: ask.address, port: ask.port });
    const finish = (result: ProbeResult): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    // An answer that came while this process was kept from running is read before the verdict: timers are looked at first.
    const timer = setTimeout(() => setImmediate(() => finish(closed("timeout"))), ask.timeoutMs);
    socket.once("connect", () => finish({ verdict: "open", why: "answered" }));
    socket.once("error", (error: NodeJS.ErrnoException) => finish(closed(reasonOf(error))));
  });
}

/** The address a DNS server gives for a name; "nxdomain"; or, when it does not answer, the reason. */
export async function resolveName(ask: ResolveAsk): Promise<{ readonly address: string } | { readonly failed: string }> {
  const id = randomInt(0xffff);
  const query = encodeQuery(id, ask.name);
  const to = { address: ask.server, port: 53, timeoutMs: ask.timeoutMs };
  const outcome =
    ask.protocol === "udp"
      ? await exchangeUdp(to, query, (message) => decodeAnswer(message, id))
      : await exchangeTcp(to, query, (message) => decodeAnswer(message.subarray(2), id));
  return typeof outcome === "string" ? { failed: outcome } : { address: outcome.value };
}

interface Destination {
  readonly address: string;
  readonly port: number;
  readonly timeoutMs: number;
}

/** Sends a datagram, again at half time, until `accept` takes a reply; or the reason that none came. */
async function exchangeUdp<T>(
  to: Destination,
  bytes: Buffer,
  accept: (message: Buffer, sent: Buffer) => T | undefined,
): Promise<{ readonly value: T } | ProbeResult["why"]> {
  return await new Promise((resolve) => {
    const socket = createSocket("udp4");
    const finish = (outcome: { readonly value: T } | ProbeResult["why"]): void => {
      clearTimeout(timer);
      clearTimeout(again);
      socket.close();
      resolve(outcome);
    };
    const send = (): void => socket.send(bytes, (error) => (error ? finish(reasonOf(error)) : undefined));
    const timer = setTimeout(() => finish("timeout"), to.timeoutMs);
    const again = setTimeout(send, to.timeoutMs / 2);
    socket.once("error", (error) => finish(reasonOf(error)));
    socket.on("message", (message) => {
      const value = accept(message, bytes);
      if (value !== undefined) finish({ value });
    });
    socket.connect(to.port, to.address, () => send());
  });
}

async function exchangeTcp<T>(
  to: Destination,
  bytes: Buffer,
  accept: (message: Buffer) => T | undefined,
): Promise<{ readonly value: T } | ProbeResult["why"]> {
  return await new Promise((resolve) => {
    const socket = createConnection({ host: to.address, port: to.port });
    const finish = (outcome: { readonly value: T } | ProbeResult["why"]): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => finish("timeout"), to.timeoutMs);
    socket.once("error", (error) => finish(reasonOf(error)));
    const length = Buffer.alloc(2);
    length.writeUInt16BE(bytes.length);
    socket.write(Buffer.concat([length, bytes]));
    socket.on("data", (message) => {
      const value = accept(message);
      if (value !== undefined) finish({ value });
    });
  });
}

function closed(why: ProbeResult["why"]): ProbeResult {
  return { verdict: "closed", why };
}

function reasonOf(error: NodeJS.ErrnoException): ProbeResult["why"] {
  return error.code === "ECONNREFUSED" ? "refused" : "unreachable";
}
