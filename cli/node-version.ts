/** The oldest Node that runs this program: it strips types, and the packed one uses what came with it (`engines` in package.json). */
const OLDEST = 24;

/** Ends with one sentence where Node is older: without it, whatever is missing first ends in a stack trace. */
if (Number.parseInt(process.versions.node, 10) < OLDEST) {
  console.error(`firebreak needs Node ${OLDEST} or newer, and this is ${process.version}: install a newer Node`);
  process.exit(1);
}

export {};
