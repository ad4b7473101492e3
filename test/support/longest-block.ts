/** The longest that this thread was kept by one turn of its event loop, in ms of its processor time: a busy machine changes nothing. */
export async function longestBlock(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let isOver = false;
  let last = process.threadCpuUsage();
  const look = (): void => {
    const { user, system } = process.threadCpuUsage(last);
    longest = Math.max(longest, (user + system) / 1_000);
    last = process.threadCpuUsage();
    if (!isOver) setTimeout(look, 1);
  };
  await new Promise((resolve) => setTimeout(resolve, 1)); // what is under way is not counted
  last = process.threadCpuUsage();
  setTimeout(look, 1);
  try {
    await work();
  } finally {
    isOver = true;
    look();
  }
  return longest;
}

/**
 * What tests hold blocks to. The aim is 50 ms; the rest is for what these figures have besides: code that is compiled meanwhile, and the
 * memory of the inputs that a test makes itself.
 */
export const MOST_MS = 100;
