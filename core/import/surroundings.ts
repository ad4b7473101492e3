import { parseAllDocuments } from "yaml";
import type { SourceFile } from "../model/source.ts";

/** What other files of a folder of definitions say that an import must fit to. */
export interface Surroundings {
  /** Names that are given already, of whatever kind. */
  readonly taken: ReadonlySet<string>;
  /** The Cluster of the import, where another file has it. */
  readonly cluster: { readonly path: string; readonly labels: Readonly<Record<string, unknown>> } | undefined;
}

/** Reads names only: whether the files are right is asked of the whole, when it is known what the import adds. */
export function surroundingsOf(files: readonly SourceFile[], cluster: string): Surroundings {
  const taken = new Set<string>();
  let found: Surroundings["cluster"];
  for (const { path, bytes } of files) {
    for (const document of parseAllDocuments(new TextDecoder().decode(bytes))) {
      // The cast: a document that somebody wrote; each field is looked at.
      const { kind, metadata } = (document.toJS({ maxAliasCount: 100 }) ?? {}) as {
        kind?: unknown;
        metadata?: Partial<Named> | null;
      };
      if (typeof metadata?.name !== "string") continue;
      if (kind === "Cluster" && metadata.name === cluster) found = { path, labels: metadata.labels ?? {} };
      else taken.add(metadata.name);
    }
  }
  return { taken, cluster: found };
}

interface Named {
  readonly name: string;
  readonly labels: Readonly<Record<string, unknown>>;
}
