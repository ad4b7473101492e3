import type { SourceFile } from "../../../core/model/source.ts";

/** Files in memory: name to text, or to objects that become a List. */
export function files(texts: Readonly<Record<string, string | readonly unknown[]>>): readonly SourceFile[] {
  return Object.entries(texts).map(([path, content]) => {
    const text = typeof content === "string" ? content : JSON.stringify({ apiVersion: "v1", kind: "List", items: content });
    return { path, bytes: new TextEncoder().encode(text) };
  });
}
