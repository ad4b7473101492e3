/** What a host that observes would have denied is read back and told, and is no drift. Needs root and the real parts, as the main job. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { API, type DenialsAnswer } from "../../core/api/shapes.ts";
import type { Denial } from "../../core/observed/denials.ts";
import { probe } from "../../testbed/probe.ts";
import { waitFor } from "../../testbed/wait.ts";
import { startFirebreak, type Firebreak } from "../support/e2e-firebreak.ts";
import { openOrganisation, type Organisation } from "../support/e2e-organisation.ts";

const HOST = "host/directory/ldap-blue-1";

let organisation: Organisation;
let firebreak: Firebreak;

beforeAll(async () => {
  organisation = await openOrganisation({ clusters: [] });
  const commit = await organisation.edit("workspace.yaml", (text) => `${text}# observed\n`, "a commit to wait for");
  firebreak = await startFirebreak(organisation);
  await firebreak.converged(commit);
}, 240_000);

afterAll(async () => {
  await firebreak?.stop();
  await organisation?.[Symbol.asyncDispose]();
}, 60_000);

async function denials(): Promise<readonly Denial[]> {
  const [answer] = await (await firebreak.api()).get<readonly DenialsAnswer[]>(API.denials, { target: HOST });
  return answer?.seen?.connections ?? [];
}

describe("a host that observes its egress", () => {
  it("tells what it would have denied, with address, port and name, and neither denies it nor drifts (bug: observing observes nothing)", async () => {
    const host = organisation.host("ldap-blue-1");
    expect(await denials()).not.toContainEqual(expect.objectContaining({ port: 9443 }));
    const before = await host.exec("nft -j list set inet firebreak fence");
    await probe(host, organisation.mainframe, { port: 9443 });
    const isTold = async (): Promise<boolean> => (await denials()).some(({ port }) => port === 9443);
    await waitFor(isTold, { what: "the connection is told", timeoutMs: 60_000, everyMs: 300 });
    expect((await denials()).find(({ port }) => port === 9443)).toMatchObject({
      direction: "egress",
      address: organisation.mainframe.address,
      protocol: "tcp",
      workload: "mainframe",
    });
    // A busy machine may have kept the host from answering for a moment; what observing caused would stay, or be repaired.
    await waitFor(async () => (await firebreak.findings({ target: HOST })).length === 0, {
      what: "nothing is found there",
      timeoutMs: 60_000,
      everyMs: 500,
    });
    const target = (await firebreak.status()).targets.find(({ target: id }) => id === HOST);
    expect(target?.state).toBe("in sync");
    expect(target?.wouldDeny?.connections).toBeGreaterThan(0);
    expect(await host.exec("nft -j list set inet firebreak fence")).toEqual(before); // nobody wrote because of it
  });

  it("remembers it through a write of other rules (bug: the snapshot with what was seen cannot be loaded, or a write forgets it)", async () => {
    const open = (text: string): string => text.replace("[636/tcp], same:", "[389/tcp, 636/tcp], same:");
    await firebreak.converged(await organisation.edit("policies/directory.yaml", open, "a rule more"));
    const table = await organisation.host("ldap-blue-1").exec("nft list table inet firebreak");
    expect(table).toMatch(/389/);
    expect(table).toMatch(/tcp \. 9443/);
    expect((await denials()).some(({ port }) => port === 9443)).toBe(true);
  });
});
