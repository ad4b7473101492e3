/** Values in all of it: numbers, texts, lists, members. A test bed has some 2,000. */
const FEW_VALUES = 10_000;
/** Chains that jump to others multiply; a host with more jumps than these is not small, however few its rules are. */
const FEW_JUMPS = 12;
const LONG_TEXT = 1_000;

/**
 * True when whatever is computed from it is little work, so that it need not go to a worker, whose process takes 60 to 90 MB. Stops
 * counting at what is not small.
 */
export function isSmall(value: unknown): boolean {
  let [values, jumps] = [0, 0];
  const left: unknown[] = [value];
  while (left.length > 0) {
    const next = left.pop();
    values += 1;
    if (typeof next === "string") values += Math.floor(next.length / LONG_TEXT);
    if (typeof next === "object" && next !== null) {
      if ("jump" in next || "goto" in next) jumps += 1;
      const members = membersOf(next);
      for (const member of members) {
        if (values + left.length > FEW_VALUES) return false;
        left.push(member);
      }
    }
    if (values + left.length > FEW_VALUES || jumps > FEW_JUMPS) return false;
  }
  return true;
}

function membersOf(value: object): Iterable<unknown> {
  if (ArrayBuffer.isView(value)) return [];
  if (value instanceof Map) return [...value.keys(), ...value.values()];
  if (Array.isArray(value) || value instanceof Set) return value as Iterable<unknown>;
  return Object.values(value);
}
