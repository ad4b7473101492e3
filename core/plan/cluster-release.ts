import type { ClusterWant } from "../compile/want.ts";

/**
 * The objects that a revision releases, `NAMESPACE/NAME`: wanted by the definitions in force, and no more by the new ones.
 *
 * Compile both with the *same*, current inventory. An object that stays held because a namespace lost its label is wanted by neither,
 * so the next revision, whatever it is about, does not release it by the way. Neither is what a namespace that is spared has already.
 */
export function releasedObjects(inForce: ClusterWant, next: ClusterWant): ReadonlySet<string> {
  const wanted = new Set(next.objects.map(({ namespace, name }) => `${namespace}/${name}`));
  const gone = inForce.objects.filter(({ namespace, name }) => !wanted.has(`${namespace}/${name}`));
  const isSpared = ({ namespace, direction }: (typeof gone)[number]): boolean =>
    direction === "ingress" && next.spared?.includes(namespace) === true;
  return new Set(gone.filter((object) => !isSpared(object)).map(({ namespace, name }) => `${namespace}/${name}`));
}

/** True when the object, or the one it is a further part of, may go although pods become open by it. */
export function mayRelease(leave: boolean | ReadonlySet<string>, key: string): boolean {
  return typeof leave === "boolean" ? leave : leave.has(key) || leave.has(key.replace(/-b[0-9]+$/, ""));
}
