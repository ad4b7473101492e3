import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../../..");

/** Loads it in a process of its own, and prints the files that were loaded, and how a token reads. */
const PROGRAM = `
import { registerHooks } from "node:module";
const loaded = [];
registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
const { kubeConfigModule } = await import(${JSON.stringify(resolve(root, "adapters/kubernetes/kube-config.ts"))});
const { KubeConfig } = await kubeConfigModule();
const config = new KubeConfig();
config.loadFromOptions({
  clusters: [{ name: "c", server: "https://127.0.0.1:1" }],
  users: [{ name: "u", token: "secret" }],
  contexts: [{ name: "x", cluster: "c", user: "u" }],
  currentContext: "x",
});
const options = {};
await config.applyToHTTPSOptions(options);
console.log(JSON.stringify({ loaded, authorization: options.headers.Authorization }));
`;

// Bug: logging in to a cluster loads a class for every kind of object of Kubernetes, 55 MB that stay for as long as the service runs.
it("logs in without the generated client", { timeout: 60_000 }, async () => {
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", PROGRAM], { cwd: root });
  const { loaded, authorization } = JSON.parse(stdout) as { readonly loaded: readonly string[]; readonly authorization: string };
  expect(authorization).toBe("Bearer secret");
  expect(loaded.filter((url) => url.includes("/client-node/dist/config.js"))).toHaveLength(1);
  expect(loaded.filter((url) => url.includes("/client-node/dist/gen/models/"))).toEqual([]);
});
