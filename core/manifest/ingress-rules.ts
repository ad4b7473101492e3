import { parseAddress } from "../address/index.ts";
import type { Checker, Json } from "./check.ts";
import { show } from "./check.ts";
import type { Path } from "./manifest-file.ts";
import { isDnsSubdomain } from "./labels.ts";
import { notTaken } from "./pod-rules.ts";

/** What the API server refuses of a `networking.k8s.io/v1` Ingress beside its backends: hosts and paths, on which no connection depends. */
export function checkIngress(check: Checker, spec: Json): void {
  const rules = check.list(spec["rules"], ["spec", "rules"]);
  const hasBackend = spec["defaultBackend"] !== undefined && spec["defaultBackend"] !== null;
  if (rules.length === 0 && !hasBackend) return notTaken(check, ["spec"], " has neither defaultBackend nor rules");
  for (const [index, item] of rules.entries()) {
    const at = ["spec", "rules", index];
    const rule = check.record(item, at) ?? {};
    const host = check.text(rule["host"], [...at, "host"]) ?? "";
    if (host !== "" && !isHost(host)) return notTaken(check, [...at, "host"], `: ${show(host)} is not the name of a host`);
    const http = check.record(rule["http"], [...at, "http"]);
    if (http === undefined) continue;
    const paths = check.list(http["paths"], [...at, "http", "paths"]);
    if (paths.length === 0) return notTaken(check, [...at, "http", "paths"], " is missing");
    for (const [position, entry] of paths.entries()) checkPath(check, entry, [...at, "http", "paths", position]);
  }
}

function isHost(host: string): boolean {
  const isAddress = "ok" in parseAddress(host);
  return !isAddress && isDnsSubdomain(host.startsWith("*.") ? host.slice(2) : host);
}

function checkPath(check: Checker, value: unknown, at: Path): void {
  const entry = check.record(value, at) ?? {};
  const type = check.text(entry["pathType"], [...at, "pathType"]) ?? "";
  const path = check.text(entry["path"], [...at, "path"]) ?? "";
  if (!["Exact", "Prefix", "ImplementationSpecific"].includes(type)) {
    notTaken(check, [...at, "pathType"], ` must be one of Exact, Prefix, ImplementationSpecific, and is ${show(type)}`);
  } else if (!path.startsWith("/") && !(type === "ImplementationSpecific" && path === "")) {
    notTaken(check, [...at, "path"], `: ${show(path)} does not begin with /`);
  } else if (type !== "ImplementationSpecific" && /\/\/|\/\.\.?(\/|$)|%2[fF]/.test(path)) {
    notTaken(check, [...at, "path"], `: ${show(path)} holds //, /./, /../ or %2f`);
  }
}
