import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildProgram } from "../../cli/program.ts";
import { referencePages } from "../../cli/reference.ts";
import { STARTER_FILES } from "../../cli/starter-files.ts";
import { parseSettings } from "../../core/config/settings.ts";
import { SettingsSchema } from "../../core/config/settings-schema.ts";

const FOLDER = join(import.meta.dirname, "../../docs/reference");
const pages = referencePages(buildProgram());

// Bug: an option, a setting or a code is changed and its page is not. `node cli/generate-reference.ts` writes them.
test.each(Object.keys(pages))("docs/reference/%s is current", (name) => {
  expect(readFileSync(join(FOLDER, name), "utf8")).toBe(pages[name]);
});

// Bug: a page that nothing generates any more.
test("every page of docs/reference is generated", () => {
  expect(readdirSync(FOLDER).sort()).toEqual(Object.keys(pages).sort());
});

// Bug: a setting without a word about what it is.
test("every setting says what it is", () => {
  const undescribed = (pages["settings.md"] ?? "").split("\n").filter((line) => line.startsWith("| `") && line.endsWith("|  |"));
  expect(undescribed).toEqual([]);
});

// Bug: `init` writes settings that the service refuses, leaves out a group of them, or names other defaults.
test("the settings that init writes parse, and name every group there is", () => {
  const text = STARTER_FILES["firebreak.yaml"] ?? "";
  expect(parseSettings(text, {}).repository.path).toBe("policies");
  const missing = Object.keys(SettingsSchema.shape).filter((name) => !new RegExp(`^(# )?${name}:`, "m").test(text));
  expect(missing).toEqual([]);
  const commented = text.replaceAll(/^# (?=\S+:( |$))/gm, "").replaceAll(/^# {3}(?=\S+:)/gm, "  ");
  const [all, bare] = [parseSettings(commented, {}), parseSettings("repository: {url: .}", {})];
  expect(all).toMatchObject({ hosts: bare.hosts, clusters: bare.clusters, concurrency: bare.concurrency, listen: bare.listen });
});
