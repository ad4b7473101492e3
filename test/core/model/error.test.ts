import { expect, test } from "vitest";
import { errorChain, FirebreakError, withoutCredentials } from "../../../core/ground/error.ts";

// Would catch: a library quotes the URL that failed, and the password stands in `status` and in the log for ever.
test.each([
  ["fetch https://bot:s3cret@git.test/p.git failed", "fetch https://git.test/p.git failed"],
  ["https://t0ken@git.test:8443/a?b#c", "https://git.test:8443/a?b#c"],
  ["postgres://u:p%40ss@db/x and redis://:s3cret@r:6379/0", "postgres://db/x and redis://r:6379/0"],
  ["https://u:p@ss@host/x", "https://host/x"],
  ["HTTPS://U:P@HOST", "HTTPS://HOST"],
])("credentials are taken out of %s", (text, without) => {
  expect(withoutCredentials(text)).toBe(without);
  const chain = errorChain(new FirebreakError("GIT_UNREACHABLE", text, { cause: new Error(text) }));
  expect(chain).toEqual([`GIT_UNREACHABLE: ${without}`, without]);
});

test.each([
  "ann@example.org wrote https://git.test/p.git",
  "https://git.test/p.git?mail=ann@example.org",
  "git@github.com:o/r.git",
])("%s has none", (text) => expect(withoutCredentials(text)).toBe(text));
