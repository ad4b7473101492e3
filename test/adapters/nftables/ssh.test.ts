import { expect, it } from "vitest";
import { plainText, sshFailure } from "../../../adapters/nftables/ssh.ts";

const result = (stderr: string, more: object = {}) => ({ status: 255, stdout: "", stderr, ended: undefined, ...more });

// would catch: an escape sequence of a host in the terminal of whoever asks for the status
it("what a host says is one line of plain characters", () => {
  expect(plainText("\u001b[2Jlogin\r\nHost key verification failed.\r\n\r")).toBe("?[2Jlogin; Host key verification failed.");
  expect(plainText(`${"x".repeat(3000)}\n`)).toHaveLength(1000);
});

// would catch: a host that nobody pinned told as one whose key was changed, which sends people looking for an attacker
it("a host without a pinned key is unknown, not changed", () => {
  const unknown = result("No ED25519 host key is known for host/a/b and you have requested strict checking.\r\n");
  expect(sshFailure("host/a/b", unknown)?.code).toBe("HOST_KEY_UNKNOWN");
  expect(sshFailure("host/a/b", unknown)?.message).toContain("firebreak hosts setup host/a/b --pin");
  const changed = result("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\r\nHost key verification failed.\r\n");
  expect(sshFailure("host/a/b", changed)?.code).toBe("HOST_KEY_CHANGED");
});

// would catch: a host that sends too much counts as one that is away
it("a host that sends more than is accepted answered, and was not understood", () => {
  expect(sshFailure("host/a/b", result("", { ended: "size", status: undefined }))?.code).toBe("HOST_NOT_UNDERSTOOD");
  expect(sshFailure("host/a/b", result("", { ended: "deadline", status: undefined }))?.code).toBe("HOST_UNREACHABLE");
});
