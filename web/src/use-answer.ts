import { useEffect, useState } from "react";
import { ask } from "./client.ts";

/** An answer, and why there is no newer one. */
export interface Answered<T> {
  readonly answer: T | undefined;
  readonly error: string | undefined;
}

/** Asks once for each version; what was answered before stays until there is something newer. */
export function useAnswer<T>(path: string, version: string | undefined): Answered<T> {
  const [answered, setAnswered] = useState<Answered<T>>({ answer: undefined, error: undefined });
  useEffect(() => {
    if (version === undefined) return undefined;
    let isOver = false;
    ask<T>("GET", path).then(
      (answer) => isOver || setAnswered({ answer, error: undefined }),
      (error: unknown) => isOver || setAnswered((before) => ({ ...before, error: (error as Error).message })),
    );
    return () => {
      isOver = true;
    };
  }, [path, version]);
  return answered;
}
