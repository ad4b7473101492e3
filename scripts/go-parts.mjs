/** Builds the parts of the test bed that are Go programs; testbed/build.mjs knows how, this says what goes without. */
import { buildPart } from "../testbed/build.mjs";

const WITHOUT = {
  controlplane: "tests on real Kubernetes control planes",
  enforcer: "packets between pods",
  forge: "tests on a real forge",
  decoder: "manifests held against Kubernetes' own decoders",
  actionlint: "linter for the workflows that users copy",
};

/**
 * Builds one part after the other: each build uses all cores by itself.
 *
 * @param {readonly string[]} names of testbed/build.mjs
 * @returns {Promise<{missing: string[], without: string[]}>} as for system parts
 */
export async function buildGoParts(names) {
  const missing = [];
  const without = [];
  for (const name of names) {
    const part = await buildPart(name, { log: (line) => console.error(`setup: ${line}`) });
    if (!("missing" in part)) continue;
    missing.push(name);
    without.push(`${name} is missing (${part.missing}); without it: no ${WITHOUT[name]}`);
  }
  return { missing, without };
}
