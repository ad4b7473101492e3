import { formatPorts } from "../../../core/address/ports.ts";
import { evaluator } from "../../../core/verdict/evaluator.ts";
import type { Profile } from "../../../core/verdict/profile.ts";
import type { Endpoint, PolicyObject, World, WorldPod } from "../../../core/verdict/world.ts";

/** Two namespaces and four pods, and short ways to ask about them. */
export const NAMESPACES = [
  { name: "shop", labels: { team: "shop" } },
  { name: "dev", labels: { team: "dev" } },
];

export const PODS: readonly WorldPod[] = [
  pod("shop/web", { app: "web" }, { addresses: ["10.244.0.1"] }),
  pod("shop/db", { app: "db" }, { addresses: ["10.244.0.2"], ports: [{ name: "sql", containerPort: 5432 }] }),
  pod("dev/web", { app: "web" }, { addresses: ["10.244.1.1"] }),
  pod("dev/tool", { app: "tool" }, { addresses: ["10.244.1.2"], ports: [{ name: "sql", containerPort: 15432 }] }),
];

export function pod(id: string, labels: Readonly<Record<string, string>>, more: Partial<WorldPod> = {}): WorldPod {
  const [namespace = "", name = ""] = id.split("/");
  return { namespace, name, labels, addresses: [], ...more };
}

export function policy(spec: unknown, name = "p"): PolicyObject {
  return { kind: "NetworkPolicy", metadata: { name, namespace: "shop" }, spec };
}

/** A policy on shop/db that lets these peers in. */
export function lets(from: unknown, ports?: unknown): PolicyObject {
  return policy({ podSelector: { matchLabels: { app: "db" } }, policyTypes: ["Ingress"], ingress: [{ from, ports }] });
}

export function world(policies: readonly PolicyObject[], pods: readonly WorldPod[] = PODS): World {
  return { namespaces: NAMESPACES, pods, policies, nodes: [{ name: "n1", addresses: ["192.168.0.1"] }] };
}

export function end(text: string): Endpoint {
  const [namespace = "", name = ""] = text.split("/");
  return text.includes("/") ? { kind: "pod", namespace, name } : { kind: "address", address: text };
}

/** What may connect, as `5432/tcp`, `any` or `nothing`. */
export function ports(
  policies: readonly PolicyObject[],
  from: string,
  to: string,
  profile?: Profile,
  pods?: readonly WorldPod[],
): string {
  return formatPorts(evaluator(world(policies, pods), profile).connection(end(from), end(to)));
}

/** Which of the four pods reach shop/db at all. */
export function reachDb(policies: readonly PolicyObject[], profile?: Profile): readonly string[] {
  return ["shop/web", "dev/web", "dev/tool"].filter((from) => ports(policies, from, "shop/db", profile) !== "nothing");
}

export const isWeb = { podSelector: { matchLabels: { app: "web" } } };
export const inDev = { namespaceSelector: { matchLabels: { team: "dev" } } };
