/** Lint rule for core/: no clock, no chance, no process. All of these are parameters (docs/design/contracts.md "Layout"). */
import { repositoryPath } from "./boundaries.mjs";

/** Globals that do something or change by themselves. */
const GLOBALS = new Set([
  "process",
  "fetch",
  "console",
  "performance",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "WebSocket",
]);

/** object.member that reads the clock or draws chance. */
const MEMBERS = new Set(["Date.now", "Math.random", "crypto.randomUUID", "crypto.getRandomValues", "Temporal.Now"]);

/** What node:crypto has beside pure computing. */
const CHANCE = /^(random|generateKey|generatePrime|webcrypto$)/;

export const pureCore = {
  meta: { type: "problem", docs: { description: "Keep clock, randomness and the process out of core." } },
  create(context) {
    if (!repositoryPath(context).startsWith("core/")) return {};
    const refuse = (node, what) =>
      context.report({ node, message: `${what} in core: pass it in as a parameter, so that the same input gives the same output` });
    return {
      MemberExpression(node) {
        if (node.object.type !== "Identifier" || node.property.type !== "Identifier" || node.computed) return;
        if (isGlobal(context, node.object, GLOBALS.has(node.object.name))) refuse(node, node.object.name);
        const member = `${node.object.name}.${node.property.name}`;
        if (isGlobal(context, node.object, MEMBERS.has(member))) refuse(node, member);
      },
      CallExpression(node) {
        if (node.callee.type === "Identifier" && isGlobal(context, node.callee, GLOBALS.has(node.callee.name)))
          refuse(node, node.callee.name);
        if (node.callee.type === "Identifier" && isGlobal(context, node.callee, node.callee.name === "Date"))
          refuse(node, "Date()");
      },
      NewExpression(node) {
        if (node.callee.type !== "Identifier" || node.callee.name !== "Date" || node.arguments.length > 0) return;
        if (isGlobal(context, node.callee, true)) refuse(node, "new Date()");
      },
      ImportDeclaration(node) {
        if (node.source.value !== "node:crypto") return;
        for (const item of node.specifiers) {
          const name = item.type === "ImportSpecifier" ? item.imported.name : "everything";
          if (item.importKind !== "type" && node.importKind !== "type" && (name === "everything" || CHANCE.test(name)))
            refuse(item, `${name} of node:crypto`);
        }
      },
    };
  },
};

/** True when the candidate is not shadowed by a declaration of this file. */
function isGlobal(context, identifier, candidate) {
  if (!candidate) return false;
  for (let scope = context.sourceCode.getScope(identifier); scope !== null; scope = scope.upper) {
    const variable = scope.set.get(identifier.name);
    if (variable !== undefined && variable.defs.length > 0) return false;
  }
  return true;
}
