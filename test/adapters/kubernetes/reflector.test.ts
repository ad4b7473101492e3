/** Reflectors on a real API server, with bad things between. Needs the built control plane. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { KubernetesClient } from "../../../adapters/kubernetes/client.ts";
import type { CredentialProvider } from "../../../adapters/kubernetes/credentials.ts";
import { Reflector, type ReflectorTiming } from "../../../adapters/kubernetes/reflector.ts";
import { createNamespace, startCluster, type TestCluster } from "../../../testbed/cluster.ts";
import { openRun, type Run } from "../../../testbed/run.ts";
import { until } from "../../support/until.ts";
import { credentialsFor, plainCredentials, startForwarder, startProxy, type Instead, type Proxy, type Recorded } from "./front.ts";

const PATH = "/api/v1/namespaces/shop/configmaps";
const SHOP = 1_200; // three pages

let run: Run;
let cluster: TestCluster;

beforeAll(async () => {
  run = openRun();
  cluster = await startCluster({ run, name: "reflector" });
  await createNamespace(cluster, "shop");
  const names = Array.from({ length: SHOP }, (_, index) => `m-${String(index).padStart(4, "0")}`);
  while (names.length > 0) await Promise.all(names.splice(0, 50).map(async (name) => await create(name)));
});

afterAll(async () => {
  await run?.close();
});

async function create(name: string): Promise<void> {
  await cluster.api.put(PATH, { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { a: name } });
}

/** What a running reflector showed over time. */
interface Watched extends AsyncDisposable {
  readonly reflector: Reflector<string>;
  /** Of each change: how many items, and whether they were current. */
  readonly history: { readonly size: number; readonly isCurrent: boolean }[];
}

function reflect(credentials: CredentialProvider, timing: Partial<ReflectorTiming> = {}, path = PATH): Watched {
  const client = new KubernetesClient(credentials);
  const history: { size: number; isCurrent: boolean }[] = [];
  const reflector: Reflector<string> = new Reflector<string>({
    client,
    path,
    trim: (object) => (object as { data?: { a?: string } }).data?.a,
    onChange: () => history.push({ size: reflector.items.size, isCurrent: reflector.isCurrent }),
    random: () => 0,
    now: Date.now,
    timing: { firstPauseMs: 20, ...timing },
  });
  const stop = new AbortController();
  const running = reflector.run(stop.signal);
  return {
    reflector,
    history,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
      await client[Symbol.asyncDispose]();
    },
  };
}

function isStreaming({ url }: Recorded): boolean {
  return url.includes("sendInitialEvents=true");
}

function isPage({ url }: Recorded): boolean {
  return url.includes("limit=");
}

function expired(): Instead {
  return {
    status: 410,
    body: { kind: "Status", apiVersion: "v1", code: 410, reason: "Expired", message: "The provided continue parameter is too old" },
  };
}

describe("on a quiet API server", () => {
  it("streams the list over one request and follows it (the bug: a list and a watch, and 1,200 objects twice)", async () => {
    await using proxy = await startProxy(cluster);
    await using watched = reflect(credentialsFor(cluster, proxy.server));
    await until(() => watched.reflector.isCurrent);
    expect(watched.reflector.items.size).toBe(SHOP);
    expect(watched.history).toEqual([
      { size: SHOP, isCurrent: false },
      { size: SHOP, isCurrent: true },
    ]);
    await create("later");
    await until(() => watched.reflector.items.get("shop/later") === "later");
    await cluster.api.remove(`${PATH}/later`);
    await until(() => !watched.reflector.items.has("shop/later"));
    expect(proxy.requests.length).toBe(1);
    expect(watched.reflector.lastConfirmedAt).toBeGreaterThan(0);
  });

  it("says nothing when what we keep of an object did not change (the bug: a node's heartbeat makes every target plan)", async () => {
    await using watched = reflect(credentialsFor(cluster));
    await until(() => watched.reflector.isCurrent);
    const before = watched.history.length;
    await cluster.api.call("PATCH", `${PATH}/m-0001`, { metadata: { labels: { beat: "1" } } });
    await create("after");
    await until(() => watched.reflector.items.has("shop/after"));
    expect(watched.history.length).toBe(before + 1);
    await cluster.api.remove(`${PATH}/after`);
  });

  it("stops within a moment of being told, also in the middle of a pause", async () => {
    await using proxy = await startProxy();
    proxy.instead = () => ({ status: 503 });
    const client = new KubernetesClient(plainCredentials(proxy.server));
    const options = { client, path: PATH, trim: () => "", onChange: () => undefined, random: () => 0, now: Date.now };
    const reflector = new Reflector({ ...options, timing: { firstPauseMs: 60_000, longestPauseMs: 60_000 } });
    const stop = new AbortController();
    const running = reflector.run(stop.signal);
    await until(() => reflector.lastError !== undefined);
    const startedAt = performance.now();
    stop.abort();
    await running;
    await client[Symbol.asyncDispose]();
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});

describe("where streaming lists are not to be had", () => {
  const refusals: readonly (readonly [string, Instead])[] = [
    [
      "refuses them in words",
      {
        status: 422,
        body: {
          kind: "Status",
          code: 422,
          message: "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled",
        },
      },
    ],
    ["does not understand them and sends nothing", "silence"],
    ["breaks the connection", "reset"],
    ["ends the stream at once", { status: 200, body: "" }],
  ];

  it.each(refusals)("a server that %s is listed in pages, whole, and followed", async (_what, answer) => {
    await using proxy = await startProxy(cluster);
    proxy.instead = (request) => (isStreaming(request) ? answer : undefined);
    await using watched = reflect(credentialsFor(cluster, proxy.server), { listSilenceMs: 200 });
    await until(() => watched.reflector.isCurrent);
    expect(watched.history[0]?.size).toBe(SHOP);
    expect(proxy.requests.filter(isPage).length).toBe(3);
    await create("later");
    await until(() => watched.reflector.items.has("shop/later"));
    await cluster.api.remove(`${PATH}/later`);
  });

  it("a page that expires begins the list anew (the bug: 500 of 1,200 taken for the whole)", async () => {
    await using proxy = await startProxy(cluster);
    let expiries = 2;
    proxy.instead = (request) => {
      if (isStreaming(request)) return { status: 400 };
      return request.url.includes("continue=") && expiries-- > 0 ? expired() : undefined;
    };
    await using watched = reflect(credentialsFor(cluster, proxy.server));
    await until(() => watched.reflector.isCurrent);
    expect(watched.history.map(({ size }) => size)).toEqual([SHOP, SHOP]);
  });

  it("pages that always expire keep it not current, with the reason, and without haste", async () => {
    await using proxy = await startProxy(cluster);
    proxy.instead = (request) => {
      if (isStreaming(request)) return { status: 400 };
      return request.url.includes("continue=") ? expired() : undefined;
    };
    await using watched = reflect(credentialsFor(cluster, proxy.server));
    await until(() => watched.reflector.lastError?.includes("CONFLICT") === true);
    expect(watched.reflector).toMatchObject({ isCurrent: false, everSynced: false });
    expect(watched.history).toEqual([]);
  });

  it("lists that work and watches that do not are no current picture, and no hot loop", async () => {
    await using proxy = await startProxy(cluster);
    proxy.instead = ({ url }) => (url.includes("watch=1") ? { status: 403 } : undefined);
    await using watched = reflect(credentialsFor(cluster, proxy.server), { firstPauseMs: 50 });
    await until(() => proxy.requests.filter(isPage).length >= 3);
    const from = performance.now();
    await until(() => proxy.requests.filter(isPage).length >= 9);
    expect(performance.now() - from).toBeGreaterThan(500); // the pauses grow: 50, 100, 200, 400 ms
    expect(watched.history.some(({ isCurrent }) => isCurrent)).toBe(false);
    expect(watched.reflector.everSynced).toBe(true);
  });
});

describe("when it breaks", () => {
  let proxy: Proxy;

  beforeEach(async () => {
    proxy = await startProxy(cluster);
    return async () => await proxy[Symbol.asyncDispose]();
  });

  it("an API server that restarts: not current meanwhile, current again, never fewer items", async () => {
    await using watched = reflect(credentialsFor(cluster));
    await until(() => watched.reflector.isCurrent);
    await cluster.stopApiServer();
    await until(() => !watched.reflector.isCurrent);
    expect(watched.reflector.lastError).toContain("CLUSTER_UNREACHABLE");
    await cluster.startApiServer();
    await create("missed");
    await until(() => watched.reflector.isCurrent, 30_000);
    await until(() => watched.reflector.items.has("shop/missed"));
    expect(Math.min(...watched.history.map(({ size }) => size))).toBe(SHOP);
    expect(watched.reflector.lastError).toBeUndefined();
    await cluster.api.remove(`${PATH}/missed`);
  });

  it("a connection that falls silent is found out, and all connections are new (the bug: a dead watch for a quarter of an hour)", async () => {
    await using forwarder = await startForwarder(cluster);
    await using watched = reflect(credentialsFor(cluster, forwarder.server), { silenceMs: 700, listSilenceMs: 700 });
    await until(() => watched.reflector.isCurrent);
    forwarder.freeze();
    await until(() => !watched.reflector.isCurrent);
    await create("unheard");
    forwarder.thaw();
    await until(() => watched.reflector.items.has("shop/unheard"), 20_000);
    expect(watched.reflector.items.size).toBe(SHOP + 1);
    await cluster.api.remove(`${PATH}/unheard`);
  });

  it("a watch whose place is gone (410) lists anew", async () => {
    let gone = false;
    proxy.line = (text) => {
      if (!gone || !text.startsWith('{"type":"ADDED"')) return text;
      gone = false;
      return JSON.stringify({ type: "ERROR", object: { kind: "Status", code: 410, message: "too old resource version" } });
    };
    await using watched = reflect(credentialsFor(cluster, proxy.server));
    await until(() => watched.reflector.isCurrent);
    gone = true;
    await create("after-gone");
    await until(() => watched.reflector.items.has("shop/after-gone") && watched.reflector.isCurrent);
    expect(proxy.requests.filter(isStreaming).length).toBe(2);
    expect(Math.min(...watched.history.map(({ size }) => size))).toBe(SHOP);
    await cluster.api.remove(`${PATH}/after-gone`);
  });

  it("a line that is no event, or an unknown one, starts it anew (the bug: a broken line read as a deletion)", async () => {
    for (const line of [
      "{",
      '{"type":"ADDED"}',
      '{"type":"PURGED","object":{"metadata":{"name":"m-0001","namespace":"shop"}}}',
      "null",
    ]) {
      let isBroken = false;
      proxy.line = (text) => {
        if (!isBroken || text === "") return text;
        isBroken = false;
        return line;
      };
      await using watched = reflect(credentialsFor(cluster, proxy.server));
      await until(() => watched.reflector.isCurrent);
      isBroken = true;
      await create("touch");
      await until(() => watched.history.some(({ isCurrent }, index) => index > 1 && !isCurrent));
      await until(() => watched.reflector.isCurrent && watched.reflector.items.has("shop/touch"));
      expect(Math.min(...watched.history.map(({ size }) => size))).toBe(SHOP);
      await cluster.api.remove(`${PATH}/touch`);
    }
  });

  it("a stream that is cut before its end leaves the old picture (the bug: half a list shrinks every set)", async () => {
    await using watched = reflect(credentialsFor(cluster, proxy.server));
    await until(() => watched.reflector.isCurrent);
    let lines = 0;
    proxy.line = (text) => {
      lines += 1;
      if (lines === 2) return '{"type":"ERROR","object":{"code":500,"message":"etcd is away"}}';
      return text;
    };
    proxy.instead = (request) => (isPage(request) ? { status: 200, body: { kind: "Status" } } : undefined);
    await create("now");
    await create("then");
    await until(() => !watched.reflector.isCurrent);
    await until(() => proxy.requests.filter(isPage).length > 0 || watched.reflector.isCurrent);
    proxy.instead = () => undefined;
    await until(() => watched.reflector.isCurrent && watched.reflector.items.has("shop/then"));
    expect(Math.min(...watched.history.map(({ size }) => size))).toBeGreaterThanOrEqual(SHOP);
    await cluster.api.remove(`${PATH}/now`);
    await cluster.api.remove(`${PATH}/then`);
  });

  it("a server that ends every watch at once is asked a few times a second, not a thousand", async () => {
    proxy.instead = (request) => {
      if (isStreaming(request)) return { status: 400 };
      return isPage(request) ? undefined : { status: 200, body: "" };
    };
    await using watched = reflect(credentialsFor(cluster, proxy.server));
    await until(() => watched.reflector.isCurrent);
    const from = proxy.requests.length;
    const startedAt = performance.now();
    await until(() => proxy.requests.length >= from + 5);
    expect(performance.now() - startedAt).toBeGreaterThan(800);
  });
});
