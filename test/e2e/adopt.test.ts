/** A rule that somebody inserts on a host becomes a pull request on a real forge. Needs root and the real parts. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { command } from "../../testbed/command.ts";
import { startForge, type Forge } from "../../testbed/forge.ts";
import { waitFor } from "../../testbed/wait.ts";
import { startFirebreak, type Firebreak } from "../support/e2e-firebreak.ts";
import { openOrganisation, type Organisation } from "../support/e2e-organisation.ts";

const HOST = "host/directory/ldap-blue-1";

interface Pull {
  readonly number: number;
  readonly state: string;
  readonly title: string;
  readonly body: string;
  readonly head: { readonly ref: string };
}

let organisation: Organisation;
let forge: Forge;
let firebreak: Firebreak;

beforeAll(async () => {
  organisation = await openOrganisation({ clusters: [] });
  const { world } = organisation;
  forge = await startForge({ run: world.run });
  const { owner, name, cloneUrl } = await forge.createRepo("network");
  const change = (text: string): string => text.replace("[alert, heal]", "[alert, heal, propose]");
  await organisation.edit("workspace.yaml", change, "live changes are proposed");
  // The forge has the same commits as the repository that is followed.
  const url = cloneUrl.replace("://", `://${owner}:${forge.token}@`);
  await command(["git", "-C", world.git.path, "push", "--quiet", "--force", url, "main"], {});
  const file = join(world.run.makeFolder("secrets"), "forge");
  writeFileSync(file, forge.token, { mode: 0o600 });
  firebreak = await startFirebreak(organisation, {
    settings: { forge: { kind: "gitea", url: forge.baseUrl, repository: `${owner}/${name}`, token: `file:${file}` } },
  });
}, 240_000);

afterAll(async () => {
  await firebreak?.stop();
  await forge?.stop();
  await organisation?.[Symbol.asyncDispose]();
}, 60_000);

async function pulls(): Promise<readonly Pull[]> {
  return (await forge.call("GET", "/repos/firebreak/network/pulls?state=all")) as readonly Pull[];
}

describe("a rule that lets the mainframe in", { timeout: 180_000 }, () => {
  it("is closed at once, and one draft asks whether Git shall say it (the bug: the evidence is healed away before it is read)", async () => {
    const since = Date.now();
    const addresses = /name: mainframe[^]*?addresses: \[([^\]]+)\]/.exec(organisation.text("targets/externals.yaml"))?.[1] ?? "";
    const rule = `ip saddr ${addresses} tcp dport 8080 accept`;
    await organisation.host("ldap-blue-1").exec(`nft insert rule inet firebreak input ${rule}`);
    const { fingerprint } = await firebreak.finding("ruleset-changed", { target: HOST, since, all: true });
    await firebreak.resolved(fingerprint);
    const isHealed = async (): Promise<boolean> => (await pulls())[0]?.body.includes("Meanwhile it is put back") === true;
    await waitFor(isHealed, { what: "the pull request says that the hole is closed", timeoutMs: 120_000, everyMs: 500 });
    const [pull, ...more] = await pulls();
    expect(more).toEqual([]);
    expect(pull).toMatchObject({ state: "open", title: "WIP: Opens mainframe → ldap-servers-blue: 8080/tcp" });
    const file = (await forge.call(
      "GET",
      `/repos/firebreak/network/contents/policies/policies/directory.yaml?ref=${pull?.head.ref}`,
    )) as { readonly content: string };
    expect(Buffer.from(file.content, "base64").toString()).toContain(
      "    - {from: [mainframe], to: [ldap-servers-blue], ports: [8080/tcp]}\n",
    );
    expect(await firebreak.verifyLog()).toBe("verified");
  });
});
