/** Writes docs/reference from the command tree, the settings and the error codes: `node cli/generate-reference.ts`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { buildProgram } from "./program.ts";
import { referencePages } from "./reference.ts";

const folder = new URL("../docs/reference/", import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(referencePages(buildProgram()))) writeFileSync(new URL(name, folder), text);
