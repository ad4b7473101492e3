import { isDnsLabel, isDnsSubdomain } from "./labels.ts";

const DNS_1035 = /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/;

/** RFC 1035 label: names of Services, which begin with a letter. */
export function isServiceName(text: string): boolean {
  return text.length <= 63 && DNS_1035.test(text);
}

const LABELS: ReadonlySet<string> = new Set(["Namespace", "StatefulSet"]);

/** Why the API server refuses the name of such an object; undefined when it does not. */
export function badName(kind: string, name: string): string | undefined {
  if (kind === "Service")
    return isServiceName(name) ? undefined : "must be small letters, digits and hyphens, and begin with a letter";
  if (LABELS.has(kind)) return isDnsLabel(name) ? undefined : "must be at most 63 small letters, digits and hyphens";
  if (kind === "CronJob" && name.length > 52) return "must not be longer than 52";
  if (kind === "Job" && name.length > 63) return "must not be longer than 63: it becomes a label";
  return isDnsSubdomain(name) ? undefined : "is not a name";
}
