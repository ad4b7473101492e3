/**
 * Who may import whom (docs/design/contracts.md "Layout"). Arrows go one way: services → adapters → core.
 *
 * An area is the first folder of a path inside the repository; adapters are told apart by their second folder, because one adapter
 * never imports another.
 */
import { posix } from "node:path";

const EVERYONE = ["core", "adapters", "services", "cli", "web", "policies", "bench", "testbed", "test", "scripts"];

/** area → areas it may import besides itself. */
const MAY_IMPORT = {
  core: [],
  adapters: ["core"],
  services: ["core", "adapters"],
  cli: ["core", "adapters", "services"],
  web: ["core"],
  testbed: ["core", "adapters", "services", "cli", "scripts"],
  bench: EVERYONE,
  test: EVERYONE,
  scripts: ["testbed"],
};

/** Packages that compute and do nothing else: all that core may import from outside. */
const PURE_PACKAGES = ["zod", "yaml", "ipaddr.js", "canonicalize", "diff"];

/** The folders of core, from the ground up: a folder imports itself and those before it. A new one stands above all that it imports. */
export const FLOORS = [
  "ground",
  "address",
  "edit",
  "forge",
  "audit",
  "rights",
  "selector",
  "model",
  "config",
  "membership",
  "verdict",
  "finding",
  "estate",
  "manifest",
  "compile",
  "engine",
  "reach",
  "render",
  "guard",
  "notify",
  "observed",
  "enforced",
  "intent",
  "guardrail",
  "api",
  "revision",
  "segments",
  "plan",
  "drift",
  "adopt",
  "explain",
  "flow",
  "import",
  "review",
  "text",
];

/** Folders in core of which the first must not know the second: [from, to, why]. */
const APART = [
  ["core/verdict", "core/render", "the verdict engine must judge what was rendered without sharing its code"],
  ...["core/render", "core/compile", "core/plan"].map((folder) => [
    "core/enforced",
    folder,
    "what reads enforcement back must share no code with what made it",
  ]),
];

/**
 * Why this import is not allowed; undefined when it is.
 *
 * @param {string} file the importing file, relative to the repository, with `/`
 * @param {string} source the import specifier as written
 * @returns {string | undefined}
 */
export function refuseImport(file, source) {
  const area = areaOf(file);
  if (MAY_IMPORT[area] === undefined) return undefined; // configuration files at the root
  if (!source.startsWith(".")) return area === "core" ? refusePackageInCore(source) : undefined;

  const target = posix.normalize(posix.join(posix.dirname(file), source));
  if (target.startsWith("../")) return "it leaves the repository";
  return refuseArea(file, target) ?? refuseAdapter(file, target) ?? refuseApart(file, target) ?? refuseFloor(file, target);
}

function refusePackageInCore(source) {
  const name = source.replace(/^((?:@[^/]+\/)?[^/]+).*$/, "$1");
  if (source === "node:crypto" || PURE_PACKAGES.includes(name)) return undefined;
  return `core is pure: it imports core, node:crypto and ${PURE_PACKAGES.join(", ")}, nothing else`;
}

function refuseArea(file, target) {
  const from = areaOf(file);
  const to = areaOf(target);
  if (from === to || MAY_IMPORT[from].includes(to) || to === "package.json") return undefined;
  return `${from} may import ${MAY_IMPORT[from].join(", ") || "nothing outside itself"}, not ${to}`;
}

function refuseAdapter(file, target) {
  if (areaOf(file) !== "adapters" || areaOf(target) !== "adapters") return undefined;
  const from = file.split("/")[1];
  const to = target.split("/")[1];
  return from === to ? undefined : `an adapter never imports another: ${from} and ${to} meet in a service, through core types`;
}

function refuseApart(file, target) {
  const rule = APART.find(([from, to]) => file.startsWith(`${from}/`) && target.startsWith(`${to}/`));
  return rule === undefined ? undefined : `${rule[0]} must not know ${rule[1]}: ${rule[2]}`;
}

function refuseFloor(file, target) {
  if (areaOf(file) !== "core" || areaOf(target) !== "core") return undefined;
  const [from, to] = [file, target].map((path) => path.split("/")[1] ?? "");
  const [mine, theirs] = [FLOORS.indexOf(from), FLOORS.indexOf(to)];
  if (mine === -1) return `core/${from} has no floor yet: add it to FLOORS in scripts/lint/areas.mjs`;
  return theirs <= mine
    ? undefined
    : `core/${to} stands above core/${from} (FLOORS in scripts/lint/areas.mjs): move down what both need`;
}

function areaOf(path) {
  return path.split("/")[0] ?? "";
}
