import { Option, type Command } from "commander";
import type { ReachFormat } from "../../core/reach/render.ts";
import type { ReachOptions } from "../verbs/reach.ts";
import type { VerdictOptions } from "../verbs/verdict.ts";
import { addExamples, atOption, enforcerOption, verb } from "./common.ts";

// Written out, and held complete by its type, because help loads nothing of the core.
const FORMATS: Readonly<Record<ReachFormat, true>> = { table: true, json: true, csv: true, dot: true };

/** Verbs that also read manifests of a cluster that Firebreak need not know. */
export function addManifestVerbs(program: Command): void {
  program.commandsGroup("Manifests:");
  addReach(program);
  addVerdict(program);
}

function manifestsOption(): Option {
  return new Option("--manifests <dir>", "folder of Kubernetes manifests, or one file");
}

function addReach(program: Command): void {
  const command = program
    .command("reach")
    .argument("[dir]", "folder of definitions (default: repository.path of the settings, else policies)")
    .description("list who may connect to whom, by classes of workloads that nothing tells apart")
    .addOption(atOption())
    .addOption(manifestsOption())
    .option("--inventory <file>", "the workloads that `inventory save` wrote (default: made up from the definitions)")
    .option("--live", "what is enforced now: as the running service sees it, or as the inventory holds it")
    .option("--running", "ask the service about the revision in force, on the workloads of now")
    .option("-c, --config <file>", "the operator's settings (default: firebreak.yaml, when it is there)")
    .option("--expand", "list pairs of workloads instead of classes")
    .option("--full", "all names in what is noted on standard error; the listing is never cut")
    .addOption(
      new Option("-o, --output <format>", "how it is printed (default: table; json with --expand)").choices(Object.keys(FORMATS)),
    )
    .addOption(enforcerOption("whose reading of the policies, where enforcers differ"))
    .action(
      verb(async (dir: string | undefined, options: ReachOptions) => (await import("../verbs/reach.ts")).reach(dir, options)),
    );
  addExamples(command, [
    ["what definitions say, on the workloads of a real cluster", "firebreak reach policies --inventory seen.json"],
    ["what is enforced now", "firebreak reach --live"],
    ["the classes of a cluster and what is open between them", "firebreak reach --manifests cluster/"],
    ["every pair, for another program", "firebreak reach --manifests cluster/ --expand -o json"],
    ["a picture", "firebreak reach --manifests cluster/ -o dot | dot -Tsvg > reach.svg"],
  ]);
}

function addVerdict(program: Command): void {
  const command = program
    .command("verdict")
    .description("answer probes: may this pod connect there, and why")
    .addOption(manifestsOption().makeOptionMandatory())
    .requiredOption("--probes <file>", "one probe a line, as JSON: {src, dst, protocol, port}; - is standard input")
    .addOption(enforcerOption("whose reading of the policies, where enforcers differ"))
    .action(verb(async (options: VerdictOptions) => (await import("../verbs/verdict.ts")).verdict(options)));
  addExamples(command, [
    [
      "one question",
      `echo '{"src": "shop/web", "dst": "shop/db", "protocol": "TCP", "port": 5432}' | firebreak verdict --manifests cluster/ --probes -`,
    ],
  ]);
}
