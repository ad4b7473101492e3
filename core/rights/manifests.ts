import { ROLES, type RoleRule } from "./cluster.ts";

/** A service that has an account of its own in a cluster. */
export type RoleService = keyof typeof ROLES;

const WHAT: Readonly<Record<RoleService, string>> = {
  syncer: "the syncer (`firebreak up` or `firebreak syncer`): it reads who is there and writes NetworkPolicies, nothing else",
  drift: "the drift detector (`readOnly.kubeconfig` of firebreak.yaml): it reads, and cannot write",
};

/** The name of a service's account and role. */
export function accountOf(service: RoleService): string {
  return `firebreak-${service}`;
}

/** Namespace, account, role and binding of one service, for `kubectl apply -f -`. */
export function roleManifests(service: RoleService, namespace = "firebreak"): string {
  const name = accountOf(service);
  const api = "rbac.authorization.k8s.io";
  return `# Rights of ${WHAT[service]}.
# Printed by \`firebreak clusters setup\`. A test runs with exactly these rights: all of them are used, and no other is needed.
apiVersion: v1
kind: Namespace
metadata: {name: ${namespace}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: ${name}, namespace: ${namespace}}
automountServiceAccountToken: false
---
apiVersion: ${api}/v1
kind: ClusterRole
metadata: {name: ${name}}
rules:
${ROLES[service].map((rule) => `  - ${ruleLine(rule)}`).join("\n")}
---
apiVersion: ${api}/v1
kind: ClusterRoleBinding
metadata: {name: ${name}}
roleRef: {apiGroup: ${api}, kind: ClusterRole, name: ${name}}
subjects:
  - {kind: ServiceAccount, name: ${name}, namespace: ${namespace}}
`;
}

function ruleLine({ apiGroups, resources, verbs, resourceNames }: RoleRule): string {
  const groups = apiGroups.map((group) => (group === "" ? '""' : group)).join(", ");
  const only = resourceNames === undefined ? "" : `resourceNames: [${resourceNames.join(", ")}], `;
  return `{apiGroups: [${groups}], resources: [${resources.join(", ")}], ${only}verbs: [${verbs.join(", ")}]}`;
}
