import { describe, expect, it } from "vitest";
import { shrink } from "./shrink.ts";

/** Fails when all of these are there. */
function failsWith(...needed: readonly number[]): (part: readonly number[]) => Promise<boolean> {
  return (part) => Promise.resolve(needed.every((one) => part.includes(one)));
}

describe("shrink", () => {
  it.each([[[5]], [[0, 9]], [[2, 3, 7]], [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]])(
    "finds the shortest part that still fails: %j",
    async (needed) => {
      expect(await shrink([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], failsWith(...needed), 200)).toEqual(needed);
    },
  );

  it("asks no oftener than it may, and gives what it has by then", async () => {
    let asked = 0;
    const fails = async (part: readonly number[]): Promise<boolean> => {
      asked += 1;
      return await failsWith(1, 8)(part);
    };
    const found = await shrink([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], fails, 3);
    expect(asked).toBe(3);
    expect(found).toEqual(expect.arrayContaining([1, 8]));
  });

  it("leaves one that fails alone as it is", async () => {
    expect(await shrink([4], failsWith(4), 10)).toEqual([4]);
  });
});
