import type { WorldContainerPort } from "../verdict/world.ts";
import type { Checker, Json } from "./check.ts";
import { show } from "./check.ts";
import type { Path } from "./manifest-file.ts";
import { isDnsLabel } from "./labels.ts";

/** Code of the notes of `notTaken`. */
export const NOT_TAKEN = "not-taken";

/** What no connection depends on: told, so that nobody takes what is listed for what a cluster would run. */
export function notTaken(check: Checker, path: Path, problem: string): void {
  const place = path.map((step, index) => (typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`)).join("");
  check.note("warning", path, NOT_TAKEN, `${place}${problem}`, "No API server takes that; nothing that is listed depends on it");
}

/** Containers must have names and images, each name once. Only the first such mistake of an object is told. */
export function checkContainers(check: Checker, spec: Json, path: Path): void {
  const seen = new Set<string>();
  const lists = (["containers", "initContainers"] as const).map((key) => [key, check.list(spec[key], [...path, key])] as const);
  if (lists[0]?.[1].length === 0) return notTaken(check, [...path, "containers"], " is empty");
  for (const [key, list] of lists) {
    for (const [index, item] of list.entries()) {
      const at = [...path, key, index];
      const wrong = containerProblem(check.record(item, at) ?? {}, seen);
      if (wrong !== undefined) return notTaken(check, [...at, ...wrong.path], wrong.problem);
    }
  }
}

function containerProblem({ name, image, env }: Json, seen: Set<string>): { path: Path; problem: string } | undefined {
  if (typeof name !== "string" || name === "") return { path: ["name"], problem: " is missing" };
  if (!isDnsLabel(name)) return { path: ["name"], problem: `: ${show(name)} is not a name` };
  if (seen.has(name)) return { path: ["name"], problem: `: ${show(name)} is there twice` };
  seen.add(name);
  if (typeof image !== "string" || image === "") return { path: ["image"], problem: " is missing" };
  if (image.trim() !== image) return { path: ["image"], problem: `: ${show(image)} has blanks around it` };
  const nameless = (Array.isArray(env) ? env : []).findIndex(
    (entry: unknown) => typeof entry !== "object" || entry === null || !("name" in entry) || !entry.name,
  );
  return nameless < 0 ? undefined : { path: ["env", nameless, "name"], problem: " is missing" };
}

/** `restartPolicy`: of Jobs, Never or OnFailure; of what runs for ever, Always. */
export function checkRestart(check: Checker, spec: Json, path: Path, kind: string): void {
  const given = check.text(spec["restartPolicy"], path) || "Always";
  const isJob = kind === "Job" || kind === "CronJob";
  const known = isJob ? ["OnFailure", "Never"] : kind === "Pod" ? ["Always", "OnFailure", "Never"] : ["Always"];
  if (!known.includes(given))
    notTaken(check, path, ` must be ${known.join(" or ")}, and is ${show(spec["restartPolicy"] ?? null)}`);
}

/** Names once in a container; ports of the node once in a pod, and its own where it has the node's network. */
export function checkPortsOfPod(
  check: Checker,
  containers: readonly { readonly path: Path; readonly ports: readonly WorldContainerPort[] }[],
  hostNetwork: boolean,
): void {
  const taken = new Set<string>();
  for (const { path, ports } of containers) {
    for (const [index, { name, protocol, hostPort, containerPort }] of ports.entries()) {
      const at = [...path, "ports", index];
      if (name !== undefined && ports.findIndex((other) => other.name === name) < index)
        check.error([...at, "name"], "invalid-port", `: ${show(name)} is there twice`);
      if (hostPort === undefined) continue;
      const key = `${protocol}/${hostPort}`;
      if (taken.has(key)) check.error([...at, "hostPort"], "invalid-port", `: ${hostPort}/${protocol} is there twice`);
      taken.add(key);
      if (hostNetwork && hostPort !== containerPort)
        check.error([...at, "hostPort"], "invalid-port", ` must be ${containerPort}, as containerPort is, with hostNetwork`);
    }
  }
}
