import { z } from "zod";
import type { PortRange } from "../kinds.ts";
import { cidrs } from "./addresses.ts";
import { Name } from "./names.ts";
import { PortList } from "./ports.ts";
import { selector } from "./selectors.ts";
import { refuse } from "./text.ts";

/** What of a cluster's surroundings only Git may say: everything else about them is written by people with rights in one namespace. */

const Controllers = z
  .array(
    z.strictObject({
      namespace: Name.meta({ description: "The namespace that they run in." }),
      pods: selector("Its pods by their labels; `{}`: all of them."),
    }),
  )
  .min(1)
  .meta({
    description:
      "Pods of ingress controllers, for example `{namespace: ingress-nginx, pods: {matchLabels: {app.kubernetes.io/name: ingress-nginx}}}`. Default: none; on OpenShift its router namespaces.",
  });

const Ingress = z.strictObject({
  addresses: cidrs(
    "Addresses from which outside traffic reaches pods, besides those of nodes and those that the cluster gives to load balancers; externalIPs that you trust, for example.",
  ).default([]),
  controllers: Controllers.default([]),
});

/** `boundaries` of a Cluster. */
export const Boundaries = z
  .strictObject({ ingress: Ingress.default({ addresses: [], controllers: [] }) })
  .default({ ingress: { addresses: [], controllers: [] } })
  .meta({ description: "What a segment with `boundary` means here, as far as nobody in the cluster may say it." });

/** `dns` of a Cluster. */
export const Dns = z
  .strictObject({
    service: z
      .strictObject({ namespace: Name, name: Name })
      .optional()
      .meta({ description: "The Service of its DNS. Default: kube-system/kube-dns; on OpenShift openshift-dns/dns-default." }),
    ports: PortList.optional().meta({
      description:
        "The ports that its DNS pods listen on. Default: the target ports of the Service, as far as they are 53 or 5353.",
    }),
  })
  .transform(({ service, ports = [] }, context): { service: typeof service; ports: readonly PortRange[] } => {
    if (ports.some(({ protocol }) => protocol === "sctp")) {
      const refusal = { code: "bad-port", summary: "DNS is not asked over sctp", detail: "Write N/tcp and N/udp" };
      refuse(context, ports, refusal, ["ports"]);
    }
    return { service, ports };
  })
  .optional()
  .meta({ description: "Where its DNS is, when it is not where the platform puts it." });
