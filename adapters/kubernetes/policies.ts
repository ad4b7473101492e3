import { FirebreakError } from "../../core/ground/error.ts";
import type { LivePolicy } from "../../core/observed/observation.ts";
import { EARLIER_STEP, type ClusterStep } from "../../core/plan/plan.ts";
import type { KubernetesClient } from "./client.ts";
import { listAll } from "./list.ts";
import { versionOf } from "./objects.ts";
import { trimPolicy } from "./trim.ts";

export const POLICIES_PATH = "/apis/networking.k8s.io/v1/networkpolicies";

/** Unknown and duplicate fields are refused, and managedFields says who wrote. */
const WRITE = { fieldManager: "firebreak", fieldValidation: "Strict" };

/** Every NetworkPolicy of the cluster, read now; whole or an error, never a part. */
export async function listPolicies(client: KubernetesClient, signal: AbortSignal): Promise<readonly LivePolicy[]> {
  return (await listAll(client, POLICIES_PATH, trimPolicy, signal)).items;
}

/**
 * One write. It is fenced by the object's resourceVersion (a delete also by its UID); a create fails when the name is taken.
 *
 * @returns the resourceVersion it left; undefined after a delete
 * @throws FirebreakError PLAN_STALE when the object has moved on since the plan was made; PLAN_INVARIANT_BROKEN when the step has no
 *   fence: an empty version would be a write over anything
 */
export async function applyStep(client: KubernetesClient, step: ClusterStep, signal: AbortSignal): Promise<string | undefined> {
  const { namespace, name } = step.kind === "delete" ? step : step.object.metadata;
  const doing = `${step.kind} ${namespace}/${name}`;
  if (!hasFence(step)) throw new FirebreakError("PLAN_INVARIANT_BROKEN", `${doing}: the step has no fence`);
  try {
    const answer = await send(client, step, signal);
    return step.kind === "delete" ? undefined : versionOf(answer);
  } catch (cause) {
    if (cause instanceof FirebreakError && (cause.code === "CONFLICT" || cause.code === "NOT_FOUND")) {
      throw new FirebreakError("PLAN_STALE", `${doing}: it has changed since the plan was made`, { cause });
    }
    throw cause;
  }
}

function hasFence(step: ClusterStep): boolean {
  if (step.kind === "create") return true; // a name is taken once
  if (step.resourceVersion === "" || step.resourceVersion === EARLIER_STEP) return false;
  return step.kind === "replace" || step.uid !== "";
}

async function send(client: KubernetesClient, step: ClusterStep, signal: AbortSignal): Promise<unknown> {
  switch (step.kind) {
    case "create":
      return await client.call("POST", collectionOf(step.object.metadata.namespace), { body: step.object, query: WRITE, signal });
    case "replace": {
      const { namespace, name } = step.object.metadata;
      const body = { ...step.object, metadata: { ...step.object.metadata, resourceVersion: step.resourceVersion } };
      return await client.call("PUT", pathOf(namespace, name), { body, query: WRITE, signal });
    }
    case "delete": {
      const body = {
        apiVersion: "v1",
        kind: "DeleteOptions",
        preconditions: { uid: step.uid, resourceVersion: step.resourceVersion },
      };
      return await client.call("DELETE", pathOf(step.namespace, step.name), { body, signal });
    }
    default:
      return step satisfies never;
  }
}

function collectionOf(namespace: string): string {
  return `/apis/networking.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/networkpolicies`;
}

function pathOf(namespace: string, name: string): string {
  return `${collectionOf(namespace)}/${encodeURIComponent(name)}`;
}
