/** Free ports on addresses of this machine. */
import { createServer } from "node:net";
import { randomInt } from "node:crypto";

// Below the ephemeral range of Linux (32768) and macOS (49152): no outgoing connection takes the port while its server restarts.
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** A TCP port on `address` that nothing listens on now, drawn at random so that runs at the same time rarely meet. */
export async function freePort(address = "127.0.0.1"): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isFree(address, port)) return port;
  }
  throw new Error(`no free port on ${address} between ${LOWEST} and ${HIGHEST}`);
}

/** True when a server could listen there now. */
export async function isFree(address: string, port: number): Promise<boolean> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
