import { describe } from "vitest";
import { contract } from "./contract.ts";
import { openDoubleWorld } from "./world.ts";

describe("GitHub, with a token", () => {
  contract(async () => await openDoubleWorld());
});
