/** Ways to log in: tokens, client certificates, exec plug-ins; and what is said when they fail. Needs openssl. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KubernetesClient } from "../../../adapters/kubernetes/client.ts";
import { openCredentials } from "../../../adapters/kubernetes/credentials.ts";
import { errorChain } from "../../../core/ground/error.ts";
import { startProxy } from "./front.ts";

const { signal } = new AbortController();
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fb-credentials-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A kubeconfig with one context `a`. */
function kubeconfig(cluster: object, user: object, name = "kubeconfig"): string {
  const file = join(folder, name);
  writeFileSync(
    file,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "c", cluster }],
      users: [{ name: "u", user }],
      contexts: [{ name: "a", context: { cluster: "c", user: "u" } }],
    }),
  );
  return file;
}

function plain(server: string): object {
  return { server, "insecure-skip-tls-verify": true };
}

describe("tokens", () => {
  it("are read anew after a refusal (the bug: a token that was rotated locks us out until a restart)", async () => {
    await using proxy = await startProxy();
    proxy.instead = ({ authorization }) => (authorization === "Bearer new" ? { status: 200 } : { status: 401 });
    const file = kubeconfig(plain(proxy.server), { token: "old" });
    await using client = new KubernetesClient(openCredentials({ kind: "kubeconfig", file, context: "a" }, () => 0));
    await expect(client.call("GET", "/x", { signal })).rejects.toMatchObject({ code: "CLUSTER_FORBIDDEN" });
    kubeconfig(plain(proxy.server), { token: "new" });
    await client.call("GET", "/x", { signal }); // its file was changed: no second refusal is needed to look at it
  });
});

// Bug: a kubeconfig with a new token or server counts only once the old one is refused, or after a restart.
it("a kubeconfig that was changed is read anew, although nobody refused the old one", async () => {
  await using proxy = await startProxy();
  proxy.instead = () => ({ status: 200 });
  const file = kubeconfig(plain(proxy.server), { token: "one" });
  let now = 0;
  await using client = new KubernetesClient(openCredentials({ kind: "kubeconfig", file, context: "a" }, () => now));
  await client.call("GET", "/x", { signal });
  kubeconfig(plain(proxy.server), { token: "another" });
  now += 11_000;
  await client.call("GET", "/x", { signal });
  expect(proxy.requests.map(({ authorization }) => authorization)).toEqual(["Bearer one", "Bearer another"]);
  rmSync(file);
  now += 11_000;
  await expect(client.call("GET", "/x", { signal })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
});

describe("client certificates", () => {
  it("prove who we are, and the server is proved by its authority", async () => {
    const openssl = (...argv: string[]): void => void execFileSync("openssl", argv, { cwd: folder, stdio: "pipe" });
    for (const name of ["server", "client", "stranger"]) {
      openssl(
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "1",
        "-subj",
        `/CN=${name}`,
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        `${name}.key`,
        "-out",
        `${name}.crt`,
      );
    }
    const read = (name: string): string => readFileSync(join(folder, name), "utf8");
    const server = createServer(
      { key: read("server.key"), cert: read("server.crt"), ca: read("client.crt"), requestCert: true },
      ({ socket }, answer) => {
        const { subject } = (socket as TLSSocket).getPeerCertificate();
        answer.end(JSON.stringify({ who: subject?.CN }));
      },
    );
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", resolve);
    await promise;
    try {
      const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const user = { "client-certificate": join(folder, "client.crt"), "client-key": join(folder, "client.key") };
      const trusting = kubeconfig({ server: url, "certificate-authority": join(folder, "server.crt") }, user, "trusting");
      await using client = new KubernetesClient(openCredentials({ kind: "kubeconfig", file: trusting, context: "a" }));
      expect(await client.call("GET", "/", { signal })).toEqual({ who: "client" });
      const misled = kubeconfig({ server: url, "certificate-authority": join(folder, "stranger.crt") }, user, "misled");
      await using doubting = new KubernetesClient(openCredentials({ kind: "kubeconfig", file: misled, context: "a" }));
      await expect(doubting.call("GET", "/", { signal })).rejects.toMatchObject({ code: "CLUSTER_UNREACHABLE" });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe("exec plug-ins", () => {
  function plugin(script: string): object {
    return {
      exec: { apiVersion: "client.authentication.k8s.io/v1", command: "sh", args: ["-c", script], interactiveMode: "Never" },
    };
  }

  it("log in", async () => {
    await using proxy = await startProxy();
    proxy.instead = ({ authorization }) =>
      authorization === "Bearer from-plugin" ? { status: 200, body: { ok: true } } : { status: 401 };
    const user = plugin(
      `echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"from-plugin"}}'`,
    );
    const file = kubeconfig(plain(proxy.server), user, "exec");
    await using client = new KubernetesClient(openCredentials({ kind: "kubeconfig", file, context: "a" }));
    expect(await client.call("GET", "/x", { signal })).toEqual({ ok: true });
  });

  it.each([
    ["fails", "echo no ticket >&2; exit 1"],
    ["says no JSON", "echo hello"],
  ])("that %s is AUTH_DENIED, and does not end the process", async (_what, script) => {
    const file = kubeconfig(plain("http://127.0.0.1:9"), plugin(script), "exec-fails");
    await expect(openCredentials({ kind: "kubeconfig", file, context: "a" }).current(signal)).rejects.toMatchObject({
      code: "AUTH_DENIED",
    });
  });

  it("that hangs holds nobody beyond the deadline", async () => {
    const file = kubeconfig(plain("http://127.0.0.1:9"), plugin("exec sleep 3"), "exec-hangs");
    await using client = new KubernetesClient(openCredentials({ kind: "kubeconfig", file, context: "a" }), 200);
    await expect(client.call("GET", "/x", { signal })).rejects.toMatchObject({ code: "CLUSTER_UNREACHABLE" });
  });
});

describe("what cannot be used", () => {
  it.each([
    ["a file that is not there", () => join(folder, "none"), "a"],
    ["a file that is no kubeconfig", () => kubeconfigText("- 1\n"), "a"],
    ["a context that is not there", () => kubeconfig(plain("http://x"), { token: "hush" }, "k1"), "b"],
    ["a cluster without a server", () => kubeconfig({}, { token: "hush" }, "k2"), "a"],
    ["a server that is no URL", () => kubeconfig({ server: "not a url" }, { token: "hush" }, "k3"), "a"],
    ["a proxy", () => kubeconfig({ server: "https://x", "proxy-url": "http://y" }, { token: "hush" }, "k4"), "a"],
  ])("%s is CONFIG_INVALID, without the token", async (_what, file, context) => {
    const attempt = openCredentials({ kind: "kubeconfig", file: file(), context }).current(signal);
    const error = await attempt.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: "CONFIG_INVALID" });
    expect(errorChain(error).join()).not.toContain("hush");
  });

  function kubeconfigText(text: string): string {
    const file = join(folder, "text");
    writeFileSync(file, text);
    return file;
  }
});
