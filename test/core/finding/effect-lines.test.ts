import { describe, expect, it } from "vitest";
import { shortEffect, tellLines, wholeLines } from "../../../core/finding/effect-lines.ts";
import type { FindingAnswer } from "../../../core/api/shapes.ts";
import type { Incident } from "../../../core/finding/incident.ts";
import { formatFindings } from "../../../core/text/answers.ts";
import { wholeAnswers } from "../../../core/text/effect.ts";
import { incidentMessage } from "../../../core/text/incident.ts";

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `web-${index}`);
const write = (name: string, isFull: boolean): string => (isFull ? `${name} and all the others` : `${name} and 5 more`);

function answer(effect: FindingAnswer["effect"]): FindingAnswer {
  return {
    fingerprint: "0123456789abcdef",
    kind: "modified",
    severity: "high",
    target: "cluster/eu",
    subject: "networkpolicy shop/web",
    summary: "somebody edited it",
    effect,
    who: null,
    at: null,
    firstSeen: "2026-01-01T00:00:00.000Z",
    lastSeen: "2026-01-01T00:00:00.000Z",
    resolvedAt: null,
    heals: 0,
    stopped: false,
  };
}

describe("lines of an effect", () => {
  // Bug: line 20 and on exist nowhere, not even for a program.
  it("are all kept beside the few that are shown, and both ways of asking give them", () => {
    const effect = { verdict: "opens", ...tellLines({ opened: names(30), closed: [] }, String, 18_000) } as const;
    expect([effect.opened.length, effect.opened.at(-1)]).toEqual([20, "11 more"]);
    const cut = formatFindings([answer(effect)], 0);
    expect(cut).toContain("11 more");
    expect(cut).toMatch(/1 finding, 1 open; --full shows every line and name$/);
    const full = formatFindings([answer(effect)], 0, true);
    for (const name of names(30)) expect(full).toContain(`  opens   ${name}\n`);
    expect(full).not.toMatch(/\d+ more|--full/);
    expect(wholeAnswers([answer(effect)])).toMatchObject([{ effect: { opened: names(30), closed: [] } }]);
  });

  // Bug: a line that reads "and 5 more" is called whole, because there are few lines.
  it("are not whole where a name is left out", () => {
    const effect = { verdict: "opens", ...tellLines({ opened: ["web"], closed: [] }, write, 18_000) } as const;
    expect(effect.opened).toEqual(["web and 5 more"]);
    expect(wholeLines(effect).opened).toEqual(["web and all the others"]);
  });

  it("are told once where nothing is left out", () => {
    expect(tellLines({ opened: names(20), closed: [], stays: [] }, String, 18_000)).toEqual({
      opened: names(20),
      closed: [],
      stays: [],
    });
  });

  // Bug: a tenant's policy decides how much of the store a finding takes; or what is beyond the bound is lost without a word.
  it("stay within a bound, and what is beyond it is counted and said, with the way to it", () => {
    const effect = { verdict: "opens", ...tellLines({ opened: names(10_000), closed: [] }, write, 3_000) } as const;
    const { opened, more } = wholeLines(effect);
    expect(opened.join("").length).toBeLessThanOrEqual(1_000);
    expect(opened.length + more.opened).toBe(10_000);
    expect(formatFindings([answer(effect)], 0, true)).toContain(
      `  opens   ${more.opened} more than are kept; \`firebreak diff --live`,
    );
    expect(wholeAnswers([answer(effect)])).toMatchObject([{ effect: { more: { opened: more.opened, closed: 0, stays: 0 } } }]);
  });

  // Bug: "closes any → web: any port", and the node that web runs on reaches it for ever.
  it("say beside a closed any that a pod's own node stays open, in a cluster", () => {
    const closes = (line: string, target: FindingAnswer["target"]): string =>
      formatFindings([{ ...answer({ verdict: "closes", opened: [], closed: [line] }), target }], 0);
    const own = "stays open  to each pod from its own node, always (builtin/probes)";
    expect(closes("any → shop/web: any port (2 workloads)", "cluster/eu")).toContain(own);
    expect(closes("any but shop/db → shop/web: any port (2 workloads)", "cluster/eu")).toContain(own);
    expect(closes("shop/db → shop/web: any port (1 workload)", "cluster/eu")).not.toContain(own);
    expect(closes("any → this host: 22/tcp", "host/f/h")).not.toContain(own);
  });

  // Bug: chats and webhooks get messages of 18 kB, and each name that comes or goes in the part that nobody reads edits them.
  it("go into messages as the few", () => {
    const effect = { verdict: "opens", ...tellLines({ opened: names(30), closed: [] }, String, 18_000) } as const;
    expect(shortEffect(effect)).not.toHaveProperty("full");
    const incident = { event: "opened", finding: { ...answer(effect), at: undefined }, firstSeen: "", lastSeen: "", heals: 0 };
    expect(JSON.stringify(incidentMessage(incident as unknown as Incident))).not.toContain("web-25");
  });
});
