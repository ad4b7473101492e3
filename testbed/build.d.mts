/** Types of build.mjs, which is plain JavaScript because it runs before anything is installed. */

/** The Go modules beside this file. */
export type PartName = "controlplane" | "enforcer" | "forge" | "kubectl" | "decoder" | "actionlint";

/** A part that is built: its folder in the cache, and the binary in it. */
export interface BuiltPart {
  readonly folder: string;
  readonly binary: string;
}

/** A part that is not there; `missing` says why, in words for people. */
export interface MissingPart {
  readonly missing: string;
}

/** Command lines (program and first arguments); no controller manager when that could not be built. */
export interface ControlPlaneCommands {
  readonly etcd: readonly string[];
  readonly apiServer: readonly string[];
  readonly controllerManager: readonly string[] | undefined;
}

export function cacheFolder(): string;
export function buildPart(
  name: PartName,
  options?: { readonly log?: (line: string) => void; readonly signal?: AbortSignal },
): Promise<BuiltPart | MissingPart>;
export function controlPlaneCommands(built: BuiltPart | MissingPart): Promise<ControlPlaneCommands | MissingPart>;
