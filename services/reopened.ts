import { readSecret } from "./secrets.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Something that was opened with secrets of the settings, opened anew before a call when one of them changed: a token that was rotated
 * counts at the next call, without a restart. Its functions are asynchronous; what is no function is as it was at first.
 *
 * @param settings where the references stand, `env:NAME` or `file:PATH`
 * @throws FirebreakError CONFIG_INVALID, also of each call, while a secret cannot be read: one that was taken away is not used on
 */
export async function reopenedOnChange<T extends object>(
  settings: unknown,
  environment: Environment,
  open: () => Promise<T>,
): Promise<T> {
  const references = referencesIn(settings);
  const read = async (): Promise<string> =>
    JSON.stringify(await Promise.all(references.map(async (reference) => await readSecret(reference, environment))));
  let known = await read();
  let opened = await open();
  if (!references.some((reference) => reference.startsWith("file:"))) return opened; // the environment of a process does not change
  const current = async (): Promise<T> => {
    const now = await read();
    if (now === known) return opened;
    opened = await open();
    known = now;
    return opened;
  };
  return new Proxy(opened, {
    get(first, name) {
      const value: unknown = Reflect.get(first, name);
      if (typeof value !== "function") return value;
      return async (...args: readonly unknown[]): Promise<unknown> => {
        const now = await current();
        // The cast: what was a function of the first is one of the next.
        const call = Reflect.get(now, name) as (...given: readonly unknown[]) => unknown;
        return await call.apply(now, [...args]);
      };
    },
  });
}

/** Every reference to a secret, wherever it stands. */
function referencesIn(value: unknown): readonly string[] {
  if (typeof value === "string") return /^(env|file):./.test(value) ? [value] : [];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(referencesIn) : [];
}
