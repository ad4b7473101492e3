import type { ClusterWant } from "../compile/want.ts";

/**
 * The objects that a revision releases, `NAMESPACE/NAME`: wanted by the definitions in force, and no more by the new ones.
 *
 * Compile both with the *same*, current inventory. An object that stays held because a namespace lost its label is wanted by neither,
 * so the next revision, whatever it is about, does not release it by the way.
 */
export function releasedObjects(inForce: ClusterWant, next: ClusterWant): ReadonlySet<string> {
  const wanted = new Set(next.objects.map(({ namespace, name }) => `${namespace}/${name}`));
  return new Set(inForce.objects.map(({ namespace, name }) => `${namespace}/${name}`).filter((key) => !wanted.has(key)));
}

/** True when the object, or the one it is a further part of, may go although pods become open by it. */
export function mayRelease(leave: boolean | ReadonlySet<string>, key: string): boolean {
  return typeof leave === "boolean" ? leave : leave.has(key) || leave.has(key.replace(/-b[0-9]+$/, ""));
}
