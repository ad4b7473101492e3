import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** One request that came in. */
export interface Received {
  readonly path: string;
  readonly body: string;
  readonly headers: Record<string, string>;
}

/** What is answered: status, body, headers. */
export interface Reply {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

/** A small HTTP server that keeps what it receives; dispose it. */
export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly received: Received[];
  /** Set to answer otherwise than 204; undefined: does not answer. */
  answer: (request: Received) => Reply | undefined;
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((incoming, response) => {
    void readAll(incoming).then((request) => {
      received.push(request);
      const reply = receiver.answer(request);
      if (reply === undefined) return;
      response.writeHead(reply.status, reply.headers).end(reply.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer: () => ({ status: 204 }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}

async function readAll(incoming: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const headers = incoming.headers as Record<string, string>;
  return { path: incoming.url ?? "/", body: Buffer.concat(chunks).toString("utf8"), headers };
}
