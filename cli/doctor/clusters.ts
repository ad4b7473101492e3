import { KubernetesClient } from "../../adapters/kubernetes/client.ts";
import { openCredentials, type CredentialSource } from "../../adapters/kubernetes/credentials.ts";
import type { SettingsFile } from "../../core/config/settings-schema.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import type { Cluster } from "../../core/model/kinds.ts";
import { clusterTargetId } from "../../core/model/target.ts";
import { rightsOf, ROLES, ruleText, type Right } from "../../core/rights/cluster.ts";
import type { RoleService } from "../../core/rights/manifests.ts";
import { Agent, request } from "undici";
import { clockCheck, fail, ok, trying, warn, type Check } from "./check.ts";

const REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/** One cluster: reachability, version, clock, and every right of each account. */
export async function checkCluster(cluster: Cluster, settings: SettingsFile, signal: AbortSignal): Promise<readonly Check[]> {
  const id = clusterTargetId(cluster.name);
  const writer = sourceOf(cluster, settings.kubernetes.kubeconfig);
  if (writer === undefined)
    return [
      fail(
        id,
        "kubeconfig",
        "firebreak.yaml names none",
        `firebreak clusters setup ${id} makes one; name it in kubernetes.kubeconfig`,
      ),
    ];
  const server = await trying(id, "API server", async () => await checkServer(id, writer, signal));
  if (server.some(({ name, state }) => name === "API server" && state === "fail")) return server; // asked for a right, it fails as often
  const reader = settings.readOnly.kubeconfig === undefined ? undefined : sourceOf(cluster, settings.readOnly.kubeconfig);
  return [
    ...server,
    ...(await trying(id, "rights of syncer", async () => await checkRights(id, "syncer", writer, signal))),
    ...(reader === undefined
      ? [
          warn(
            id,
            "rights of drift",
            "drift has no account of its own and uses the syncer's, which may write",
            `firebreak clusters setup ${id} --service drift`,
          ),
        ]
      : await trying(id, "rights of drift", async () => await checkRights(id, "drift", reader, signal))),
  ];
}

function sourceOf({ connection }: Cluster, file: string | undefined): CredentialSource | undefined {
  if (connection.kind === "inCluster") return { kind: "inCluster" };
  return file === undefined ? undefined : { kind: "kubeconfig", file, context: connection.context };
}

async function checkServer(id: string, source: CredentialSource, signal: AbortSignal): Promise<readonly Check[]> {
  const { server, tls, headers } = await openCredentials(source).current(signal);
  const trust = Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
  const dispatcher = new Agent({ connect: { ...trust, timeout: 5_000 } });
  try {
    const before = Date.now();
    const answer = await request(`${server}/version`, { headers, dispatcher, signal });
    // The cast: what Kubernetes answers; anything else has no such field.
    const { gitVersion = "of unknown version" } = (await answer.body.json()) as { readonly gitVersion?: string };
    const date = answer.headers["date"];
    // A date has whole seconds.
    const seconds = typeof date === "string" ? (Date.parse(date) + 500 - (before + Date.now()) / 2) / 1000 : 0;
    return [ok(id, "API server", `${server} answers, Kubernetes ${gitVersion}`), clockCheck(id, seconds)];
  } catch (cause) {
    throw cause instanceof SyntaxError
      ? new FirebreakError("CLUSTER_UNREACHABLE", `${server} is no Kubernetes`, { cause })
      : new FirebreakError("CLUSTER_UNREACHABLE", `ask ${server} for its version`, { cause });
  } finally {
    await dispatcher.close();
  }
}

/** Asks the API server itself, right by right. */
async function checkRights(
  id: string,
  service: RoleService,
  source: CredentialSource,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  await using client = new KubernetesClient(openCredentials(source));
  const rights = rightsOf(ROLES[service]);
  const missing: Right[] = [];
  for (const { group, resource, verb, name } of rights)
    if (!(await isAllowed(client, { group, resource, verb, name }, signal))) missing.push({ group, resource, verb });
  const area = `rights of ${service}`;
  if (missing.length > 0) {
    const remedy = `Add to the account's ClusterRole ${ruleText(missing)}; firebreak clusters setup ${id} --service ${service} prints it whole.`;
    return [fail(id, area, `${missing.length} of ${rights.length} are missing`, remedy)];
  }
  const all = ok(id, area, `all ${rights.length} are there`);
  const write = { group: "networking.k8s.io", resource: "networkpolicies", verb: "create", name: undefined };
  if (service === "syncer" || !(await isAllowed(client, write, signal))) return [all];
  const remedy = `Give drift an account that only reads: firebreak clusters setup ${id} --service drift`;
  return [all, warn(id, area, "it may write, too, and only has to read", remedy)];
}

async function isAllowed(
  client: KubernetesClient,
  { group, resource, verb, name }: Right & { readonly name: string | undefined },
  signal: AbortSignal,
): Promise<boolean> {
  const resourceAttributes = { group, resource, verb, ...(name === undefined ? {} : { name }) };
  const body = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec: { resourceAttributes } };
  const { status } = (await client.call("POST", REVIEWS, { body, signal })) as { readonly status: { readonly allowed: boolean } };
  return status.allowed;
}
