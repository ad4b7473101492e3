import type { Labels } from "../selector/index.ts";
import type { Checker, Json } from "./check.ts";
import { show } from "./check.ts";
import type { Identity, TEMPLATES } from "./templates.ts";

/** Labels that the server or a controller sets on pods, beside those of the template. */
export interface AddedLabels {
  readonly labels: Labels;
  /** Keys whose values only the cluster knows: hashes, uids, names that are generated. */
  readonly unknown: readonly string[];
  /** One entry per pod where labels differ from pod to pod; undefined when they do not, or nobody says how many there are. */
  readonly replicas: readonly { readonly name: string; readonly labels: Labels }[] | undefined;
}

const NOTHING: AddedLabels = { labels: {}, unknown: [], replicas: undefined };

const POD_NAME = "statefulset.kubernetes.io/pod-name";
const POD_INDEX = "apps.kubernetes.io/pod-index";
const JOB_NAMES = ["batch.kubernetes.io/job-name", "job-name"];
const JOB_UIDS = ["batch.kubernetes.io/controller-uid", "controller-uid"];
const COMPLETION_INDEX = "batch.kubernetes.io/job-completion-index";

/** Labels that tell the pods of one workload apart. */
export const REPLICA_LABELS: readonly string[] = [POD_NAME, POD_INDEX, COMPLETION_INDEX];

/** Pods of one workload that are told apart one by one; of more, nobody says which is which. */
const MOST_REPLICAS = 100;

/** What Kubernetes 1.34 adds to the pods of a workload (the pages of its documentation on each kind, and its registry and controllers). */
export function addedLabels(
  check: Checker,
  object: Json,
  { name }: Identity,
  kind: keyof typeof TEMPLATES,
  own: Labels,
): AddedLabels {
  const spec = check.record(object["spec"], ["spec"]) ?? {};
  const isNamed = typeof check.record(object["metadata"], ["metadata"])?.["name"] === "string";
  switch (kind) {
    case "Deployment":
      return { ...NOTHING, unknown: ["pod-template-hash"] };
    case "DaemonSet":
      return { ...NOTHING, unknown: ["controller-revision-hash", "pod-template-generation"] };
    case "StatefulSet":
      return ofStatefulSet(check, spec, name);
    case "Job":
      return ofJob(check, object, spec, isNamed ? name : undefined, own);
    case "CronJob": {
      const template = check.record(spec["jobTemplate"], ["spec", "jobTemplate"]) ?? {};
      const jobSpec = check.record(template["spec"], ["spec", "jobTemplate", "spec"]) ?? {};
      return ofJob(check, {}, jobSpec, undefined, own);
    }
    default:
      return NOTHING; // a ReplicaSet's template has its Deployment's hash already; a ReplicationController adds nothing
  }
}

function ofStatefulSet(check: Checker, spec: Json, name: string): AddedLabels {
  const unknown = ["controller-revision-hash"];
  const count = check.integer(spec["replicas"], ["spec", "replicas"], 0, 2 ** 31 - 1) ?? 1;
  const ordinals = check.record(spec["ordinals"], ["spec", "ordinals"]);
  const start = check.integer(ordinals?.["start"], ["spec", "ordinals", "start"], 0, 2 ** 31 - 1) ?? 0;
  if (count === 0 || count > MOST_REPLICAS) return { labels: {}, unknown: [...unknown, POD_NAME, POD_INDEX], replicas: undefined };
  const replicas = Array.from({ length: count }, (_, index) => {
    const pod = `${name}-${start + index}`;
    return { name: pod, labels: { [POD_NAME]: pod, [POD_INDEX]: `${start + index}` } };
  });
  return { labels: {}, unknown, replicas };
}

/** The API server writes the names of a Job and its uid into the template, unless the author chose to select by hand. */
function ofJob(check: Checker, object: Json, spec: Json, name: string | undefined, own: Labels): AddedLabels {
  for (const key of ["completions", "parallelism"]) check.integer(spec[key], ["spec", key], 0, 2 ** 31 - 1);
  const { labels, unknown } = spec["manualSelector"] === true ? NOTHING : jobLabels(check, object, name, own);
  if (spec["completionMode"] !== "Indexed") return { labels, unknown, replicas: undefined };
  const count = typeof spec["completions"] === "number" ? spec["completions"] : 0;
  if (count < 1 || count > MOST_REPLICAS) return { labels, unknown: [...unknown, COMPLETION_INDEX], replicas: undefined };
  const replicas = Array.from({ length: count }, (_, index) => ({
    name: `${name ?? "job"}-${index}`,
    labels: { [COMPLETION_INDEX]: `${index}` },
  }));
  return { labels, unknown, replicas };
}

function jobLabels(check: Checker, object: Json, name: string | undefined, own: Labels): Pick<AddedLabels, "labels" | "unknown"> {
  const given = check.record(object["metadata"], ["metadata"])?.["uid"];
  const uid = typeof given === "string" && given !== "" ? given : undefined;
  const labels: [string, string][] = [];
  const unknown: string[] = [];
  for (const [keys, value] of [
    [JOB_NAMES, name],
    [JOB_UIDS, uid],
  ] as const) {
    for (const key of keys) {
      const kept = Object.hasOwn(own, key) ? own[key] : undefined;
      if (kept !== undefined && value !== undefined && kept !== value) {
        const path = ["spec", "template", "metadata", "labels", key];
        check.error(path, "invalid-label", ` must be ${show(value)}, which the API server sets`, "Leave it out");
      }
      if (value !== undefined) labels.push([key, value]);
      else if (kept === undefined) unknown.push(key);
    }
  }
  return { labels: Object.fromEntries(labels), unknown };
}
