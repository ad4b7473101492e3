import { FirebreakError, type ErrorCode } from "../../../core/ground/error.ts";
import type { Tasks } from "../../../adapters/workers/index.ts";

/** What the task before kept. */
let last: object | undefined;

/** Tasks that misbehave, one way each, and one that keeps. */
export const TASKS = {
  keeping: ({ kept, asked }: { readonly kept: Readonly<Record<string, object>>; readonly asked: number }) => {
    const isSame = last === kept["one"];
    last = kept["one"];
    return { kept, isSame, asked };
  },
  echo: (value: unknown) => value,
  spin: () => {
    for (;;);
  },
  grow: () => {
    const list: object[] = [];
    for (let index = 0; ; index += 1) list.push({ index });
  },
  growMap: () => {
    const map = new Map<number, number>();
    for (let index = 0; ; index += 1) map.set(index, index);
  },
  growBuffers: async () => {
    const list: Uint8Array[] = [];
    for (;;) {
      list.push(new Uint8Array(8 * 1024 * 1024).fill(1));
      await new Promise(setImmediate);
    }
  },
  fail: ({ code }: { readonly code: ErrorCode | undefined }) => {
    throw code === undefined ? new Error("asked for") : new FirebreakError(code, "asked for");
  },
  exit: (code: number) => process.exit(code),
  environment: () => Object.keys(process.env),
} satisfies Tasks;
