/** What a plain scalar means to `kubectl`: it reads YAML 1.1 as the Go library of Kubernetes does, which is not what YAML 1.2 says. */
export type Scalar = string | number | boolean | null;

const TRUE = /^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(?:n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/;
const NULL = /^(?:|~|null|Null|NULL)$/;
const NO_NUMBER = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

/** Whole numbers by their beginnings: `0443` is octal, and is 291. */
const BASES: readonly (readonly [RegExp, number])[] = [
  [/^0[xX]([0-9a-fA-F]+)$/, 16],
  [/^0[oO]([0-7]+)$/, 8],
  [/^0[bB]([01]+)$/, 2],
  [/^0([0-7]+)$/, 8],
  [/^(0|[1-9][0-9]*)$/, 10],
];

const LARGEST = 2n ** 64n;

/** Said of a scalar that JSON cannot hold: no object is made of it. */
export const NO_JSON: unique symbol = Symbol("no JSON");

/**
 * The value of a plain scalar (no quotes, no tag). `y`, `on` and `yes` are true, `0443` is 291, `0x1F` 31, `1_000` 1000, `080` 80;
 * dates and numbers to the base of 60 are texts.
 */
export function plainScalar(text: string): Scalar | typeof NO_JSON {
  if (TRUE.test(text)) return true;
  if (FALSE.test(text)) return false;
  if (NULL.test(text)) return null;
  if (NO_NUMBER.test(text)) return NO_JSON;
  if (!/^[-+.0-9]/.test(text)) return text;
  const plain = text.replaceAll("_", "");
  const whole = wholeNumber(plain);
  if (whole !== undefined) return whole;
  if (!FLOAT.test(plain)) return text;
  const number = Number(plain);
  return Number.isFinite(number) ? number : text; // too large for any
}

function wholeNumber(plain: string): number | undefined {
  const isNegative = plain.startsWith("-");
  const digits = /^[-+]/.test(plain) ? plain.slice(1) : plain;
  for (const [pattern, base] of BASES) {
    const found = pattern.exec(digits)?.[1];
    if (found === undefined) continue;
    const number = BigInt(base === 16 ? `0x${found}` : base === 8 ? `0o${found}` : base === 2 ? `0b${found}` : found);
    const isHeld = isNegative ? number <= LARGEST / 2n : number < (plain.startsWith("+") ? LARGEST / 2n : LARGEST);
    return isHeld ? Number(isNegative ? -number : number) : undefined;
  }
  return undefined;
}
