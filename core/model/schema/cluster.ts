import { z } from "zod";
import type { EnforcerSetting } from "../kinds.ts";
import { cidrs } from "./addresses.ts";
import { Boundaries, Dns } from "./cluster-edge.ts";
import { ApiVersion, Metadata, prose } from "./names.ts";
import { selector } from "./selectors.ts";
import { refuse } from "./text.ts";

const ENFORCERS = [
  "auto",
  "calico",
  "cilium",
  "antrea",
  "ovn-kubernetes",
  "kube-network-policies",
  "none",
] as const satisfies readonly EnforcerSetting[];

/** Namespaces that are not written to unless `governs` says so. */
export const SYSTEM_NAMESPACES = ["kube-node-lease", "kube-public", "kube-system"] as const;

/** The label that the API server sets to a namespace's name, and nobody else can. */
export const NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name";

/** `mode` of a target. */
export const Mode = z.enum(["plan", "apply"]).default("plan").meta({
  description: "`plan` (default): observed, planned and shown, never written. `apply`: written.",
});

const Spec = z
  .strictObject({
    mode: Mode,
    context: prose("A context of the kubeconfig that the service holds.", 253).optional(),
    inCluster: z
      .literal(true)
      .optional()
      .meta({ description: "The cluster that the service itself runs in, instead of a context." }),
    enforcer: z.enum(ENFORCERS).default("auto").meta({ description: "What enforces NetworkPolicy there; `auto` looks." }),
    podNetwork: z.enum(["routed", "masqueraded"]).default("masqueraded").meta({
      description: "`routed`: pod addresses are seen outside. `masqueraded` (default): only node addresses are.",
    }),
    podRanges: cidrs("The blocks that pod addresses come from.").default([]),
    governs: selector("The namespaces that are written to. Default: all but kube-system, kube-public and kube-node-lease.").default(
      {
        matchExpressions: [{ key: NAMESPACE_NAME_LABEL, operator: "NotIn", values: [...SYSTEM_NAMESPACES] }],
      },
    ),
    foreign: z.enum(["report", "remove"]).default("report").meta({
      description: "Policies in governed namespaces that are not ours: told (default), or removed when they widen.",
    }),
    boundaries: Boundaries,
    dns: Dns,
  })
  .superRefine((spec, context) => {
    if (context.issues.length > 0) return; // an unknown key is told already, and is probably what is missing
    if (spec.context !== undefined && spec.inCluster !== undefined) {
      const detail = "Keep one: a context of the kubeconfig, or inCluster for the cluster that the service runs in";
      refuse(context, spec, { code: "bad-connection", summary: "context and inCluster exclude each other", detail }, ["inCluster"]);
    }
    if (spec.context === undefined && spec.inCluster === undefined) {
      const detail = "Add context: NAME (a context of the kubeconfig) or inCluster: true";
      refuse(context, spec, { code: "bad-connection", summary: "the cluster has no connection", detail });
    }
  });

/** A Kubernetes cluster to observe and write to. */
export const ClusterDocument = z
  .strictObject({ apiVersion: ApiVersion, kind: z.literal("Cluster"), metadata: Metadata, spec: Spec })
  .meta({ description: "A Kubernetes cluster: a target that enforces by NetworkPolicy." });
export type ClusterDocument = z.output<typeof ClusterDocument>;
