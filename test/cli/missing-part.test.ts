import { describe, expect, it } from "vitest";
import { missingPart } from "../../cli/missing-part.ts";
import packageJson from "../../package.json" with { type: "json" };

/** What Node throws for an import that it cannot find. */
function notFound(message: string): Error {
  return Object.assign(new Error(message), { code: "ERR_MODULE_NOT_FOUND" });
}

describe("a package that is not there", () => {
  // Bug: a service that was installed for CI ends in a stack trace about a package.
  it("is told as what the install left out, with the remedy", () => {
    const told = missingPart(notFound("Cannot find package '@electric-sql/pglite' imported from /usr/lib/firebreak/dist/a.js"));
    expect(told?.message).toBe(
      `this needs the package @electric-sql/pglite, which npm leaves out with --omit=optional, and when it runs on a Node that is too old for it: run \`npm install --include=optional\`, with Node ${packageJson.engines.node}, where Firebreak is installed`,
    );
  });

  // Bug: a file of our own that was not packed is blamed on the user's install.
  it("is nothing else: neither a file of ours, nor a package that is always installed", () => {
    expect(missingPart(notFound("Cannot find module '/usr/lib/firebreak/dist/worker.js' imported from /x"))).toBeUndefined();
    expect(missingPart(notFound("Cannot find package 'zod' imported from /x"))).toBeUndefined();
    expect(missingPart(new Error("Cannot find package 'pg' imported from /x"))).toBeUndefined();
  });
});
