/** Tenants decide how large objects are, and how many: a list of them is read in pieces that hold up nobody. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { KubernetesClient } from "../../../adapters/kubernetes/client.ts";
import { listAll } from "../../../adapters/kubernetes/list.ts";
import { longestBlock, MOST_MS } from "../../support/longest-block.ts";
import { plainCredentials } from "./front.ts";

const PATH = "/apis/networking.k8s.io/v1/networkpolicies";
const MIB = 1024 * 1024;

interface Served extends AsyncDisposable {
  readonly url: string;
  /** Limits of the pages that were asked for, in order. */
  readonly limits: number[];
}

/** An API server as far as lists go: pages by `limit` and `continue`. Objects are made when they are asked for. */
async function serve(sizes: readonly number[]): Promise<Served> {
  const limits: number[] = [];
  const answer = async (url: string, response: ServerResponse): Promise<void> => {
    const { searchParams } = new URL(url, "http://x");
    const [limit, from] = [Number(searchParams.get("limit")), Number(searchParams.get("continue") ?? 0)];
    limits.push(limit);
    const more = from + limit < sizes.length ? `,"continue":"${from + limit}"` : "";
    response.write(`{"metadata":{"resourceVersion":"7"${more}},"items":[`);
    for (const [at, size] of sizes.slice(from, from + limit).entries()) {
      if (response.destroyed) return;
      response.write(`${at === 0 ? "" : ","}{"name":"n${from + at}","ports":[${'{"port":80},'.repeat(Math.floor(size / 12))}0]}`);
      if (size > MIB) await new Promise(setImmediate);
    }
    response.end("]}");
  };
  const server = createServer((request, response) => void answer(request.url ?? "", response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port
  return {
    url: `http://127.0.0.1:${port}`,
    limits,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const nameOf = (object: unknown): string => (object as { readonly name: string }).name;

async function namesOf({ url }: Served): Promise<readonly string[]> {
  await using client = new KubernetesClient(plainCredentials(url));
  return (await listAll(client, PATH, nameOf, new AbortController().signal)).items;
}

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `n${at}`);

// Bug: a tenant with some hundred policies of a mebibyte makes a page that takes seconds to read; with 400 of them the cluster cannot be read.
test("many large objects are read in small pages, and others have their turn between two", async () => {
  const sizes = Array.from({ length: 700 }, (_, at) => (at >= 300 && at < 340 ? 1.4 * MIB : 100));
  await using served = await serve(sizes);
  let seen: readonly string[] = [];
  const held = await longestBlock(async () => void (seen = await namesOf(served)));
  expect(seen).toEqual(names(700));
  expect(held).toBeLessThan(MOST_MS);
  expect(served.limits.length).toBeLessThan(120);
});

// Bug: one object that is larger than a page is never read, and its cluster with it.
test("an object that is larger than a page is read by itself", async () => {
  await using served = await serve([100, 6 * MIB, 100]);
  expect(await namesOf(served)).toEqual(names(3));
});

// Bug: everybody pays for pages that only a few need.
test("small objects are read 500 at a time", async () => {
  await using served = await serve(Array.from({ length: 1_200 }, () => 100));
  expect(await namesOf(served)).toEqual(names(1_200));
  expect(served.limits).toEqual([500, 500, 500]);
});
