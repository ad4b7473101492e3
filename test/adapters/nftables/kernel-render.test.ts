import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTransaction } from "../../../core/plan/host-transaction.ts";
import { canonicalRuleset, renderRuleset } from "../../../core/render/nft.ts";
import { anyHostWant } from "../../support/host-wants.ts";
import { loadAndList } from "../../support/nft-kernel.ts";

const MARK = { instance: "fb-test", sequence: 7, digest: "0123456789abcdef" };

describe("the kernel gives back what was rendered", () => {
  // Bug caught: a spelling that nft normalises (port names, one-element sets, /32) shows as drift for ever.
  it("for any want, in both phases", () => {
    fc.assert(
      fc.property(anyHostWant, fc.constantFrom("settle" as const, "final" as const), (want, phase) => {
        const rendered = renderRuleset(want, MARK, { generation: 9, phase });
        expect(canonicalRuleset(loadAndList(createTransaction(rendered)))).toEqual(canonicalRuleset(rendered));
      }),
      { numRuns: 60 },
    );
  });
});
