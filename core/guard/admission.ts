import { ANNOTATION, MANAGED_BY, MANAGED_BY_LABEL } from "../render/networkpolicy-mark.ts";
import type { LabelSelector } from "../selector/index.ts";
import type { RestsOn } from "./rests-on.ts";

/** Deny: refused · Warn: let through, with a warning to who asked and an annotation in the API server's audit log. */
export type GuardAction = "deny" | "warn";

/** Who passes, and how a refusal is meant. */
export interface GuardOptions {
  /** Users whose changes are Firebreak's own, as the API server names them (`system:serviceaccount:firebreak:firebreak-syncer`). */
  readonly writers: readonly string[];
  /** Groups that may change everything in an emergency; never empty. */
  readonly breakGlass: readonly string[];
  /** Users that set labels, Services and endpoints for the organisation (a GitOps tool, an operator); no policies. */
  readonly labelWriters: readonly string[];
  readonly action: GuardAction;
  /** governed: all policies in governed namespaces, and ours anywhere · ours: only what carries our mark. */
  readonly policies: "governed" | "ours";
}

/** A ValidatingAdmissionPolicy or its binding, as `kubectl apply` takes it. */
export interface GuardObject {
  readonly apiVersion: "admissionregistration.k8s.io/v1";
  readonly kind: "ValidatingAdmissionPolicy" | "ValidatingAdmissionPolicyBinding";
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: unknown;
}

interface ResourceRule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly operations: readonly ("CREATE" | "UPDATE" | "DELETE")[];
}

interface GuardPolicy {
  readonly name: string;
  readonly resources: readonly ResourceRule[];
  /** CEL, besides "who asks is not one who may". */
  readonly conditions?: Readonly<Record<string, string>>;
  readonly variables?: Readonly<Record<string, string>>;
  /** CEL: true lets through. */
  readonly holds: string;
  /** CEL: a text. */
  readonly message: string;
  readonly namespaces?: LabelSelector;
}

/** Kubernetes' own controllers that delete what is in a namespace that goes, or whose owner is gone: without them it would never go. */
const CLEANERS = [
  "system:serviceaccount:kube-system:namespace-controller",
  "system:serviceaccount:kube-system:generic-garbage-collector",
  "system:kube-controller-manager",
];

/** Kubernetes' own controllers that say which addresses stand behind a Service. */
const ENDPOINT_CONTROLLERS = [
  "system:serviceaccount:kube-system:endpoint-controller",
  "system:serviceaccount:kube-system:endpointslice-controller",
  "system:serviceaccount:kube-system:endpointslicemirroring-controller",
  "system:kube-controller-manager",
];

/**
 * What makes the API server refuse changes that would otherwise have to be healed: of policies, and of what says who is in a segment.
 * A ValidatingAdmissionPolicy and a binding for each (API reference of admissionregistration.k8s.io/v1, Kubernetes 1.30 and later).
 * The API server never asks these about themselves, so whoever may delete a binding is never locked out.
 */
export function guardObjects(rests: RestsOn, governs: LabelSelector, options: GuardOptions): readonly GuardObject[] {
  return policiesOf(rests, governs, options).flatMap((policy) => renderPolicy(policy, options));
}

function policiesOf(rests: RestsOn, governs: LabelSelector, options: GuardOptions): readonly GuardPolicy[] {
  const labelWriters = options.labelWriters.length === 0 ? {} : { "not-a-label-writer": isNotOf(options.labelWriters) };
  const [namespaces, pods] = [rests.namespaceLabels, rests.podLabels];
  return [
    ...(options.policies === "governed" ? [policyGuard("governed", options, governs)] : []),
    policyGuard("ours", options),
    ...(namespaces.length === 0
      ? []
      : [
          {
            name: "firebreak-namespaces",
            // Labels can be written through both subresources, too.
            resources: [core(["namespaces", "namespaces/status", "namespaces/finalize"], ["CREATE", "UPDATE"])],
            conditions: labelWriters,
            ...labelGuard(namespaces, "namespace", options),
          },
        ]),
    ...(pods.length === 0
      ? []
      : [
          {
            name: "firebreak-pods",
            resources: [core(["pods", "pods/status"], ["UPDATE"])],
            conditions: labelWriters,
            ...labelGuard(pods, "pod", options),
          },
        ]),
    ...(rests.services.length === 0 ? [] : serviceGuards(rests.services, labelWriters, options)),
  ];
}

function policyGuard(which: "governed" | "ours", options: GuardOptions, namespaces?: LabelSelector): GuardPolicy {
  const labels = "object != null && has(object.metadata.labels) ? object.metadata.labels : {}";
  const isOurs = `[object, oldObject].exists(o, o != null && has(o.metadata.annotations) && ${cel(ANNOTATION.instance)} in o.metadata.annotations)`;
  return {
    name: `firebreak-policies-${which}`,
    resources: [
      {
        apiGroups: ["networking.k8s.io"],
        apiVersions: ["*"],
        resources: ["networkpolicies"],
        operations: ["CREATE", "UPDATE", "DELETE"],
      },
    ],
    conditions: {
      "not-kubernetes-cleaning-up": `request.operation != 'DELETE' || ${isNotOf(CLEANERS)}`,
      ...(which === "ours" ? { "carries-our-mark": isOurs } : {}),
    },
    // An object that is written again as it is (a migration of the storage) changes nothing.
    variables: {
      labels,
      labelsBefore: labels.replaceAll("object", "oldObject"),
      annotations: labels.replaceAll("labels", "annotations"),
      annotationsBefore: labels.replaceAll("object", "oldObject").replaceAll("labels", "annotations"),
    },
    holds:
      "request.operation == 'UPDATE' && object.spec == oldObject.spec && variables.labels == variables.labelsBefore && variables.annotations == variables.annotationsBefore",
    message: cel(
      `${which === "ours" ? "this NetworkPolicy comes" : "the NetworkPolicies of this namespace come"} from Git, through Firebreak alone: change the definitions with a pull request, or use the group ${options.breakGlass.join(" or ")}`,
    ),
    ...(namespaces === undefined ? {} : { namespaces }),
  };
}

function labelGuard(
  keys: readonly string[],
  kind: "namespace" | "pod",
  options: GuardOptions,
): Pick<GuardPolicy, "variables" | "holds" | "message"> {
  return {
    variables: {
      now: "has(object.metadata.labels) ? object.metadata.labels : {}",
      before: "oldObject != null && has(oldObject.metadata.labels) ? oldObject.metadata.labels : {}",
      changed: `[${keys.map(cel).join(", ")}].filter(k, (k in variables.now) != (k in variables.before) || (k in variables.now && variables.now[k] != variables.before[k]))`,
    },
    holds: "size(variables.changed) == 0",
    message: `${cel(`labels of this ${kind} say which network segments it is in: `)} + variables.changed.join(', ') + ${cel(` are set by Firebreak's owners and the group ${options.breakGlass.join(" or ")} only`)}`,
  };
}

function serviceGuards(
  services: readonly string[],
  labelWriters: Readonly<Record<string, string>>,
  options: GuardOptions,
): readonly GuardPolicy[] {
  const list = `[${services.map(cel).join(", ")}]`;
  const who = `set by Firebreak's owners and the group ${options.breakGlass.join(" or ")} only`;
  const selector = "has(object.spec.selector) ? object.spec.selector : {}";
  return [
    {
      name: "firebreak-services",
      resources: [core(["services"], ["CREATE", "UPDATE"])],
      conditions: { ...labelWriters, named: `(object.metadata.namespace + '/' + object.metadata.name) in ${list}` },
      variables: { selector, before: `oldObject == null ? {} : (${selector.replaceAll("object", "oldObject")})` },
      holds: "request.operation == 'UPDATE' && variables.selector == variables.before",
      message: cel(`this Service says who is in a network segment: its selector is ${who}`),
    },
    {
      name: "firebreak-endpoints",
      resources: [
        core(["endpoints"], ["CREATE", "UPDATE"]),
        { apiGroups: ["discovery.k8s.io"], apiVersions: ["*"], resources: ["endpointslices"], operations: ["CREATE", "UPDATE"] },
      ],
      conditions: {
        ...labelWriters,
        "not-kubernetes-itself": isNotOf(ENDPOINT_CONTROLLERS),
        named: `[object, oldObject].exists(o, o != null && (o.metadata.namespace + '/' + (request.resource.resource == 'endpoints' ? o.metadata.name : (has(o.metadata.labels) && 'kubernetes.io/service-name' in o.metadata.labels ? o.metadata.labels['kubernetes.io/service-name'] : ''))) in ${list})`,
      },
      holds: "false",
      message: cel(`what stands behind this Service is in a network segment: its endpoints are ${who}`),
    },
  ];
}

function core(resources: readonly string[], operations: ResourceRule["operations"]): ResourceRule {
  return { apiGroups: [""], apiVersions: ["*"], resources, operations };
}

function renderPolicy(policy: GuardPolicy, options: GuardOptions): readonly GuardObject[] {
  const conditions = {
    "not-firebreak": isNotOf(options.writers),
    "not-break-glass": `!has(request.userInfo.groups) || !request.userInfo.groups.exists(g, g in [${options.breakGlass.map(cel).join(", ")}])`,
    ...policy.conditions,
  };
  const labels = { [MANAGED_BY_LABEL]: MANAGED_BY };
  const apiVersion = "admissionregistration.k8s.io/v1";
  return [
    {
      apiVersion,
      kind: "ValidatingAdmissionPolicy",
      metadata: { name: policy.name, labels },
      spec: {
        failurePolicy: "Fail",
        matchConstraints: {
          matchPolicy: "Equivalent",
          ...(policy.namespaces === undefined ? {} : { namespaceSelector: policy.namespaces }),
          resourceRules: policy.resources,
        },
        matchConditions: Object.entries(conditions).map(([name, expression]) => ({ name, expression })),
        ...(policy.variables === undefined
          ? {}
          : { variables: Object.entries(policy.variables).map(([name, expression]) => ({ name, expression })) }),
        validations: [{ expression: policy.holds, messageExpression: policy.message, reason: "Forbidden" }],
      },
    },
    {
      apiVersion,
      kind: "ValidatingAdmissionPolicyBinding",
      metadata: { name: policy.name, labels },
      spec: { policyName: policy.name, validationActions: options.action === "deny" ? ["Deny"] : ["Warn", "Audit"] },
    },
  ];
}

function isNotOf(users: readonly string[]): string {
  return `!(request.userInfo.username in [${users.map(cel).join(", ")}])`;
}

/** A text as CEL writes it: as JSON does (CEL language definition, "String and Bytes Values"). */
function cel(text: string): string {
  return JSON.stringify(text);
}
