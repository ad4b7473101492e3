import type { Position } from "../model/note.ts";

/** A named object and what must be looked at across files. */
export interface Known {
  readonly kind: string;
  readonly id: string;
  readonly namespace: string;
  readonly at: () => Position;
  readonly text: string;
  readonly priority: { readonly tier: string; readonly value: number } | undefined;
}
