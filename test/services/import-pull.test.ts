/** The pull request of an import, on the double of GitHub and on a real Gitea. Needs the built forge. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { proposeImport, type ImportProposal } from "../../cli/import-pull.ts";
import { filesOf } from "../../core/import/write.ts";
import { startForge, type Forge as Gitea } from "../../testbed/forge.ts";
import { openRun, type Run } from "../../testbed/run.ts";
import { createPeople, openDoubleWorld, openGiteaWorld, type ForgeWorld, type GiteaPeople } from "../adapters/forge/world.ts";

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

const { signal } = new AbortController();
const PATH = "policies/servers/policies.yaml";

/** An import with one rule. */
function imported(port: string, over: Partial<ImportProposal> = {}): ImportProposal {
  const rules = [{ from: ["any"], to: ["db"], ports: [port] }];
  const files = filesOf([{ kind: "Policy", metadata: { name: "servers-db" }, spec: { rules } }], "policies/servers");
  return {
    folder: "servers",
    files,
    base: "main",
    title: "Import the firewalls of fleet servers",
    said: "1 host\n```\nx",
    force: false,
    ...over,
  };
}

describe.each([
  ["the double of GitHub", async (): Promise<ForgeWorld> => await openDoubleWorld()],
  ["Gitea", async (): Promise<ForgeWorld> => await openGiteaWorld(gitea, people)],
])("on %s", (_, open) => {
  // Bugs: each import opens another pull request; one whose base says it already is opened empty.
  test("is one, brought up to date, and none where it is merged", async () => {
    await using world = await open();
    const first = await proposeImport(world.forge, imported("22/tcp"), signal);
    expect(first).toMatchObject({ how: "new" });
    const number = first?.pull.number ?? 0;
    expect(await proposeImport(world.forge, imported("22/tcp"), signal)).toMatchObject({ how: "the same", pull: { number } });
    expect(await proposeImport(world.forge, imported("443/tcp"), signal)).toMatchObject({ how: "changed", pull: { number } });
    expect((await world.forge.readChangedFiles(number, signal)).paths).toEqual([PATH]);
    expect((await world.forge.readPull(number, signal))?.body).toContain("````text\n1 host");
    await world.merge(number);
    expect(await proposeImport(world.forge, imported("443/tcp"), signal)).toBeUndefined();
  });

  // Bug: what somebody wrote or edited is replaced by a pull request that looks harmless.
  test("replaces no file that is not the import's", async () => {
    await using world = await open();
    await world.push("main", { [PATH]: "# mine\n" }, world.people.writer);
    await expect(proposeImport(world.forge, imported("22/tcp"), signal)).rejects.toThrow("not written by an import");
    const [file] = imported("22/tcp").files;
    await world.push("main", { [PATH]: `${file?.text ?? ""}# and mine\n` }, world.people.writer);
    await expect(proposeImport(world.forge, imported("443/tcp"), signal)).rejects.toThrow("edited since");
    expect(await proposeImport(world.forge, imported("443/tcp", { force: true }), signal)).toMatchObject({ how: "new" });
  });

  // Bug: a branch that somebody made under this name is overwritten.
  test("leaves a branch alone that is not its own", async () => {
    await using world = await open();
    await world.push("firebreak/import-servers", { "notes.txt": "mine\n" }, world.people.writer);
    await expect(proposeImport(world.forge, imported("22/tcp"), signal)).rejects.toThrow(
      "without an open pull request of an import",
    );
  });
});
