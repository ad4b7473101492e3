import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readbackAuthorizedKey, READBACK_PATH, READBACK_SCRIPT, sudoersLines } from "../../../adapters/nftables/index.ts";
import { FORGET, KEEP } from "../../../adapters/nftables/persist-script.ts";
import { setupScript } from "../../../adapters/nftables/setup-script.ts";
import { APPLY, CONFIRM, DISARM, TIMER_TEXT } from "../../../adapters/nftables/scripts.ts";

const page = readFileSync(new URL("../../../docs/design/hosts.md", import.meta.url), "utf8");

/** What a script runs as root, as sudo would see it. */
function rootCommands(script: string): readonly string[] {
  const found = [...script.matchAll(/as_root ([^\n|;&<>)]+)/g)].map(([, words = ""]) => words.trim().replace(/ 2$/, ""));
  return found.map((words) =>
    words
      .replace(/^nft/, "/usr/sbin/nft")
      .replace(/^(cat|sha256sum|mkdir|tee|chmod|sync|mv|rm)\b/, "/usr/bin/$1")
      .replaceAll('"', ""),
  );
}

describe("what is set up on a host", () => {
  // Bug caught: a script runs something as root that sudo then refuses, on the hosts of everybody who is not root.
  it("lets each user run as root what our scripts run, and nothing else", () => {
    const reading = rootCommands(READBACK_SCRIPT).flatMap((words) =>
      words.includes("$name") ? ["ip_tables_names", "ip6_tables_names"].map((name) => words.replace("$name", name)) : [words],
    );
    const applying = [APPLY, TIMER_TEXT, CONFIRM, DISARM, KEEP, FORGET].flatMap(rootCommands);
    const linesFor = (commands: readonly string[]) =>
      [...new Set(commands)].map((words) => `fb ALL=(root) NOPASSWD: ${words}`).sort();
    expect(sudoersLines("fb", "readback").trim().split("\n").sort()).toEqual(linesFor(reading));
    expect(sudoersLines("fb", "apply").trim().split("\n").sort()).toEqual(linesFor([...reading, ...applying]));
  });

  // Bug caught: people copy lines from the page that the code has left behind.
  it("is what the page says", () => {
    expect(page).toContain(sudoersLines("USER", "apply"));
    expect(page).toContain(readbackAuthorizedKey("ssh-ed25519 AAAA… firebreak-readback"));
    expect(page).toContain(READBACK_PATH);
  });

  // Bug caught: who may merge definitions runs commands as root on every host that is set up.
  it("lets no user's name be more than a name", () => {
    const setup = { applyKey: "ssh-ed25519 AAAA", readbackKey: undefined, persist: false };
    for (const user of ["fb; rm -rf /", "$(id)", "fb\nroot", "-fb", ""]) {
      expect(() => setupScript({ ...setup, user })).toThrow("not a user name");
    }
    const script = setupScript({ ...setup, user: "fb" });
    expect(script).toContain(sudoersLines("fb", "apply"));
    expect(script).toContain(READBACK_SCRIPT);
  });

  // Bug caught: the user of the apply key puts a link into its home, and the next set-up has root write where it leads.
  it("follows no link in the user's home", () => {
    const script = setupScript({ user: "fb", applyKey: "ssh-ed25519 AAAA", readbackKey: undefined, persist: false });
    const part = script.slice(script.indexOf("for path in"), script.indexOf("{ grep -v"));
    const home = mkdtempSync(join(tmpdir(), "fb-links-"));
    const run = () => spawnSync("sh", ["-c", `set -eu\nhome=${home}\n${part}`], { encoding: "utf8" });
    try {
      expect(run().status).toBe(0);
      const aims = ["/.ssh/authorized_keys.firebreak-new", "/.ssh/authorized_keys", "/.ssh"];
      for (const name of aims) {
        rmSync(`${home}/.ssh`, { recursive: true, force: true });
        if (name !== "/.ssh") mkdirSync(`${home}/.ssh`);
        symlinkSync(`${home}/aim`, `${home}${name}`);
        const refused = run();
        expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining(`${home}${name} is a link`)]);
        expect(existsSync(`${home}/aim`)).toBe(false);
      }
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
});
