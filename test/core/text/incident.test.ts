import { describe, expect, it } from "vitest";
import { incidentBody, incidentMarker, incidentMessage, incidentTitle } from "../../../core/text/incident.ts";
import { expectGolden } from "../../support/golden.ts";
import { HOSTILE, incident } from "../../support/incidents.ts";

function hostile(text: string) {
  const effect = { verdict: "both", opened: [text, text], closed: [text] } as const;
  return incident({ target: text, subject: text, summary: text, who: text, effect, at: { file: text, line: 1, column: 1 } });
}

describe("an issue", () => {
  it("says the decision first, then the reason, then the proof", () => {
    expectGolden("incident/opened.md", incidentBody(incident()));
    const over = { event: "resolved", resolvedAt: "2026-11-21T10:00:09.000Z" } as const;
    expectGolden("incident/resolved.md", incidentBody(incident({ who: undefined, at: undefined }, { ...over, commit: undefined })));
    expect(incidentTitle(incident())).toBe(
      "cluster/shop-eu: networkpolicy shop/fb-cust-record-ingress was changed and opens connections",
    );
  });

  it("quotes strangers inertly", () => {
    expectGolden("incident/hostile.md", HOSTILE.map((text) => incidentBody(hostile(text))).join("\n"));
  });

  it.each(HOSTILE)("keeps its shape whatever it quotes: %j", (text) => {
    const lines = incidentBody(hostile(text)).split("\n");
    expect(lines.length).toBe(incidentBody(hostile("plain")).split("\n").length);
    expect(lines[0]).toBe(incidentMarker("0123456789abcdef"));
    for (const line of lines) expect(line.split("`").length % 2, line).toBe(1); // every span is closed on its own line
    for (const line of lines) expect(line.length).toBeLessThan(400);
    expect(incidentBody(hostile(text)).isWellFormed()).toBe(true);
  });

  it.each(HOSTILE)("has a title that forges take, and that calls nobody: %j", (text) => {
    const title = incidentTitle(hostile(text));
    expect([...title].length).toBeLessThanOrEqual(250);
    expect(title).not.toMatch(/[@#`<>\n\r]/);
  });
});

describe("a message", () => {
  it("is a stable contract (golden), JSON null for what is not known", () => {
    const over = { event: "resolved", resolvedAt: "2026-11-21T10:00:09.000Z", commit: undefined } as const;
    const messages = [incidentMessage(incident()), incidentMessage(incident({ who: undefined, at: undefined }, over))];
    expectGolden("incident/messages.json", JSON.stringify(messages, null, 2));
  });
});
