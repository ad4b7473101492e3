import { expect, it } from "vitest";
import { applyStep } from "../../../adapters/nftables/apply.ts";
import type { ApplyOptions } from "../../../adapters/nftables/index.ts";
import type { HostObservation } from "../../../core/observed/observation.ts";
import type { Remote } from "../../../adapters/nftables/remote.ts";
import { converse } from "../../../adapters/nftables/run.ts";
import { CONFIRM, STATUS } from "../../../adapters/nftables/scripts.ts";

const signal = new AbortController().signal;
const STEP = { kind: "final" as const, why: "", transaction: [], generation: 5 };

/** A host whose apply script is this one, and whose fence reads as given. */
function hostThat(script: string, fence: string): Remote {
  const reading = `echo '=firebreak fence ${fence}'; read a`;
  return {
    identity: () => Promise.resolve(""),
    execute: () => Promise.resolve({ status: 0, stdout: "", stderr: "", ended: undefined }),
    converse: ({ script: asked }, { maxBytes }) =>
      Promise.resolve(converse({ file: "sh", args: ["-c", asked === CONFIRM ? reading : script], maxBytes, signal })),
    failure: () => undefined,
    close: () => Promise.resolve(),
  };
}

function applyTo(remote: Remote) {
  const options = { deadManSeconds: 2, signal };
  const readingBack = { deadlineMs: 1000, maxBytes: 1000, understand: () => Promise.resolve(undefined) };
  return applyStep({ remote, target: "host/a/b", step: STEP, options, onStep: () => undefined, readingBack });
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

const APPLIES =
  "echo =firebreak snapshot /tmp/x; read a; echo =firebreak armed; read b; echo =firebreak loaded; read c; echo =firebreak disarmed";

/** Applies to a host that does all it is told, and says which connections were opened for it: over the shared one or of their own. */
async function applyAndCount(options: Partial<ApplyOptions>, reading: string) {
  const opened: string[] = [];
  const heard: string[] = [];
  const remote: Remote = {
    ...hostThat(APPLIES, ""),
    execute: () => Promise.reject(new Error("another connection")),
    converse: ({ script: asked }, { maxBytes, fresh }) => {
      opened.push(fresh === true ? "new" : "shared");
      const script = asked === CONFIRM ? reading : APPLIES;
      return Promise.resolve(converse({ file: "sh", args: ["-c", script], maxBytes, signal }));
    },
  };
  const outcome = await applyStep({
    remote,
    target: "host/a/b",
    step: STEP,
    options: { deadManSeconds: 10, signal, ...options },
    onStep: (stage) => void heard.push(stage),
    readingBack: {
      deadlineMs: 5000,
      maxBytes: 1000,
      understand: ({ stdout, status }) =>
        Promise.resolve(status === 0 ? ({ said: stdout } as unknown as HostObservation) : undefined),
    },
  });
  return { outcome, opened, heard };
}

const FENCE = JSON.stringify({
  nftables: [{ metainfo: {} }, { set: { family: "inet", table: "firebreak", name: "fence", type: "mark", elem: [5] } }],
});

// would catch: connections that nobody counts any more: each costs a handshake, and a host's repair took three of them
it("an apply and its read-back are two connections, one of them new", async () => {
  const reading = `echo '=firebreak fence ${FENCE}'; read word; echo "asked to $word"`;
  const { outcome, opened, heard } = await applyAndCount({ readBack: true }, reading);
  expect(opened).toEqual(["shared", "new"]);
  expect(heard).toEqual(["snapshot", "arm", "load", "confirm", "disarm"]);
  expect(outcome).toMatchObject({ confirmed: true, seen: { said: expect.stringContaining("asked to read") as string } });
});

// would catch: an apply that the host has confirmed called failed, or its half a read-back taken for a whole one
it("a read-back that does not come whole is left to a look of its own", async () => {
  const { outcome } = await applyAndCount({ readBack: true }, `echo '=firebreak fence ${FENCE}'; read word; exit 1`);
  expect(outcome).toEqual({ confirmed: true });
});

// would catch: a ruleset that is loaded although the log did not take the intent, or another run has the lease by now
it("nothing is armed or loaded unless it may be", async () => {
  const told: string[] = [];
  const mayLoad = () => Promise.reject(new Error("the log is away"));
  const onStep = (stage: string) => void told.push(stage);
  const remote = hostThat(`${APPLIES}; echo "heard $a" >&2`, "");
  const readingBack = { deadlineMs: 1000, maxBytes: 1000, understand: () => Promise.resolve(undefined) };
  const options = { deadManSeconds: 10, signal, mayLoad };
  await expect(applyStep({ remote, target: "host/a/b", step: STEP, options, onStep, readingBack })).rejects.toThrow(
    "the log is away",
  );
  expect(told).toEqual(["snapshot"]);
});
