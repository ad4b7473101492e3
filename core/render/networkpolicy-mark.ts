import type { Mark } from "./mark.ts";

/** The label that says which tool writes an object; the recommended Kubernetes label. */
export const MANAGED_BY_LABEL = "app.kubernetes.io/managed-by";

/** The value of {@link MANAGED_BY_LABEL} on everything of ours. */
export const MANAGED_BY = "firebreak";

/** The label with the segment that an object isolates. */
export const SEGMENT_LABEL = "firebreak.dev/segment";

/** Annotations with the mark and, for people, the rules an object carries. */
export const ANNOTATION = {
  instance: "firebreak.dev/instance",
  sequence: "firebreak.dev/sequence",
  digest: "firebreak.dev/digest",
  rules: "firebreak.dev/rules",
  seal: "firebreak.dev/seal",
} as const;

/** The annotations of a mark. */
export function markAnnotations(mark: Mark): Readonly<Record<string, string>> {
  return {
    [ANNOTATION.instance]: mark.instance,
    [ANNOTATION.sequence]: String(mark.sequence),
    [ANNOTATION.digest]: mark.digest,
  };
}

/** The mark of an object, or undefined when it has none that is whole: such an object is not ours, whatever its name. */
export function readMark(object: {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
}): Mark | undefined {
  const annotations = object.metadata.annotations ?? {};
  const instance = annotations[ANNOTATION.instance];
  const sequence = annotations[ANNOTATION.sequence];
  const digest = annotations[ANNOTATION.digest];
  if (instance === undefined || instance === "" || sequence === undefined || digest === undefined) return undefined;
  if (!/^(0|[1-9][0-9]{0,14})$/.test(sequence)) return undefined;
  const seal = annotations[ANNOTATION.seal];
  return { instance, sequence: Number(sequence), digest, ...(seal === undefined ? {} : { seal }) };
}
