import { expect, it } from "vitest";
import { z } from "zod";
import { SCHEMAS } from "../../../core/model/schema/index.ts";

/**
 * Where a reviewer is told of a change of a field: `rules` as a change of how changes are judged · `connections` in what opens and closes,
 * and of a guardrail that names it as narrower · `noted` in a line of its own · `words`: nowhere, it describes and decides nothing.
 */
type Told = "rules" | "connections" | "noted" | "words";

const TARGET_LABELS = { "metadata.labels": "rules" } as const;
const MEMBER = [
  "pods",
  "namespaces",
  "service.namespace",
  "service.name",
  "clusters",
  "hosts",
  "fleets",
  "externals",
  "boundary.clusters",
  "boundary.side",
  "addresses",
  "segments",
];
const members = (under: string): Record<string, Told> =>
  Object.fromEntries(MEMBER.map((field) => [`spec.${under}[].${field}`, "connections" as const]));

/** Every field of every kind. A name is an identity: another one is a removal, which is told, and an addition. */
const FIELDS: Readonly<Record<keyof typeof SCHEMAS, Readonly<Record<string, Told>>>> = {
  Cluster: {
    ...TARGET_LABELS,
    "metadata.name": "rules",
    "spec.mode": "rules",
    "spec.context": "rules",
    "spec.inCluster": "rules",
    "spec.enforcer": "rules",
    "spec.podNetwork": "rules",
    "spec.podRanges": "rules",
    "spec.governs": "rules",
    "spec.foreign": "rules",
    "spec.boundaries.ingress.addresses": "rules",
    "spec.boundaries.ingress.controllers[].namespace": "rules",
    "spec.boundaries.ingress.controllers[].pods": "rules",
    "spec.dns.service.namespace": "rules",
    "spec.dns.service.name": "rules",
    "spec.dns.ports": "rules",
  },
  External: {
    "metadata.name": "connections",
    "metadata.labels": "connections",
    "spec.addresses": "connections",
    "spec.except": "connections",
  },
  Guardrail: {
    "metadata.name": "rules",
    "metadata.labels": "words",
    "spec.severity": "rules",
    "spec.owner": "rules",
    "spec.reason": "words",
    "spec.ticket": "words",
    ...Object.fromEntries(
      ["never", "always"].flatMap((kind) =>
        ["from", "to", "reaches", "ports", "same"].map((field) => [`spec.${kind}[].${field}`, "rules" as const]),
      ),
    ),
  },
  HostFleet: {
    ...TARGET_LABELS,
    "metadata.name": "rules",
    "spec.mode": "rules",
    "spec.transport.ssh.user": "rules",
    "spec.transport.ssh.port": "rules",
    "spec.transport.local": "rules",
    "spec.lifeline.from": "rules",
    "spec.lifeline.ports": "rules",
    "spec.hosts[].name": "rules",
    "spec.hosts[].addresses": "rules",
    "spec.hosts[].labels": "rules",
  },
  Policy: {
    "metadata.name": "rules",
    "metadata.labels": "words",
    "spec.owner": "rules",
    "spec.reason": "words",
    "spec.ticket": "words",
    "spec.expires": "noted",
    "spec.rules[].from": "connections",
    "spec.rules[].to": "connections",
    "spec.rules[].ports": "connections",
    "spec.rules[].same": "connections",
    "spec.tests[].from": "noted",
    "spec.tests[].to": "noted",
    "spec.tests[].port": "noted",
    "spec.tests[].expect": "noted",
  },
  Segment: {
    "metadata.name": "connections",
    "metadata.labels": "words",
    ...members("members"),
    ...members("not"),
    "spec.isolate.ingress": "rules",
    "spec.isolate.egress": "rules",
    "spec.needs": "connections",
    "spec.sealed": "rules",
  },
  Workspace: {
    "metadata.name": "words",
    "metadata.labels": "words",
    "spec.internal": "rules",
    ...Object.fromEntries(
      ["dns", "probes", "dhcp", "ntp", "icmpErrors", "apiserver", "webhooks"].map((name) => [
        `spec.essentials.${name}`,
        "rules" as const,
      ]),
    ),
    "spec.limits.unisolate": "rules",
    "spec.require": "rules",
    "spec.approvals.required": "rules",
    "spec.approvals.distinctFromAuthor": "rules",
    "spec.approvals.forRules": "rules",
    "spec.drift.default": "rules",
    "spec.drift.overrides[].targets": "rules",
    "spec.drift.overrides[].respond": "rules",
    "spec.routes": "rules",
  },
};

/** These are one thing each. */
const WHOLE = new Set(["matchLabels", "matchExpressions"]);

function fieldsOf(schema: unknown, path: string): readonly string[] {
  const { properties, items, anyOf, oneOf, allOf } = schema as Record<string, unknown>;
  const choices = [anyOf, oneOf, allOf].flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : []));
  const inner = Object.entries((properties ?? {}) as Record<string, unknown>);
  if (inner.some(([name]) => WHOLE.has(name)) || path === "spec.routes") return [path];
  const below = [
    ...inner.flatMap(([name, one]) => fieldsOf(one, path === "" ? name : `${path}.${name}`)),
    ...(items === undefined ? [] : fieldsOf(items, `${path}[]`)),
    ...choices.flatMap((one) => fieldsOf(one, path)),
  ];
  return below.every((one) => one === path || one === `${path}[]`) ? [path] : below.filter((one) => one !== path);
}

// Would catch: a field that is added and that nobody asked what it does to who is asked, who is told, and how a change is judged.
it.each(Object.entries(SCHEMAS))("it is said of every field of %s where a reviewer is told of it", (kind, schema) => {
  const json = z.toJSONSchema(schema, { target: "draft-07", io: "input" });
  const found = [...new Set(fieldsOf(json, ""))].filter((path) => path !== "apiVersion" && path !== "kind").sort();
  expect(found).toEqual(Object.keys(FIELDS[kind as keyof typeof SCHEMAS]).sort());
});
