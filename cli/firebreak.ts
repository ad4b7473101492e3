#!/usr/bin/env node
/** Entry point: `node cli/firebreak.ts VERB`; packed as `firebreak`. Verbs are loaded when they run, so that `--help` is quick. */
import "./node-version.ts"; // first, before anything that an old Node lacks
import { keepCompiledCode } from "./compile-cache.ts";

// `firebreak status | head`: whoever reads may stop reading.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

keepCompiledCode(process.argv[2], process.env);
const { buildProgram } = await import("./program.ts"); // after that, or it would not be kept itself
await buildProgram().parseAsync(process.argv);
