/** What people are told of looks that fail. */
import { expect, it } from "vitest";
import { failedAgain, type Failing } from "../../../core/drift/failing.ts";

const AWAY = "CLUSTER_UNREACHABLE";
const REFUSED = "CLUSTER_FORBIDDEN";

function toldAfter(codes: readonly string[]): string | undefined {
  return codes.reduce<Failing | undefined>((before, code) => failedAgain(before, { code }), undefined)?.told;
}

it.each([
  ["one look that failed is nobody's alarm", [AWAY], undefined],
  ["two are", [AWAY, AWAY], "unreachable"],
  ["refused twice is a lack of rights", [REFUSED, REFUSED], "forbidden"],
  // Would catch: an API server that restarts is called forbidden, and somebody is woken to look for a role that is not missing.
  ["one that was away and refuses once, as it starts, is still away", [AWAY, AWAY, AWAY, REFUSED], "unreachable"],
  ["and forbidden when it stays so", [AWAY, AWAY, REFUSED, REFUSED], "forbidden"],
  ["away for a moment, then refusing for one: nothing yet", [AWAY, REFUSED], undefined],
  // Would catch: whoever answers each look in another way is never told.
  ["one that fails in ever other ways is told", [AWAY, REFUSED, AWAY, REFUSED], "forbidden"],
  ["as a host that is not understood", [AWAY, "HOST_REFUSED", "HOST_NOT_UNDERSTOOD"], "not-understood"],
])("%s", (_, codes, told) => {
  expect(toldAfter(codes)).toBe(told);
});
