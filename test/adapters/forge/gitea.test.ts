/** The forge's contract on a real Gitea. Needs the built forge. */
import { afterAll, beforeAll, describe } from "vitest";
import { startForge, type Forge as Gitea } from "../../../testbed/forge.ts";
import { openRun, type Run } from "../../../testbed/run.ts";
import { contract } from "./contract.ts";
import { createPeople, openGiteaWorld, type GiteaPeople } from "./world.ts";

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
});
