import type { Checker, Json } from "./check.ts";
import { show } from "./check.ts";
import type { Path } from "./manifest-file.ts";
import { FIELDS } from "./fields.ts";

type Fields = ReadonlyMap<string, string>;

/** Where the API server serves what is read; of older versions the fields are not known any more. */
const SERVED: ReadonlySet<string> = new Set([
  ...["Namespace", "Node", "Pod", "Service", "Endpoints", "ReplicationController"].map((kind) => `v1 ${kind}`),
  ...["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"].map((kind) => `apps/v1 ${kind}`),
  "batch/v1 Job",
  "batch/v1 CronJob",
  "discovery.k8s.io/v1 EndpointSlice",
  "networking.k8s.io/v1 NetworkPolicy",
  "networking.k8s.io/v1 Ingress",
]);

let table: ReadonlyMap<string, Fields> | undefined;

/** Taken apart at the first use: a question without manifests need not wait for it. */
function fieldsOf(type: string): Fields | undefined {
  table ??= new Map(
    FIELDS.split("\n").map((line) => {
      const [name = "", ...fields] = line.split(" ");
      return [name, new Map(fields.map((field) => field.split(":") as [string, string]))]; // `name:type`, as the table is written
    }),
  );
  return table.get(type);
}

/**
 * Strict decoding, as `kubectl apply` asks for it: every field is known, and of its type. What has a uid comes from an API server that
 * took it: an unknown field there is one of a newer Kubernetes, and only told.
 */
export function checkFields(check: Checker, object: Json, apiVersion: string, kind: string): void {
  if (!SERVED.has(`${apiVersion} ${kind}`)) return;
  const { metadata, ...rest } = object;
  new Strict(check, hasUid(metadata)).mapping(rest, kind, []);
}

/** The same of the `metadata` of any kind: with `namspace` or `lables` an object would be another one, or somewhere else. */
export function checkMetadata(check: Checker, metadata: Json): void {
  new Strict(check, hasUid(metadata)).mapping(metadata, "ObjectMeta", ["metadata"]);
}

function hasUid(metadata: unknown): boolean {
  const uid = typeof metadata === "object" && metadata !== null ? (metadata as Json)["uid"] : undefined; // an object, just checked
  return typeof uid === "string" && uid !== "";
}

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d([.,]\d+)?([Zz]|[-+]\d\d:\d\d)$/;
const QUANTITY = /^[-+]?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][-+]?\d+)?$/;

class Strict {
  readonly #check: Checker;
  readonly #mayBeNewer: boolean;

  constructor(check: Checker, mayBeNewer: boolean) {
    this.#check = check;
    this.#mayBeNewer = mayBeNewer;
  }

  mapping(value: unknown, type: string, path: Path): void {
    const fields = fieldsOf(type);
    const record = this.#check.record(value, path);
    if (record === undefined || fields === undefined) return;
    for (const [key, item] of Object.entries(record)) {
      const known = fields.get(key);
      if (known === undefined) this.#unknown(key, path, fields);
      else this.#value(item, known, [...path, key]);
    }
  }

  #unknown(key: string, path: Path, fields: Fields): void {
    if (!this.#mayBeNewer) return this.#check.onlyKeys({ [key]: undefined }, [...fields.keys()], path);
    const detail = "A field of a newer Kubernetes; it is read as if it were absent";
    this.#check.note("warning", [...path, key], "unknown-field", `${[...path, key].join(".")} is not known`, detail);
  }

  #value(value: unknown, type: string, path: Path): void {
    const check = this.#check;
    if (value === undefined || value === null) return; // the zero of its type
    if (type.startsWith("[]")) {
      for (const [index, item] of check.list(value, path).entries()) this.#value(item, type.slice(2), [...path, index]);
      return;
    }
    if (type.startsWith("{}")) {
      for (const [key, item] of Object.entries(check.record(value, path) ?? {})) this.#value(item, type.slice(2), [...path, key]);
      return;
    }
    switch (type) {
      case "any":
        return;
      case "text":
        check.text(value, path);
        return;
      case "bool":
        check.boolean(value, path);
        return;
      case "int32":
        check.integer(value, path, -(2 ** 31), 2 ** 31 - 1);
        return;
      case "int64":
        check.integer(value, path, -(2 ** 63), 2 ** 63);
        return;
      case "port":
        if (typeof value !== "string") check.integer(value, path, -(2 ** 31), 2 ** 31 - 1);
        return;
      case "time":
        if (check.text(value, path)?.match(RFC_3339) === null)
          check.error(path, "wrong-type", ` must be a time, such as 2027-06-30T00:00:00Z, and is ${show(value)}`);
        return;
      case "quantity":
        if (typeof value !== "number" && !(typeof value === "string" && QUANTITY.test(value)))
          check.error(path, "wrong-type", ` must be a quantity, such as 500m or 1Gi, and is ${show(value)}`);
        return;
      default:
        this.mapping(value, type, path);
    }
  }
}
