/**
 * Prints the figures of docs/design/performance.md: `npm run bench`, or `npm run bench -- SECTION…` for some of them.
 *
 * Nothing here fails because something was slow; a section that cannot run says why and the others go on.
 */
import { cpus, loadavg, totalmem } from "node:os";
import { formatBytes } from "./report.ts";

const SECTIONS: Readonly<Record<string, () => Promise<void>>> = {
  service: async () => await (await import("./service.ts")).benchService(),
  resync: async () => await (await import("./resync.ts")).benchResync(),
  core: async () => await (await import("./core.ts")).benchCore(),
  engine: async () => await (await import("./engine.ts")).benchEngine(),
  diff: async () => await (await import("./diff.ts")).benchDiff(),
  review: async () => await (await import("./review.ts")).benchReview(),
  reach: async () => void (await import("./reach.ts")),
  audit: async () => void (await import("./audit.ts")),
  notify: async () => await (await import("./notify.ts")).benchNotify(),
};

/** Runs the sections named, or all, one after another. */
async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => SECTIONS[name] === undefined);
  if (unknown.length > 0) {
    console.error(`npm run bench -- [${Object.keys(SECTIONS).join("] [")}]; there is no ${unknown.join(", ")}`);
    return 1;
  }
  console.log(
    `${new Date().toISOString()} · Node ${process.version} · ${cpus().length} cores · ${formatBytes(totalmem())} of memory · load ${loadavg()[0]?.toFixed(1)} before`,
  );
  let code = 0;
  for (const name of names.length > 0 ? names : Object.keys(SECTIONS)) {
    try {
      await SECTIONS[name]?.();
    } catch (error) {
      console.error(`${name}:`, error);
      code = 1;
    }
  }
  return code;
}

process.exitCode = await main(process.argv.slice(2));
