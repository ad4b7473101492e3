/** The processes of one control plane: etcd, kube-apiserver, kube-controller-manager. */
import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { request } from "undici";
import { buildPart, controlPlaneCommands, type ControlPlaneCommands } from "./build.mjs";
import type { Daemon } from "./daemon.ts";
import { kubeApi } from "./kube-api.ts";
import { freePort } from "./ports.ts";
import type { Run } from "./run.ts";
import { waitFor } from "./wait.ts";

/** A token the API server knows, and who it makes its bearer. */
export interface TokenUser {
  readonly token: string;
  readonly user: string;
  readonly group?: string;
}

export interface ControlPlaneOptions {
  readonly run: Run;
  readonly name: string;
  /** Where the API server listens; 127.0.0.1, or an address the nodes can reach. */
  readonly address: string;
  readonly tokens: readonly TokenUser[];
  /** A token with all rights: readiness, and the controller manager. */
  readonly adminToken: string;
  readonly signal?: AbortSignal | undefined;
  readonly log?: (line: string) => void;
}

export interface ControlPlane {
  readonly server: string;
  readonly port: number;
  readonly caFile: string;
  /** False when it could not be built: EndpointSlices are then not filled and namespaces are never finished deleting. */
  readonly hasControllerManager: boolean;
  stopApiServer(): Promise<void>;
  /** Starts it again on the same port and waits for /readyz. */
  startApiServer(signal?: AbortSignal): Promise<void>;
  /** Stops it in the middle (SIGSTOP): connections stay open and nothing is answered; or lets it go on. */
  pauseApiServer(paused: boolean): void;
  stop(): Promise<void>;
}

// Controllers that only compute from API objects. Node lifecycle is left out: no kubelet reports, it would evict every pod.
const CONTROLLERS = [
  "endpoints-controller",
  "endpointslice-controller",
  "namespace-controller",
  "serviceaccount-controller",
  "garbage-collector-controller",
  "validatingadmissionpolicy-status-controller", // types its expressions, and says what it doubts
];
const BOOT_TIMEOUT_MS = 90_000; // 5 s alone on two cores; several clusters and a build may share them

/** The commands of a control plane, built if need be; throws with the reason when there are none. */
export async function requireControlPlane(log?: (line: string) => void, signal?: AbortSignal): Promise<ControlPlaneCommands> {
  const options = { ...(log === undefined ? {} : { log }), ...(signal === undefined ? {} : { signal }) };
  const commands = await controlPlaneCommands(await buildPart("controlplane", options));
  if ("missing" in commands) throw new Error(`no control plane: ${commands.missing}`);
  return commands;
}

/** Boots a control plane and waits until /readyz. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { run, name, address, signal } = options;
  const commands = await requireControlPlane(options.log, signal);
  const folder = run.makeFolder(`cluster-${name}`);
  const { url: etcdUrl, daemon: etcd } = await startEtcd(run, name, folder, commands);
  const port = await freePort(address);
  const server = `https://${address}:${port}`;
  const caFile = join(folder, "certificates", "apiserver.crt");
  const argv = [...commands.apiServer, ...apiServerFlags({ ...options, folder, etcdUrl, port })];
  let apiServer: Daemon | undefined;
  let controllerManager: Daemon | undefined;

  const startApiServer = async (until = signal): Promise<void> => {
    const daemon = run.start({ label: `kube-apiserver of ${name}`, argv, cwd: folder });
    apiServer = daemon;
    const isReady = async (): Promise<boolean> => {
      daemon.check();
      await using api = kubeApi({ server, ca: readFileSync(caFile, "utf8"), token: options.adminToken });
      await api.get("/readyz");
      return true;
    };
    await waitFor(isReady, { what: `the API server of ${name} is ready`, timeoutMs: BOOT_TIMEOUT_MS, everyMs: 100, signal: until });
  };
  await startApiServer();
  if (commands.controllerManager !== undefined) {
    const kubeconfig = join(folder, "controller-manager.kubeconfig");
    writeFileSync(kubeconfig, kubeconfigText([{ name, server, caFile, token: options.adminToken }]), { mode: 0o600 });
    const flags = [
      "--kubeconfig",
      kubeconfig,
      "--controllers",
      CONTROLLERS.join(","),
      "--secure-port",
      "0",
      "--leader-elect=false",
      "--use-service-account-credentials", // as installers have it: each controller under its own name
    ];
    controllerManager = run.start({ label: `kube-controller-manager of ${name}`, argv: [...commands.controllerManager, ...flags] });
  }
  return {
    server,
    port,
    caFile,
    hasControllerManager: commands.controllerManager !== undefined,
    startApiServer,
    async stopApiServer() {
      await apiServer?.stop(); // SIGKILL: a graceful end keeps the port for seconds
    },
    pauseApiServer(paused) {
      if (apiServer !== undefined) process.kill(apiServer.pid, paused ? "SIGSTOP" : "SIGCONT");
    },
    async stop() {
      await controllerManager?.stop();
      await apiServer?.stop();
      await etcd.stop();
    },
  };
}

async function startEtcd(
  run: Run,
  name: string,
  folder: string,
  commands: ControlPlaneCommands,
): Promise<{ url: string; daemon: Daemon }> {
  const [client, peer] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${client}`;
  const peerUrl = `http://127.0.0.1:${peer}`;
  const flags = [
    ["--data-dir", join(folder, "etcd")],
    ["--listen-client-urls", url],
    ["--advertise-client-urls", url],
    ["--listen-peer-urls", peerUrl],
    ["--initial-advertise-peer-urls", peerUrl],
    ["--initial-cluster", `default=${peerUrl}`],
    ["--log-level", "warn"],
  ].flat();
  const daemon = run.start({ label: `etcd of ${name}`, argv: [...commands.etcd, ...flags, "--unsafe-no-fsync"] });
  const isHealthy = async (): Promise<boolean> => {
    daemon.check();
    const { statusCode, body } = await request(`${url}/health`, { signal: AbortSignal.timeout(2_000) });
    await body.dump();
    return statusCode === 200;
  };
  await waitFor(isHealthy, { what: `etcd of ${name} is healthy`, timeoutMs: BOOT_TIMEOUT_MS, everyMs: 50 });
  return { url, daemon };
}

function apiServerFlags({
  folder,
  etcdUrl,
  address,
  port,
  tokens,
}: ControlPlaneOptions & { readonly folder: string; readonly etcdUrl: string; readonly port: number }): readonly string[] {
  const key = join(folder, "service-account.key");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  writeFileSync(key, privateKey.export({ type: "pkcs1", format: "pem" }), { mode: 0o600 });
  const tokenFile = join(folder, "tokens.csv");
  const lines = tokens.map(({ token, user, group }) => [token, user, user, ...(group === undefined ? [] : [group])].join(","));
  writeFileSync(tokenFile, `${lines.join("\n")}\n`, { mode: 0o600 });
  const isLoopback = address.startsWith("127.");
  return [
    ["--etcd-servers", etcdUrl],
    ["--bind-address", address],
    ["--advertise-address", address],
    ["--secure-port", String(port)],
    // The endpoint of Service `kubernetes` may not be a loopback address; such a cluster has no pods that could use it anyway.
    isLoopback ? ["--endpoint-reconciler-type", "none"] : [],
    ["--cert-dir", join(folder, "certificates")],
    ["--service-account-key-file", key],
    ["--service-account-signing-key-file", key],
    ["--service-account-issuer", "https://kubernetes.default.svc"],
    ["--token-auth-file", tokenFile],
    ["--authorization-mode", "RBAC"],
    ["--service-cluster-ip-range", "10.96.0.0/16"],
    ["--disable-admission-plugins", "ServiceAccount"],
  ].flat();
}

/** One context of a kubeconfig; context, cluster and user all have the cluster's name. */
export interface KubeconfigEntry {
  readonly name: string;
  readonly server: string;
  readonly caFile: string;
  readonly token: string;
}

/** A kubeconfig (JSON is YAML) with one context per cluster; the first is the current one. */
export function kubeconfigText(entries: readonly KubeconfigEntry[]): string {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: entries.map(({ name, server, caFile }) => ({ name, cluster: { server, "certificate-authority": caFile } })),
    users: entries.map(({ name, token }) => ({ name, user: { token } })),
    contexts: entries.map(({ name }) => ({ name, context: { cluster: name, user: name } })),
    "current-context": entries[0]?.name ?? "",
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
