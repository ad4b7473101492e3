/** Lint rule: imports follow the arrows of areas.mjs, in every form (import, import type, export from, import()). */
import { isAbsolute, relative, sep } from "node:path";
import { refuseImport } from "./areas.mjs";

export const boundaries = {
  meta: {
    type: "problem",
    docs: { description: "Hold the import boundaries between core, adapters, services, cli and the rest." },
  },
  create(context) {
    const file = repositoryPath(context);
    const check = (node) => {
      const source = node.source?.value;
      if (typeof source !== "string") return;
      const reason = refuseImport(file, source);
      if (reason !== undefined) context.report({ node: node.source, message: `"${source}" must not be imported here: ${reason}` });
    };
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
      TSImportType: check,
    };
  },
};

/** The linted file relative to the folder oxlint was started in, with `/`. */
export function repositoryPath(context) {
  const path = isAbsolute(context.filename) ? relative(context.cwd ?? process.cwd(), context.filename) : context.filename;
  return path.split(sep).join("/");
}
