import type { Checker } from "./check.ts";
import { show } from "./check.ts";
import type { Path } from "./manifest-file.ts";
import { isDnsLabel } from "./labels.ts";

const PROTOCOLS: readonly string[] = ["TCP", "UDP", "SCTP"];

/** The protocol of a port; absent is TCP. Where the server fills in an empty text too, so is that. */
export function readProtocol(check: Checker, value: unknown, path: Path, isEmptyAbsent = true): string {
  const protocol = check.text(value, path) ?? "TCP";
  if (protocol === "" && isEmptyAbsent) return "TCP";
  if (PROTOCOLS.includes(protocol)) return protocol;
  check.error(path, "invalid-port", ` must be one of ${PROTOCOLS.join(", ")}, and is ${show(protocol)}`);
  return protocol;
}

/** What the API server asks of the names of a list of ports: to be there where there are several, or to differ. */
export interface NameRules {
  readonly areNeeded: boolean;
  readonly differ: boolean;
}

/** Names of the ports of a Service, or of what is behind one: labels. */
export function checkPortNames(
  check: Checker,
  names: readonly (string | undefined)[],
  path: Path,
  { areNeeded, differ }: NameRules,
): void {
  for (const [index, given] of names.entries()) {
    const name = given ?? "";
    const at = [...path, index, "name"];
    if (name === "" && areNeeded && names.length > 1) check.error(at, "missing-field", " is missing, and there are several ports");
    else if (name !== "" && !isDnsLabel(name)) check.error(at, "invalid-port", `: ${show(name)} is not a name`);
    else if (differ && names.findIndex((other) => (other ?? "") === name) < index)
      check.error(at, "invalid-port", `: ${show(name)} is there twice`);
  }
}
