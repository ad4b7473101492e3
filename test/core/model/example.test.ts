import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseDefinitions } from "../../../core/model/parse.ts";
import { definitionsJsonSchemaText } from "../../../core/model/schema/json-schema.ts";
import { exampleFiles } from "./organisation.ts";

describe("policies", () => {
  // Catches: the first thing a newcomer runs says that something is wrong.
  it("the example parses without a note", () => {
    expect(parseDefinitions(exampleFiles()).notes).toEqual([]);
  });

  // Catches: a file of the example in which editors do not complete.
  it("every file of the example names the schema", () => {
    for (const { path, bytes } of exampleFiles().filter((file) => file.path.endsWith(".yaml"))) {
      const up = "../".repeat(path.split("/").length);
      expect(new TextDecoder().decode(bytes).split("\n", 1)[0]).toBe(
        `# yaml-language-server: $schema=${up}schema/firebreak.schema.json`,
      );
    }
  });

  // Catches: a schema changed in the code and not for editors; `node cli/generate-schema.ts` writes it.
  it("the JSON Schema is current", () => {
    const path = join(import.meta.dirname, "../../../policies/schema/firebreak.schema.json");
    expect(readFileSync(path, "utf8")).toBe(definitionsJsonSchemaText());
  });
});
