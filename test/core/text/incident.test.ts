import { describe, it } from "vitest";
import { incidentMessage } from "../../../core/text/incident.ts";
import { expectGolden } from "../../support/golden.ts";
import { incident } from "../../support/incidents.ts";

describe("a message", () => {
  it("is a stable contract (golden), JSON null for what is not known", () => {
    const over = { event: "resolved", resolvedAt: "2026-11-21T10:00:09.000Z", commit: undefined } as const;
    const messages = [incidentMessage(incident()), incidentMessage(incident({ who: undefined, at: undefined }, over))];
    expectGolden("incident/messages.json", JSON.stringify(messages, null, 2));
  });
});
