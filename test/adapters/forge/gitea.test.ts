/** The forge's contract on a real Gitea, and its webhooks. Needs the built forge. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readDelivery, type Delivery } from "../../../adapters/forge/webhook.ts";
import { startForge, type Forge as Gitea } from "../../../testbed/forge.ts";
import { openRun, type Run } from "../../../testbed/run.ts";
import { until } from "../../support/until.ts";
import { contract } from "./contract.ts";
import { createPeople, openGiteaWorld, type GiteaPeople } from "./world.ts";

const SECRET = "it is a secret";
const { signal } = new AbortController();

let run: Run;
let gitea: Gitea;
let people: GiteaPeople;

beforeAll(async () => {
  run = openRun();
  gitea = await startForge({ run });
  people = await createPeople(gitea);
});

afterAll(async () => {
  await run?.close();
});

describe("Gitea", () => {
  contract(async () => await openGiteaWorld(gitea, people));

  // Bug: somebody else turns a word of a person with rights into an approval, within the second, and no time tells (M3).
  it("knows a command that was edited within its second, and one that was not", async () => {
    const { forge, comment, push } = await openGiteaWorld(gitea, people);
    await push("change", { "a.yaml": "a" }, people.writer);
    const wish = { title: "change", body: "", head: "change", base: "main", isDraft: false, labels: [] };
    const { number } = (await forge.openPull(wish, signal)).pull;
    const edit = async (id: number, body: string): Promise<void> =>
      void (await gitea.call("PATCH", `/repos/${forge.repository}/issues/comments/${id}`, { body }));
    const long = `/firebreak hold ${"because ".repeat(20)}\n${"words ".repeat(40)}`;
    const kept = [
      await comment(number, "/firebreak approve abc\r\nas said", people.writer),
      await comment(number, long, people.writer),
    ];
    const harmless = await comment(number, "looks good", people.writer);
    await edit(harmless, "/firebreak approve abc");
    const appended = await comment(number, long, people.writer);
    await edit(appended, `${long}\n/firebreak approve abc`);
    const other = await comment(number, "/firebreak approve abc", people.writer);
    await edit(other, "/firebreak approve abd");
    const told = await forge.listComments(number, undefined, signal);
    const edited = told.filter(({ isEdited }) => isEdited).map(({ id }) => id);
    expect(edited).toEqual([harmless, appended, other]);
    expect(told.filter(({ isEdited }) => !isEdited).map(({ id }) => id)).toEqual(kept);
    // Else this shows nothing: at least one of the edits must be such that no time tells of it.
    expect(told.some(({ id, createdAt, updatedAt }) => edited.includes(id) && createdAt === updatedAt)).toBe(true);
  });

  it("its webhooks are verified and read: push, pull request opened, pushed and merged, comment made and edited, review", async () => {
    const world = await openGiteaWorld(gitea, people);
    const { forge } = world;
    const deliveries: (Delivery | undefined)[] = [];
    await using receiver = await receive(deliveries);
    const config = { url: receiver.url, content_type: "json", secret: SECRET };
    const events = [
      "push",
      "pull_request",
      "pull_request_sync",
      "issue_comment",
      "pull_request_comment",
      "pull_request_review_approved",
    ];
    await gitea.call("POST", `/repos/${forge.repository}/hooks`, { type: "gitea", active: true, config, events });
    const kinds = (): readonly (string | undefined)[] => deliveries.map((delivery) => delivery?.event.kind);
    const seen = async (kind: string): Promise<void> => await until(() => kinds().includes(kind), 30_000);

    await world.push("change", { "a.yaml": "a" }, people.writer);
    await seen("push");
    const wish = { title: "change", body: "", head: "change", base: "main", isDraft: false, labels: [] };
    const { pull } = await forge.openPull(wish, signal);
    await seen("pull-opened");
    await world.push("change", { "b.yaml": "b" }, people.writer);
    await seen("pull-pushed");
    const id = await world.comment(pull.number, "/firebreak plan", people.writer);
    await seen("comment-created");
    await gitea.call("PATCH", `/repos/${forge.repository}/issues/comments/${id}`, { body: "/firebreak approve" }, people.writer);
    await seen("comment-edited");
    await world.review(pull.number, "approve", people.writer);
    await seen("review-submitted");
    await world.merge(pull.number);
    await seen("pull-merged");

    const told = deliveries.map((delivery) => delivery?.event);
    const head = (await forge.readPull(pull.number, signal))!.head.sha;
    const shared = { repository: forge.repository, pull: pull.number };
    expect(told).toContainEqual({ kind: "pull-pushed", ...shared, head, base: "main", sender: people.writer });
    const comment = { comment: id, isOnPull: true, author: people.writer, sender: people.writer };
    expect(told).toContainEqual({ kind: "comment-created", ...shared, ...comment, body: "/firebreak plan" });
    expect(told).toContainEqual({ kind: "review-submitted", ...shared, head, sender: people.writer });
    expect(kinds()).not.toContain(undefined);
  });
});

/** A server that reads what arrives, in order; undefined for what is not verified. */
async function receive(deliveries: (Delivery | undefined)[]): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      deliveries.push(await readDelivery(request.headers, Buffer.concat(chunks), SECRET));
      response.end();
    })();
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}
