import { expect, it } from "vitest";
import { applyStep } from "../../../adapters/nftables/apply.ts";
import type { Remote } from "../../../adapters/nftables/remote.ts";
import { converse } from "../../../adapters/nftables/run.ts";
import { STATUS } from "../../../adapters/nftables/scripts.ts";

const signal = new AbortController().signal;
const STEP = { kind: "final" as const, why: "", transaction: [], generation: 5 };

/** A host whose apply script is this one, and whose fence reads as given. */
function hostThat(script: string, fence: string): Remote {
  return {
    identity: () => Promise.resolve(""),
    execute: () => Promise.resolve({ status: 0, stdout: fence, stderr: "", ended: undefined }),
    converse: (_, limits) => Promise.resolve(converse({ file: "sh", args: ["-c", script], ...limits })),
    failure: () => undefined,
    close: () => Promise.resolve(),
  };
}

function applyTo(remote: Remote) {
  const options = { deadManSeconds: 2, signal };
  return applyStep({ remote, target: "host/a/b", step: STEP, options, onStep: () => undefined });
}

const REFUSES = `echo =firebreak snapshot /tmp/x; read a; echo =firebreak armed; read b; exit ${STATUS.refused}`;

// would catch: a host's garbage told as a mistake in Firebreak, which nobody can mend
it("a fence that is no listing is the host's refusal", async () => {
  await expect(applyTo(hostThat(REFUSES, "{ garbage"))).rejects.toMatchObject({ code: "HOST_REFUSED" });
  await expect(applyTo(hostThat(REFUSES, '{"nftables": 7}'))).rejects.toMatchObject({ code: "HOST_REFUSED" });
});

// would catch: what a start-up file prints taken for an answer
it("only lines of the script are answers", async () => {
  const noisy = hostThat(`echo Welcome; echo 'x =firebreak y'; echo '=firebreak snapshot $(reboot)'; read a`, "");
  await expect(applyTo(noisy)).rejects.toMatchObject({ code: "HOST_NOT_UNDERSTOOD" });
});

// would catch: a host that ends in the middle taken for one that did what was asked
it("an end instead of an answer is told with what was said", async () => {
  const silent = hostThat("echo 'sudo: a password is required' >&2; exit 1", "");
  await expect(applyTo(silent)).rejects.toMatchObject({
    code: "HOST_REFUSED",
    cause: new Error("sudo: a password is required"),
  });
});
