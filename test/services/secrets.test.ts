import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reopenedOnChange } from "../../services/reopened.ts";
import { readSecret } from "../../services/secrets.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fb-secrets-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function file(text: string): string {
  const path = join(folder, "secret");
  writeFileSync(path, text);
  return `file:${path}`;
}

describe("a secret by reference", () => {
  it("is the variable, or the file without the line end an editor left", async () => {
    expect(await readSecret("env:A", { A: " a b " })).toBe(" a b ");
    expect(await readSecret(file("s3cret\r\n\n"), {})).toBe("s3cret");
    expect(await readSecret(file("two\nlines\n"), {})).toBe("two\nlines");
  });

  it.each([
    ["a variable that is not set", () => "env:A", {}],
    ["a variable that is empty", () => "env:A", { A: "" }],
    ["a file that is not there", () => "file:/nonexistent/secret", {}],
    ["a file that is empty (the bug: an empty key, with which everybody can sign)", () => file("\n"), {}],
    ["a file of blanks", () => file("  \n"), {}],
  ])("%s fails the start", async (_what, reference, environment) => {
    await expect(readSecret(reference(), environment)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});

describe("what was opened with a secret", () => {
  it("is opened anew when its file changes, and not used on when it is gone (the bug: a rotated token needs a restart)", async () => {
    const reference = file("one");
    const opened = await reopenedOnChange({ nested: { token: reference } }, {}, async () => {
      const token = await readSecret(reference, {});
      return { kind: "forge", ask: async (what: string) => await Promise.resolve(`${what} as ${token}`) };
    });
    expect(opened.kind).toBe("forge");
    expect(await opened.ask("a")).toBe("a as one");
    file("two");
    expect(await opened.ask("b")).toBe("b as two");
    rmSync(join(folder, "secret"));
    await expect(opened.ask("c")).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    file("three");
    expect(await opened.ask("d")).toBe("d as three");
  });
});
