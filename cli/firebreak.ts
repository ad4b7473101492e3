#!/usr/bin/env node
/** Entry point: `node cli/firebreak.ts VERB`; packed as `firebreak`. Verbs are loaded when they run, so that `--help` is quick. */
import { buildProgram } from "./program.ts";

// `firebreak status | head`: whoever reads may stop reading.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

await buildProgram().parseAsync(process.argv);
