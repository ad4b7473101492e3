/**
 * The process inside one network namespace: listens, probes, answers DNS. Its packets are the proof that a rule works.
 * It ends when its stdin does, so it never outlives its owner.
 */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { answerQuery, type Records } from "./dns.ts";
import { probe, resolveName } from "./probe.ts";
import type { Ask, Port, Protocol, Reply } from "./protocol.ts";
import { startWatch, stopWatch, takeAttempts } from "./watch.ts";

/** What a listener does with one message: bytes to send back, or nothing. */
type Answer = (message: Buffer) => Buffer | undefined;

const echo: Answer = (message) => message;

async function carryOut(ask: Ask): Promise<unknown> {
  switch (ask.kind) {
    case "listen":
      await Promise.all(ask.ports.map((port) => listen(port, echo)));
      return "listening";
    case "serve dns":
      await serveDns(ask.records);
      return "listening";
    case "probe":
      return await probe(ask);
    case "watch":
      startWatch(ask);
      return "watching";
    case "attempts":
      return takeAttempts();
    case "stop watch":
      stopWatch();
      return "stopped";
    case "resolve":
      return await resolveName(ask);
    default:
      return ask satisfies never;
  }
}

async function serveDns(records: Records): Promise<void> {
  await listen({ port: 53, protocol: "udp" }, (query) => answerQuery(query, records));
  await listen({ port: 53, protocol: "tcp" }, (framed) => {
    const answer = answerQuery(framed.subarray(2), records); // a question is short: it arrives in one segment
    if (answer === undefined) return undefined;
    const length = Buffer.alloc(2);
    length.writeUInt16BE(answer.length);
    return Buffer.concat([length, answer]);
  });
}

async function listen({ port, protocol }: Port, answer: Answer): Promise<void> {
  const start: Record<Protocol, (port: number, answer: Answer) => Promise<void>> = { tcp: listenTcp, udp: listenUdp };
  await start[protocol](port, answer);
}

async function listenTcp(port: number, answer: Answer): Promise<void> {
  const server = createServer((socket) => {
    socket.on("data", (data) => {
      const reply = answer(data);
      if (reply !== undefined) socket.write(reply);
    });
    socket.on("error", () => socket.destroy()); // a prober that hangs up is no error
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host: "0.0.0.0", backlog: 512 }, resolve);
  });
}

async function listenUdp(port: number, answer: Answer): Promise<void> {
  const socket = createSocket("udp4");
  socket.on("message", (message, from) => {
    const reply = answer(message);
    if (reply !== undefined) socket.send(reply, from.port, from.address, () => undefined);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(port, resolve);
  });
  socket.on("error", () => undefined); // an unreachable asker must not end the listener
}

function reply(message: Reply): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const { id, ask } = JSON.parse(line) as { id: number; ask: Ask }; // written by client.ts of the same version
  carryOut(ask).then(
    (value) => reply({ id, value }),
    (error: unknown) => reply({ id, error: error instanceof Error ? error.message : String(error) }),
  );
});
lines.on("close", () => process.exit(0));
reply({ id: 0, value: "ready" });
