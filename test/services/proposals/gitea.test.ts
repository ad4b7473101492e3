/** Proposals on a real Gitea. Needs the built forge. */
import { afterAll, beforeAll } from "vitest";
import { startForge, type Forge as Gitea } from "../../../testbed/forge.ts";
import { openRun, type Run } from "../../../testbed/run.ts";
import { createPeople, openGiteaWorld, type GiteaPeople } from "../../adapters/forge/world.ts";
import { stories } from "./story.ts";
import { closeStore, openTheStore } from "./world.ts";

let run: Run;
let gitea: Gitea;
let people: GiteaPeople;

beforeAll(async () => {
  await openTheStore();
  run = openRun();
  gitea = await startForge({ run });
  people = await createPeople(gitea);
});

afterAll(async () => {
  await closeStore();
  await run?.close();
});

stories(async () => await openGiteaWorld(gitea, people));
