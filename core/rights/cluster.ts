/** One rule of a ClusterRole, as Kubernetes has it. */
export interface RoleRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** What a call asks for, in the words of RBAC. */
export interface Right {
  /** Empty: the core group. */
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
}

const FOLLOW = ["list", "watch"];

/** What comparing takes: nothing that writes. The name of kube-system's UID is read each time, because it tells one cluster from another. */
const READ: readonly RoleRule[] = [
  { apiGroups: [""], resources: ["namespaces", "pods", "nodes", "services"], verbs: FOLLOW },
  { apiGroups: [""], resources: ["namespaces"], resourceNames: ["kube-system"], verbs: ["get"] },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: FOLLOW },
  {
    apiGroups: ["admissionregistration.k8s.io"],
    resources: ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"],
    verbs: FOLLOW,
  },
  { apiGroups: ["apiregistration.k8s.io"], resources: ["apiservices"], verbs: FOLLOW },
  { apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs: FOLLOW },
];

/** What applying takes besides: policies are written, and a DaemonSet tells which enforcer runs (`enforcer: auto`). */
const WRITE: readonly RoleRule[] = [
  { apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs: ["create", "update", "delete"] },
  { apiGroups: ["apps"], resources: ["daemonsets"], verbs: ["list"] },
];

/** The rights that Firebreak uses in a cluster, by the service that uses them; no others. */
export const ROLES = { syncer: [...READ, ...WRITE], drift: READ } as const satisfies Record<string, readonly RoleRule[]>;

/** Every single right of some rules. */
export function rightsOf(rules: readonly RoleRule[]): readonly (Right & { readonly name: string | undefined })[] {
  return rules.flatMap(({ apiGroups, resources, verbs, resourceNames }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => verbs.map((verb) => ({ group, resource, verb, name: resourceNames?.[0] }))),
    ),
  );
}

/**
 * The right that a call needs; undefined for a path that is no resource.
 *
 * @param method of HTTP, or `watch`
 */
export function rightAsked(method: string, path: string): Right | undefined {
  const match =
    /^\/(?:api|apis\/(?<group>[^/?]+))\/[^/?]+\/(?:namespaces\/[^/?]+\/(?=[^/?]))?(?<resource>[^/?]+)(?<name>\/[^/?]+)?(?:\?|$)/.exec(
      path,
    );
  const { group = "", resource, name } = match?.groups ?? {};
  if (resource === undefined) return undefined;
  return { group, resource, verb: verbOf(method, name !== undefined) };
}

function verbOf(method: string, isOne: boolean): string {
  switch (method) {
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "DELETE":
      return "delete";
    case "watch":
      return "watch";
    default:
      return isOne ? "get" : "list";
  }
}

/** Rights as rules to paste into a ClusterRole: `{apiGroups: [""], resources: [pods, nodes], verbs: [list, watch]}`. */
export function ruleText(rights: readonly Right[]): string {
  const verbs = Map.groupBy(rights, ({ group, resource }) => `${group}/${resource}`);
  const resources = [...verbs.values()].map((same) => ({
    group: same[0]?.group ?? "",
    resource: same[0]?.resource ?? "",
    verbs: [...new Set(same.map(({ verb }) => verb))].sort().join(", "),
  }));
  const rules = Map.groupBy(resources, ({ group, verbs: which }) => `${group} ${which}`);
  return [...rules.values()]
    .map(([first, ...more]) => {
      const names = [first, ...more].map((one) => one?.resource ?? "").join(", ");
      return `{apiGroups: [${first?.group === "" ? '""' : first?.group}], resources: [${names}], verbs: [${first?.verbs}]}`;
    })
    .join(", ");
}
