import { parseAllDocuments } from "yaml";
import { putObject, requestToken, type AccountObject } from "../../adapters/kubernetes/accounts.ts";
import { KubernetesClient } from "../../adapters/kubernetes/client.ts";
import { openCredentials } from "../../adapters/kubernetes/credentials.ts";
import { parseDurationMs } from "../../core/ground/duration.ts";
import type { SettingsFile } from "../../core/config/settings-schema.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { findTarget, listTargets } from "../../core/model/target.ts";
import { unknownTarget } from "../../core/model/unknown-name.ts";
import { accountOf, roleManifests, type RoleService } from "../../core/rights/manifests.ts";
import { requireDefinitions } from "../definitions.ts";
import { kubectlsFile, writeContext } from "../kubeconfig.ts";
import { tell } from "../output.ts";
import { loadSettings } from "../settings.ts";
import type { ConfigOptions } from "../tree/common.ts";

/** What `firebreak clusters setup` takes. */
export interface ClustersSetupOptions extends ConfigOptions {
  readonly definitions?: string;
  readonly service?: RoleService;
  readonly namespace: string;
  readonly yes?: true;
  readonly adminContext?: string;
  readonly adminKubeconfig?: string;
  readonly validFor: string;
}

/**
 * `firebreak clusters setup CLUSTER`: prints namespace, accounts and roles; with `--yes` applies them through the admin context, and writes
 * a token of each account into the kubeconfig that firebreak.yaml names for its service.
 */
export async function clustersSetup(name: string, options: ClustersSetupOptions): Promise<number> {
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(options.namespace))
    throw new FirebreakError("USAGE", `--namespace ${options.namespace} is no name of a namespace`);
  const settings = await loadSettings(options.config);
  const { definitions } = await requireDefinitions({ dir: options.definitions }, settings);
  const target = findTarget(definitions, name);
  if (target?.kind !== "cluster") {
    const clusters = listTargets(definitions).map(({ id }) => id);
    throw unknownTarget(
      name,
      clusters.filter((id) => id.startsWith("cluster/")),
    );
  }
  const services: readonly RoleService[] = options.service === undefined ? ["syncer", "drift"] : [options.service];
  const { connection } = target.cluster;
  if (options.yes !== true) {
    process.stdout.write(services.map((service) => roleManifests(service, options.namespace)).join("---\n"));
    tell(
      `this is for ${name}: pipe it to \`kubectl apply -f -\`, or let --yes --admin-context NAME do it and write the kubeconfig`,
    );
    return 0;
  }
  if (connection.kind === "inCluster")
    throw new FirebreakError(
      "USAGE",
      `${name} is reached from inside (inCluster): apply what is printed without --yes; no kubeconfig is needed`,
    );
  for (const service of services) await setUp(service, connection.context, settings, options);
  return 0;
}

async function setUp(service: RoleService, context: string, settings: SettingsFile, options: ClustersSetupOptions): Promise<void> {
  const file = service === "syncer" ? settings.kubernetes.kubeconfig : settings.readOnly.kubeconfig;
  if (file === undefined) {
    const key = service === "syncer" ? "kubernetes.kubeconfig" : "readOnly.kubeconfig";
    const message = `firebreak.yaml has no ${key}: name the file that is to be written`;
    if (service === "syncer" || options.service !== undefined) throw new FirebreakError("CONFIG_INVALID", message);
    return tell(`${message}; until then drift uses the syncer's account, which may write`);
  }
  const { namespace } = options;
  const signal = new AbortController().signal;
  const admin = openCredentials({
    kind: "kubeconfig",
    file: options.adminKubeconfig ?? kubectlsFile(),
    context: adminContext(options),
  });
  await using client = new KubernetesClient(admin);
  for (const document of parseAllDocuments(roleManifests(service, namespace))) {
    const object = document.toJS() as AccountObject; // our own text
    tell(`${object.kind} ${object.metadata.name}: ${await putObject(client, object, signal)}`);
  }
  const account = { namespace, name: accountOf(service), seconds: secondsOf(options.validFor) };
  const { token, expires } = await requestToken(client, account, signal);
  const { server, tls } = await admin.current(signal);
  const ca = tls.ca === undefined ? undefined : String(tls.ca);
  await writeContext(file, { context, server, ca, insecure: !tls.rejectUnauthorized, token });
  tell(`${file}: context ${context} is ${account.name} until ${expires}; run this again before then, the service reads it anew`);
  await prove(file, context, signal);
}

/** As the service will come. */
async function prove(file: string, context: string, signal: AbortSignal): Promise<void> {
  await using client = new KubernetesClient(openCredentials({ kind: "kubeconfig", file, context }));
  await client.call("GET", "/api/v1/namespaces/kube-system", { signal });
  tell(`${context} was reached with it`);
}

function adminContext({ adminContext: name }: ClustersSetupOptions): string {
  if (name !== undefined) return name;
  throw new FirebreakError("USAGE", "--yes needs --admin-context NAME: a context that may write roles and accounts");
}

function secondsOf(duration: string): number {
  const ms = parseDurationMs(duration);
  if (ms === undefined || ms < 600_000)
    throw new FirebreakError("USAGE", `--valid-for ${duration} must be a duration of at least 10m`);
  return Math.floor(ms / 1000);
}
