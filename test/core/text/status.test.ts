import { expect, test } from "vitest";
import { formatStatus } from "../../../core/text/answers.ts";
import { statusAnswer } from "../../cli/answers.ts";

// Bug: a host in its first minute is called stale, and nobody says what it waits for.
test("a host that is enforced for the first time says how long everything still passes", () => {
  const answer = statusAnswer();
  const now = Date.parse("2026-11-30T12:00:00Z");
  const [host] = answer.targets.filter(({ target }) => target === "host/directory/ldap-red-1");
  if (host === undefined) throw new Error("the answer has no host");
  const settling = { ...host, state: "pending", error: null, settlesAt: "2026-11-30T12:00:40Z" } as const;
  const lines = formatStatus({ ...answer, targets: [settling] }, now).split("\n");
  const at = lines.indexOf("host/directory/ldap-red-1");
  expect(lines[at + 1]).toMatch(/^ {2}settling for another 40s: everything passes until/);
  expect(formatStatus({ ...answer, targets: [host] }, now)).not.toContain("settling");
});

// Bug: hosts that saw nothing are counted with those where something would have been denied, or a full memory reads as all there is.
test("what hosts that observe would have denied is one line, of those where it is something", () => {
  const answer = statusAnswer();
  const [host] = answer.targets;
  if (host === undefined) throw new Error("the answer has no target");
  const seen = (connections: number, full: readonly "ingress"[] = []) => ({ ...host, wouldDeny: { connections, full } });
  const text = (...targets: readonly (typeof host)[]): string => formatStatus({ ...answer, targets }, 0);
  expect(text(seen(2), seen(0), host)).toContain("observed  enforcing would have denied 2 connections on 1 host in 7 days");
  expect(text(seen(4096, ["ingress"]), seen(1))).toContain("denied at least 4,097 connections on 2 hosts");
  expect(text(seen(0), host)).not.toContain("observed");
});

// Bug: times in which nobody watched are left out of the text without a word.
test("more unwatched times than are listed are counted", () => {
  const gap = (minute: number) => ({ from: `2026-11-30T12:0${minute}:00Z`, until: `2026-11-30T12:0${minute}:30Z` });
  const text = (count: number): string =>
    formatStatus({ ...statusAnswer(), gaps: Array.from({ length: count }, (_, at) => gap(at)) }, 0);
  expect(text(3)).not.toContain("before that");
  expect(text(4)).toContain("unwatched once before that within a day; -o json lists all");
  expect(text(6)).toContain("unwatched 3 times before that");
});
