import { formatPrefix, parsePrefix, type Prefix } from "../address/index.ts";
import { FirebreakError } from "../ground/error.ts";
import type { Lifeline, PortRange } from "../model/kinds.ts";
import { mergePortRanges, parsePortRange } from "../model/schema/ports.ts";
import type { SettingsFile } from "./settings-schema.ts";

/** The operator's lifeline: open on every host whatever the policies say. @throws FirebreakError CONFIG_INVALID */
export function lifelineFloor(settings: SettingsFile): Lifeline {
  return {
    from: settings.lifeline.from.map((text) => prefixOf(text, "lifeline.from")),
    ports: mergePortRanges(settings.lifeline.ports.map((text) => rangeOf(text, "lifeline.ports"))),
  };
}

/** What definitions may name, for the parser. @throws FirebreakError CONFIG_INVALID */
export function allowOf(settings: SettingsFile): {
  readonly contexts: readonly string[];
  readonly hosts: readonly Prefix[];
  readonly users: readonly string[];
  readonly local: boolean;
} {
  const { contexts, hosts, users, local } = settings.allow;
  return { contexts, hosts: hosts.map((text) => prefixOf(text, "allow.hosts")), users, local };
}

function prefixOf(text: string, setting: string): Prefix {
  const parsed = parsePrefix(text);
  if ("ok" in parsed) return parsed.ok;
  const meant = parsed.corrected === undefined ? "" : `; write ${formatPrefix(parsed.corrected)}`;
  throw new FirebreakError("CONFIG_INVALID", `firebreak.yaml: ${setting}: ${parsed.error}${meant}`);
}

function rangeOf(text: string, setting: string): PortRange {
  const parsed = parsePortRange(text);
  if ("ok" in parsed) return parsed.ok;
  throw new FirebreakError("CONFIG_INVALID", `firebreak.yaml: ${setting}: ${parsed.summary}`);
}
