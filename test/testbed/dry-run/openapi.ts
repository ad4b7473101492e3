interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}

const ROOTS: Readonly<Record<string, readonly string[]>> = {
  core: ["Namespace", "Node", "Pod", "Service", "Endpoints", "ReplicationController"],
  discovery: ["EndpointSlice"],
  networking: ["Ingress", "NetworkPolicy"],
  apps: ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"],
  batch: ["Job", "CronJob"],
};
const LEAVES: Readonly<Record<string, string>> = {
  "boolean undefined": "bool",
  "integer int32": "int32",
  "integer int64": "int64",
  "string undefined": "text",
  "string date-time": "time",
  "string int-or-string": "port",
};

/** The lines of `core/manifest/fields.ts`, from an API server's OpenAPI document. */
export function fieldTable(document: unknown): readonly string[] {
  const { definitions } = document as { definitions: Readonly<Record<string, Schema>> }; // what /openapi/v2 serves
  const lines = new Map<string, string>();
  const walk = (id: string): void => {
    if (lines.has(id)) return;
    lines.set(id, "");
    const fields = Object.entries(definitions[id]?.properties ?? {}).map(([name, schema]) => `${name}:${typeOf(schema)}`);
    lines.set(id, [shortName(id), ...fields].join(" "));
  };
  const typeOf = (schema: Schema): string => {
    const id = schema.$ref?.split("/").at(-1);
    if (id !== undefined) {
      const named = definitions[id];
      if (named?.properties === undefined) return leafOf(id, named ?? {});
      walk(id);
      return shortName(id);
    }
    if (schema.type === "array") return `[]${typeOf(schema.items ?? {})}`;
    if (schema.type === "object")
      return schema.additionalProperties === undefined ? "any" : `{}${typeOf(schema.additionalProperties)}`;
    return leafOf("", schema);
  };
  for (const [group, kinds] of Object.entries(ROOTS)) for (const kind of kinds) walk(`io.k8s.api.${group}.v1.${kind}`);
  return [...lines.values()].sort();
}

function leafOf(id: string, { type, format }: Schema): string {
  if (id.endsWith(".Quantity")) return "quantity";
  return LEAVES[`${type} ${format}`] ?? "any";
}

/** Ports of an EndpointSlice and of Endpoints have one name in two groups. */
function shortName(id: string): string {
  return id === "io.k8s.api.discovery.v1.EndpointPort" ? "SlicePort" : (id.split(".").at(-1) ?? id);
}
