import { FirebreakError } from "../../core/model/error.ts";
import type { LivePolicy } from "../../core/plan/observation.ts";
import type { ClusterStep } from "../../core/plan/plan.ts";
import type { KubernetesClient } from "./client.ts";
import { parseList } from "./reflector.ts";
import { trimPolicy } from "./trim.ts";

export const POLICIES_PATH = "/apis/networking.k8s.io/v1/networkpolicies";

/** Every NetworkPolicy of the cluster, read now, in pages of 500; whole or an error, never a part. */
export async function listPolicies(client: KubernetesClient, signal: AbortSignal): Promise<readonly LivePolicy[]> {
  const policies: LivePolicy[] = [];
  let token: string | undefined;
  do {
    const query: Record<string, string> = { limit: "500", ...(token === undefined ? {} : { continue: token }) };
    const page = parseList(await client.call("GET", POLICIES_PATH, { query, signal }), POLICIES_PATH);
    for (const item of page.items) policies.push(trimPolicy(item));
    token = page.continue;
  } while (token !== undefined);
  return policies;
}

/**
 * One write. It is fenced by the object's resourceVersion (a delete also by its UID); a create fails when the name is taken.
 *
 * @returns the resourceVersion that the write left
 * @throws FirebreakError PLAN_STALE when the object has moved on since the plan was made
 */
export async function applyStep(client: KubernetesClient, step: ClusterStep, signal: AbortSignal): Promise<string | undefined> {
  try {
    return versionOf(await send(client, step, signal));
  } catch (cause) {
    if (cause instanceof FirebreakError && (cause.code === "CONFLICT" || cause.code === "NOT_FOUND")) {
      throw new FirebreakError("PLAN_STALE", `${step.kind} ${nameOf(step)}: it has changed since the plan was made`, { cause });
    }
    throw cause;
  }
}

/** The resourceVersion that a write left, for a later step of the same plan. */
function versionOf(answer: unknown): string | undefined {
  return (answer as { metadata?: { resourceVersion?: string } } | undefined)?.metadata?.resourceVersion;
}

async function send(client: KubernetesClient, step: ClusterStep, signal: AbortSignal): Promise<unknown> {
  switch (step.kind) {
    case "create": {
      const { namespace } = step.object.metadata;
      return await client.call("POST", namespacePath(namespace), { body: step.object, query: FIELD_MANAGER, signal });
    }
    case "replace": {
      const { namespace, name } = step.object.metadata;
      const body = { ...step.object, metadata: { ...step.object.metadata, resourceVersion: step.resourceVersion } };
      return await client.call("PUT", `${namespacePath(namespace)}/${encodeURIComponent(name)}`, { body, query: FIELD_MANAGER, signal });
    }
    case "delete": {
      const preconditions = { uid: step.uid, resourceVersion: step.resourceVersion };
      const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions };
      return await client.call("DELETE", `${namespacePath(step.namespace)}/${encodeURIComponent(step.name)}`, { body, signal });
    }
    default:
      return step satisfies never;
  }
}

const FIELD_MANAGER = { fieldManager: "firebreak", fieldValidation: "Strict" };

function namespacePath(namespace: string): string {
  return `/apis/networking.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/networkpolicies`;
}

function nameOf(step: ClusterStep): string {
  return step.kind === "delete"
    ? `${step.namespace}/${step.name}`
    : `${step.object.metadata.namespace}/${step.object.metadata.name}`;
}
