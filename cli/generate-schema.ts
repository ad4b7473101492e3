/** Writes policies/schema/firebreak.schema.json from the schemas that parsing uses: `node cli/generate-schema.ts`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { definitionsJsonSchemaText } from "../core/model/schema/json-schema.ts";

const folder = new URL("../policies/schema/", import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL("firebreak.schema.json", folder), definitionsJsonSchemaText());
