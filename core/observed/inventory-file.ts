import { z } from "zod";
import type { ClusterInventory } from "../membership/inventory.ts";
import { FirebreakError } from "../ground/error.ts";
import type { TargetId } from "../model/kinds.ts";
import type { HostObservation, LivePolicy } from "./observation.ts";
import type { NetworkPolicy } from "../render/networkpolicy-types.ts";

/**
 * What the service saw of every target, so that a plan can be computed without it: the answer of `GET API.inventory`, and what
 * `firebreak inventory save FILE` writes. A target that was not seen whole is left out, never written as empty.
 */
export interface InventoryFile {
  readonly version: 1;
  /** ISO 8601, UTC: when it was written. */
  readonly savedAt: string;
  /** Id of the Firebreak installation: objects that carry it are ours. */
  readonly instance: string;
  readonly clusters: Readonly<Record<TargetId, SavedCluster>>;
  readonly hosts: Readonly<Record<TargetId, HostObservation>>;
}

/** A cluster's workloads and its NetworkPolicies, all namespaces, ours or not. */
export interface SavedCluster {
  /** What enforces there, as detected: it decides how policies are read. Absent: unknown. */
  readonly enforcer?: string | undefined;
  readonly inventory: ClusterInventory;
  readonly policies: readonly LivePolicy[];
}

/** JSON has no `undefined`: a field that is absent there is `undefined` here. */
const maybeText = z
  .string()
  .nullish()
  .transform((text) => text ?? undefined);

const labels = z.record(z.string(), z.string());
const texts = z.array(z.string());

const inventory = z.object({
  kind: z.literal("cluster"),
  target: z.string(),
  uid: z.string(),
  complete: z.boolean(),
  namespaces: z.array(z.object({ name: z.string(), labels })),
  pods: z.array(
    z.object({
      uid: z.string(),
      namespace: z.string(),
      name: z.string(),
      labels,
      addresses: texts,
      node: maybeText,
      hostNetwork: z.boolean(),
      owner: maybeText,
      ports: z.array(z.object({ name: z.string(), protocol: z.enum(["tcp", "udp", "sctp"]), port: z.number() })).exactOptional(),
      notUnderstood: z.literal(true).exactOptional(),
    }),
  ),
  nodes: z.array(z.object({ name: z.string(), addresses: texts })),
  services: z.array(
    z.object({
      namespace: z.string(),
      name: z.string(),
      selector: labels,
      clusterIps: texts,
      endpoints: z
        .array(
          z.object({
            address: z.string(),
            pod: z.string().exactOptional(),
            ports: z.array(z.object({ protocol: z.string(), port: z.number() })),
          }),
        )
        .exactOptional(),
      loadBalancer: texts.exactOptional(),
      ports: z.array(
        z.object({
          protocol: z.string(),
          port: z.number(),
          targetPort: z
            .union([z.number(), z.string()])
            .nullish()
            .transform((port) => port ?? undefined),
        }),
      ),
    }),
  ),
  webhooks: z
    .array(
      z.object({
        kind: z.enum(["validating", "mutating", "apiService"]),
        name: z.string(),
        service: z.object({ namespace: z.string(), name: z.string(), port: z.number() }),
        failsClosed: z.boolean(),
      }),
    )
    .exactOptional(),
  platform: z.literal("openshift").exactOptional(),
});

/** Only what makes it addressable is checked; the spec is compared as raw JSON, as it is when it comes from an API server. */
const networkPolicy = z.custom<NetworkPolicy>((value) => {
  const object = value as Partial<NetworkPolicy> | null;
  return (
    object?.kind === "NetworkPolicy" &&
    typeof object.metadata?.name === "string" &&
    typeof object.metadata.namespace === "string" &&
    typeof object.spec === "object"
  );
}, "must be a NetworkPolicy with a name, a namespace and a spec");

const livePolicy = z.object({ object: networkPolicy, manager: maybeText, managedAt: maybeText });

const hostObservation = z.object({
  kind: z.literal("host"),
  target: z.string(),
  completeness: z.enum(["complete", "partial", "failed"]),
  identity: z.string(),
  ruleset: z.array(z.unknown()),
  legacyTables: texts,
  addresses: texts,
  resolvers: texts,
  timeServers: texts.default([]),
  at: z.number(),
});

const inventoryFile = z.object({
  version: z.literal(1),
  savedAt: z.iso.datetime(),
  instance: z.string(),
  clusters: z.record(z.string(), z.object({ enforcer: z.string().optional(), inventory, policies: z.array(livePolicy) })),
  hosts: z.record(z.string(), hostObservation),
});

/**
 * An inventory file as parsed JSON → checked. Fields of a newer version are left out.
 *
 * @param where what was read, for the message: a file's name
 * @throws FirebreakError USAGE naming the first places that do not fit
 */
export function parseInventoryFile(value: unknown, where: string): InventoryFile {
  const parsed = inventoryFile.safeParse(value);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.slice(0, 5).map(({ path, message }) => `${path.join(".") || "top level"}: ${message}`);
  throw new FirebreakError("USAGE", `${where} is no inventory of \`firebreak inventory save\`: ${places.join("; ")}`);
}
