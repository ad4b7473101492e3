import { existsSync } from "node:fs";
import { stringify } from "yaml";
import { KubernetesClient } from "../../adapters/kubernetes/client.ts";
import { openCredentials } from "../../adapters/kubernetes/credentials.ts";
import type { SettingsFile } from "../../core/config/settings-schema.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { guardObjects } from "../../core/guard/admission.ts";
import { restsOn } from "../../core/guard/rests-on.ts";
import type { Cluster } from "../../core/model/kinds.ts";
import { findTarget, listTargets } from "../../core/model/target.ts";
import { unknownTarget } from "../../core/model/unknown-name.ts";
import { accountOf } from "../../core/rights/manifests.ts";
import { requireDefinitions } from "../definitions.ts";
import { tell } from "../output.ts";
import { loadSettings } from "../settings.ts";
import type { ConfigOptions } from "../tree/common.ts";

const REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

/** What `firebreak guard` takes. */
export interface GuardVerbOptions extends ConfigOptions {
  readonly definitions?: string;
  readonly breakGlass: readonly string[];
  readonly writer?: readonly string[];
  readonly labelWriter?: readonly string[];
  readonly warn?: true;
  readonly onlyOurs?: true;
  readonly output: "yaml" | "json";
}

/**
 * `firebreak guard CLUSTER`: prints what makes the API server refuse changes of governed policies, and of what segments rest on, by
 * anybody but Firebreak and a break-glass group.
 */
export async function guard(name: string, options: GuardVerbOptions): Promise<number> {
  const settings = existsSync(options.config) ? await loadSettings(options.config) : undefined;
  const { definitions } = await requireDefinitions({ dir: options.definitions }, settings);
  const target = findTarget(definitions, name);
  if (target?.kind !== "cluster") {
    const clusters = listTargets(definitions).map(({ id }) => id);
    throw unknownTarget(
      name,
      clusters.filter((id) => id.startsWith("cluster/")),
    );
  }
  const rests = restsOn(definitions, target.cluster);
  const writers = options.writer ?? [await askWhoWrites(name, target.cluster, settings)];
  const objects = guardObjects(rests, target.cluster.governs, {
    writers,
    breakGlass: options.breakGlass,
    labelWriters: options.labelWriter ?? [],
    action: options.warn === true ? "warn" : "deny",
    policies: options.onlyOurs === true ? "ours" : "governed",
  });
  process.stdout.write(
    options.output === "json"
      ? `${JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }, undefined, 2)}\n`
      : objects.map((object) => stringify(object, { aliasDuplicateObjects: false })).join("---\n"),
  );
  tell(`who passes: ${writers.join(", ")}, and the group ${options.breakGlass.join(" or ")}`);
  tell(`labels of namespaces that are guarded: ${listed(rests.namespaceLabels)}; of running pods: ${listed(rests.podLabels)}`);
  if (rests.services.length > 0)
    tell(
      `Services that are guarded: ${listed(rests.services)}; the labels that their selectors ask for are not: they are not in Git`,
    );
  return 0;
}

/**
 * The user as whom the syncer comes, asked of the cluster itself: a guard that knows it by another name would lock Firebreak out.
 *
 * @throws FirebreakError USAGE when nobody can say it
 */
async function askWhoWrites(id: string, { connection }: Cluster, settings: SettingsFile | undefined): Promise<string> {
  const file = settings?.kubernetes.kubeconfig;
  const account = `system:serviceaccount:firebreak:${accountOf("syncer")}`;
  if (connection.kind === "inCluster" || file === undefined) {
    const why = connection.kind === "inCluster" ? "the syncer runs inside it" : "no settings name a kubeconfig";
    throw new FirebreakError(
      "USAGE",
      `guard ${id}: who may write cannot be asked of the cluster (${why}): name it with --writer, for example --writer ${account}`,
    );
  }
  await using client = new KubernetesClient(openCredentials({ kind: "kubeconfig", file, context: connection.context }));
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
  const answer = await client.call("POST", REVIEWS, { body, signal: AbortSignal.timeout(15_000) });
  const { userInfo } = (answer as { readonly status: { readonly userInfo: { readonly username: string } } }).status;
  return userInfo.username;
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(", ");
}
