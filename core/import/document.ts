/** A definition as it is written. */
export interface Document {
  readonly kind: "Cluster" | "HostFleet" | "External" | "Segment" | "Policy" | "Workspace";
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec: Readonly<Record<string, unknown>>;
}
