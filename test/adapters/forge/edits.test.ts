/** An edit of a pull request sends what it changes, and nothing that it only read. */
import { expect, test } from "vitest";
import type { Client } from "../../../adapters/forge/client.ts";
import { giteaDialect } from "../../../adapters/forge/gitea.ts";
import { updatePull } from "../../../adapters/forge/pulls.ts";

// Bug: a person took "WIP: " away between the read and the write of an edit of the text, and the edit put it back: never to be merged.
test("an edit of the text alone does not send the title that it read", async () => {
  const pull = {
    number: 1,
    title: "WIP: Opens a → b",
    body: "old",
    state: "open",
    html_url: "",
    head: { sha: "", ref: "" },
    base: {},
  };
  let isRead = false;
  const get = async (): Promise<object> => {
    const data = { ...pull };
    if (!isRead) pull.title = "Opens a → b"; // right after the first read, by a person
    isRead = true;
    return await Promise.resolve({ data });
  };
  const update = async ({ title, body }: { title?: string; body?: string }): Promise<void> => {
    Object.assign(pull, title !== undefined && { title }, body !== undefined && { body });
    await Promise.resolve();
  };
  // The cast: what an edit calls of a client.
  const client = {
    kind: "gitea",
    at: { owner: "o", repo: "r" },
    repository: "o/r",
    octokit: { rest: { pulls: { get, update } } },
    call: async (_doing: string, signal: AbortSignal, work: (request: object) => Promise<unknown>) => await work({ signal }),
  } as unknown as Client;
  await updatePull(client, giteaDialect(client), 1, { title: "Opens a → b", body: "new" }, new AbortController().signal);
  expect(pull).toMatchObject({ title: "Opens a → b", body: "new" });
});
