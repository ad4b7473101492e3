import type { Path } from "./manifest-file.ts";

/** Kinds that make pods from a template, and where the template is. */
export const TEMPLATES = {
  Deployment: ["spec", "template"],
  ReplicaSet: ["spec", "template"],
  StatefulSet: ["spec", "template"],
  DaemonSet: ["spec", "template"],
  Job: ["spec", "template"],
  ReplicationController: ["spec", "template"],
  CronJob: ["spec", "jobTemplate", "spec", "template"],
} as const satisfies Readonly<Record<string, Path>>;

/** Name of an object, and its controller if it has one. */
export interface Identity {
  readonly namespace: string;
  readonly name: string;
  /** `Kind/name` of the owner reference that controls it; a Node owns nothing here. */
  readonly owner: string | undefined;
}
