import { expect, it } from "vitest";
import { receivedError, sentError } from "../../../adapters/workers/messages.ts";
import { FirebreakError } from "../../../core/ground/error.ts";

// Bug: a full disk that a worker stumbled over was told as a mistake in Firebreak: the system's code did not travel.
it("an error says the same on both sides of a worker", () => {
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  expect(receivedError(sentError(full)).code).toBe("DISK_UNAVAILABLE");
  expect(receivedError(sentError(new Error("write a pack", { cause: full }))).code).toBe("DISK_UNAVAILABLE");
  expect(receivedError(sentError(new FirebreakError("GIT_UNREACHABLE", "fetch", { cause: full }))).code).toBe("GIT_UNREACHABLE");
  expect(receivedError(sentError(new Error("undefined is not a function"))).code).toBe("PLAN_INVARIANT_BROKEN");
});
