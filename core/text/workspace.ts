import { formatPrefix } from "../address/index.ts";
import { ESSENTIAL_NAMES } from "../model/kinds.ts";
import type { Workspace } from "../model/kinds.ts";
import { defaultWorkspace } from "../model/parse/normalise.ts";
import { formatSelector } from "../selector/index.ts";

/** One setting of the Workspace as it holds, in text. */
export interface WorkspaceSetting {
  /** As in YAML under `spec`. */
  readonly field: string;
  readonly value: string;
  /** True when it is what holds without saying it. */
  readonly isDefault: boolean;
}

/** What holds for the whole repository, so that `validate` can show also what nobody wrote. */
export function workspaceSettings(workspace: Workspace): readonly WorkspaceSetting[] {
  const defaults = settings(defaultWorkspace());
  return settings(workspace).map(({ field, value }, index) => ({ field, value, isDefault: defaults[index]?.value === value }));
}

function settings(workspace: Workspace): readonly { readonly field: string; readonly value: string }[] {
  const { internal, essentials, limits, require, approvals, drift, routes } = workspace;
  const closed = ESSENTIAL_NAMES.filter((name) => !essentials[name]);
  const overrides = drift.overrides.map(({ targets, respond }) => `${formatSelector(targets)}: ${list(respond)}`);
  return [
    { field: "internal", value: list(internal.map(formatPrefix)) },
    { field: "essentials", value: closed.length === 0 ? "all" : `all but ${list(closed)}` },
    { field: "limits.unisolate", value: String(limits.unisolate) },
    { field: "require", value: list(require) },
    { field: "approvals.required", value: String(approvals.required) },
    { field: "approvals.distinctFromAuthor", value: String(approvals.distinctFromAuthor) },
    { field: "approvals.forRules", value: String(approvals.forRules) },
    { field: "drift.default", value: list(drift.default) },
    { field: "drift.overrides", value: overrides.length === 0 ? "none" : overrides.join("; ") },
    { field: "routes", value: routes.length === 0 ? "every channel is told everything" : `${routes.length}` },
  ];
}

function list(items: readonly string[]): string {
  return items.length === 0 ? "none" : items.join(", ");
}
