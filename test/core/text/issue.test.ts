import { describe, expect, it } from "vitest";
import { issueBody, issueLabels, issueMarker, issueTitle } from "../../../core/text/issue.ts";
import { expectGolden } from "../../support/golden.ts";
import { HOSTILE, incident } from "../../support/incidents.ts";
import { notice } from "../../support/notices.ts";

function hostile(text: string) {
  const effect = { verdict: "both", opened: [text, text], closed: [text] } as const;
  const one = incident({ target: text, subject: text, summary: text, who: text, effect, at: { file: text, line: 1, column: 1 } });
  return notice({}, [one, one]);
}

describe("an issue", () => {
  it("says the decision first, then the reason, then the proof", () => {
    expectGolden("incident/opened.md", issueBody(notice()));
    const bare = [incident({ who: undefined, at: undefined }, { commit: undefined })];
    expectGolden("incident/resolved.md", issueBody(notice({ as: "resolved" }, bare)));
    expect(issueTitle(notice())).toBe(
      "cluster/shop-eu: networkpolicy shop/fb-cust-record-ingress was changed and opens connections",
    );
    expect(issueLabels(notice())).toEqual(["firebreak", "firebreak/critical", "firebreak/modified"]);
  });

  it("of one cause on many targets lists them, and stays below the forge's limit (the bug: an issue that is refused for its length)", () => {
    const many = Array.from({ length: 1_000 }, (_, index) =>
      incident({ target: `host/${"f".repeat(60)}/h-${index}`, fingerprint: String(index).padStart(16, "0") }),
    );
    const body = issueBody(notice({}, many));
    expect(Buffer.byteLength(body)).toBeLessThan(60_000);
    expect(body).toContain("The same on 999 more:");
    expect(body).toMatch(/And \d+ more; `firebreak findings` lists all\./);
    expect(issueTitle(notice({}, many))).toContain("and 999 more:");
    expectGolden("incident/three-targets.md", issueBody(notice({}, many.slice(0, 3))));
  });

  it("quotes strangers inertly", () => {
    expectGolden("incident/hostile.md", HOSTILE.map((text) => issueBody(hostile(text))).join("\n"));
  });

  it.each(HOSTILE)("keeps its shape whatever it quotes: %j", (text) => {
    const lines = issueBody(hostile(text)).split("\n");
    expect(lines.length).toBe(issueBody(hostile("plain")).split("\n").length);
    expect(lines[0]).toBe(issueMarker("00112233445566ff"));
    for (const line of lines) expect(line.split("`").length % 2, line).toBe(1); // every span is closed on its own line
    for (const line of lines) expect(line.length).toBeLessThan(400);
    expect(issueBody(hostile(text)).isWellFormed()).toBe(true);
  });

  it.each(HOSTILE)("has a title that forges take, and that calls nobody: %j", (text) => {
    const title = issueTitle(hostile(text));
    expect([...title].length).toBeLessThanOrEqual(250);
    expect(title).not.toMatch(/[@#`<>\n\r]/);
  });
});
