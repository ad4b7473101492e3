import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { scratchFolder } from "./run-cli.ts";

/** A request as the service got it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly token: string | undefined;
  readonly body: unknown;
}

/** What it answers: a body with 200, or a status and a body. */
export type FakeAnswer = { readonly status: number; readonly body: unknown } | { readonly body: unknown };

const TOKEN = "token-of-the-test";

/** Speaks the API's paths and shapes, remembers nothing but what it was asked; the CLI finds it as it finds the real one. */
export class FakeService implements AsyncDisposable {
  readonly requests: readonly SeenRequest[];
  /** Where it is, for callers without its settings. */
  readonly environment: { readonly FIREBREAK_SERVICE_URL: string; readonly FIREBREAK_SERVICE_TOKEN: string };
  readonly #server: Server;
  readonly #scratch: Awaited<ReturnType<typeof scratchFolder>>;

  private constructor(server: Server, scratch: Awaited<ReturnType<typeof scratchFolder>>, requests: readonly SeenRequest[]) {
    this.requests = requests;
    const { port } = server.address() as AddressInfo; // the cast: it listens on TCP
    this.environment = { FIREBREAK_SERVICE_URL: `http://127.0.0.1:${port}`, FIREBREAK_SERVICE_TOKEN: TOKEN };
    this.#server = server;
    this.#scratch = scratch;
  }

  /** `answer` gets each request; undefined is a 404 as the console gives it. */
  static async start(answer: (request: SeenRequest) => FakeAnswer | undefined): Promise<FakeService> {
    const requests: SeenRequest[] = [];
    const server = createServer((incoming, outgoing) => {
      let text = "";
      incoming.setEncoding("utf8").on("data", (part: string) => (text += part));
      incoming.on("end", () => {
        const url = new URL(incoming.url ?? "/", "http://localhost");
        const request: SeenRequest = {
          method: incoming.method ?? "",
          path: url.pathname,
          query: Object.fromEntries(url.searchParams),
          token: incoming.headers.authorization?.replace(/^Bearer /, ""),
          body: text === "" ? undefined : JSON.parse(text),
        };
        requests.push(request);
        const given =
          request.token === TOKEN ? answer(request) : { status: 401, body: { code: "AUTH_DENIED", message: "no such token" } };
        const { status, body } = {
          status: 200,
          ...(given ?? { status: 404, body: { code: "NOT_FOUND", message: "no such path" } }),
        };
        outgoing
          .writeHead(status, { "content-type": "application/json" })
          .end(typeof body === "string" ? body : JSON.stringify(body));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const scratch = await scratchFolder({
      "firebreak.yaml": `repository: {url: "http://git.invalid/p.git"}\nlisten: 127.0.0.1:${port}\nstateFolder: .\n`,
      "api.token": `${TOKEN}\n`,
    });
    return new FakeService(server, scratch, requests);
  }

  /** `--config` for it. */
  get config(): readonly string[] {
    return ["--config", this.#scratch.file("firebreak.yaml")];
  }

  get folder(): string {
    return this.#scratch.folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#scratch[Symbol.asyncDispose]();
  }
}
