import { existsSync, readdirSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import pLimit from "p-limit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openHost } from "../../../adapters/nftables/index.ts";
import type { HostConnection } from "../../../adapters/nftables/index.ts";
import { HostFixture } from "../../support/host-fixture.ts";

const never = new AbortController().signal;
const COUNT = 12;

const hosts: HostFixture[] = [];
beforeAll(async () => {
  for (let slot = 20; slot < 20 + COUNT; slot += 1) hosts.push(await HostFixture.start(slot));
});
afterAll(async () => {
  for (const host of hosts) await host[Symbol.asyncDispose]();
});

describe("many hosts at once", () => {
  // Bug caught: connections of different hosts share a control socket, so that one host's ruleset is taken for another's.
  it("are read 8-way over shared connections, each as itself", async () => {
    const limit = pLimit(8);
    const connections: HostConnection[] = await Promise.all(
      hosts.map((host) => {
        return openHost({ target: host.target, transport: host.transport(), access: "apply", signal: never, now: () => 0 });
      }),
    );
    try {
      for (let round = 0; round < 3; round += 1) {
        const seen = await Promise.all(connections.map((connection) => limit(() => connection.observe(never))));
        expect(seen.map(({ addresses }) => addresses)).toEqual(hosts.map(({ address }) => [address]));
        expect(seen.map(({ identity }) => identity)).toEqual(hosts.map((host) => host.publicKey("host_1")));
      }
    } finally {
      await Promise.all(connections.map((connection) => connection.close()));
    }
  });

  // Bug caught: a process that ends while it connects leaves a connection that lives on for a minute, with nobody who uses it.
  it("leave nothing when they are closed while they connect", async () => {
    const [host] = hosts;
    if (host === undefined) throw new Error("no host was started");
    const transport = host.transport();
    const connection = await openHost({ target: host.target, transport, access: "apply", signal: never, now: () => 0 });
    const reading = connection.observe(never).catch(() => undefined);
    await setImmediate(); // it has begun
    await connection.close();
    await reading;
    expect(existsSync(transport.controlFolder) ? readdirSync(transport.controlFolder) : []).toEqual([]);
    await expect(connection.observe(never)).rejects.toMatchObject({ code: "HOST_UNREACHABLE" });
  });
});
