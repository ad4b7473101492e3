import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildProgram } from "../../cli/program.ts";
import { referencePages } from "../../cli/reference.ts";
import { STARTER_FILES } from "../../cli/starter-files.ts";
import { API, SESSION_PATH } from "../../core/api/shapes.ts";
import { parseSettings } from "../../core/config/settings.ts";
import { parseDefinitions } from "../../core/model/parse.ts";
import { SCHEMAS } from "../../core/model/schema/index.ts";
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

// Bug: the example of a kind is refused by the very program that shows it, or a kind has none.
test("the examples of kinds.md are definitions without an error, of every kind", () => {
  const blocks = [...(pages["kinds.md"] ?? "").matchAll(/```yaml\n(.*?)```/gs)].map(([, text = ""]) => text);
  const files = blocks.map((text, index) => ({ path: `${index}.yaml`, bytes: new TextEncoder().encode(text) }));
  const { notes } = parseDefinitions(files, {});
  expect(notes.filter(({ severity }) => severity !== "info")).toEqual([]);
  const kinds = blocks.flatMap((text) => [...text.matchAll(/^kind: (\w+)$/gm)].map(([, kind = ""]) => kind));
  expect([...new Set(kinds)].sort()).toEqual(Object.keys(SCHEMAS).sort());
});

// Bug: a field of a kind without a word about what it is, where its name does not say it.
test("nearly every field of a kind says what it is", () => {
  const silent = (pages["kinds.md"] ?? "").split("\n").filter((line) => line.startsWith("| `") && line.endsWith("|  |"));
  const known = ["boundaries.ingress", "lifeline.ports", "limits", "drift", "drift.overrides[].respond", "routes[].match"];
  expect(silent.map((line) => /`([^`]+)`/.exec(line)?.[1])).toEqual(known);
});

// Bug: a route is added to the console, and the page does not know it; or the page tells of one that is not there.
test("every route of the console has a row in api.md, and every row a route", () => {
  const folder = join(import.meta.dirname, "../../services/console");
  const code = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  const made = code.flatMap((text) => [
    ...text.matchAll(/\.(get|post|put|patch|delete)\((?:API\.(\w+)|(SESSION_PATH)|"(\/[^"]*)")/g),
  ]);
  // The cast: a name that is no path of the API is `undefined` and fails the comparison.
  const paths = made.map(([, method = "", name, session, path]) => {
    const own = session === undefined ? API[name as keyof typeof API] : SESSION_PATH;
    return `${method.toUpperCase()} ${path ?? own}`;
  });
  const rows = [...(pages["api.md"] ?? "").matchAll(/^\| `((?:GET|POST|DELETE) \S+)`/gm)].map(([, route]) => route);
  expect(new Set(rows)).toEqual(new Set(paths));
});

// Bug: a field of a request without a word about what it is.
test("every field that a route takes says what it is", () => {
  const silent = (pages["api.md"] ?? "").split("\n").filter((line) => line.startsWith("| `") && line.endsWith("|  |"));
  expect(silent).toEqual([]);
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
