import { Option, type Command } from "commander";
import type { TestFormat, TestOptions } from "../verbs/test.ts";
import type { DiffOptions } from "../verbs/diff.ts";
import type { ExplainOptions } from "../verbs/explain.ts";
import type { ReviewFormat, ReviewOptions } from "../verbs/review.ts";
import {
  addExamples,
  asAppliedOption,
  atOption,
  definitionsOption,
  enforcerOption,
  fullOption,
  outputOption,
  savedWorkloadsOption,
  settingsIfThereOption,
  verb,
} from "./common.ts";
import { addSegmentsVerb } from "./segments.ts";

// Written out, and held complete by their types, because help loads nothing of the core.
const TEST_FORMATS: Readonly<Record<TestFormat, true>> = { table: true, json: true, junit: true, sarif: true, github: true };

const REVIEW_FORMATS: Readonly<Record<ReviewFormat, true>> = { markdown: true, json: true };

/** Verbs about who may connect to whom, as definitions say it and as it is. */
export function addConnectivityVerbs(program: Command): void {
  program.commandsGroup("Connections:");
  addTest(program);
  addExplain(program);
  addDiff(program);
  addReview(program);
  addSegmentsVerb(program);
}

function inventoryOption(): Option {
  return savedWorkloadsOption("the workloads that `inventory save` wrote (default: made up from the definitions)");
}

function addTest(program: Command): void {
  const command = program
    .command("test")
    .argument("[dir]", "folder of definitions (default: repository.path of the settings, else policies)")
    .description(
      "check guardrails and the tests of policies; exit 1 when one fails, 2 when none fails and one is uncertain (with --inventory, --live or --detailed-exitcode)",
    )
    .addOption(atOption())
    .addOption(inventoryOption())
    .addOption(asAppliedOption())
    .option("--live", "ask the running service about the revision in force, on the workloads of now")
    .option("--detailed-exitcode", "exit with 2 when something is uncertain on made-up workloads, too")
    .addOption(fullOption())
    .addOption(new Option("-o, --output <format>", "how the result is printed").choices(Object.keys(TEST_FORMATS)).default("table"))
    .addOption(settingsIfThereOption())
    .action(verb(async (dir: string | undefined, options: TestOptions) => (await import("../verbs/test.ts")).test(dir, options)));
  addExamples(command, [
    ["a repository, without any cluster", "firebreak test policies"],
    ["on the workloads of a real one", "firebreak test policies --inventory seen.json"],
    ["in a pull request's check, its commit and not what lies here", "firebreak test policies --at merged -o github"],
    ["what is in force, on the workloads of now", "firebreak test --live"],
  ]);
}

function addExplain(program: Command): void {
  const command = program
    .command("explain")
    .argument("<from>", "CLUSTER/NAMESPACE/POD, FLEET/HOST, a segment, an external, internet or an address")
    .argument("<to>", "the same")
    .argument("<port>", "8443/tcp, http/tcp, icmp/8; a bare number is TCP")
    .description("say whether a connection is allowed, because of which lines, whether live agrees, and what would allow it")
    .addOption(definitionsOption())
    .addOption(inventoryOption())
    .addOption(asAppliedOption())
    .option("--at <revision>", "as it was: a commit of the clone, or for the service the number of a revision or a commit id")
    .addOption(fullOption())
    .option("--detailed-exitcode", "exit with 2 when it is not allowed")
    .addOption(outputOption())
    .addOption(settingsIfThereOption())
    .action(
      verb(async (from: string, to: string, port: string, options: ExplainOptions) =>
        (await import("../verbs/explain.ts")).explain(from, to, port, options),
      ),
    );
  addExamples(command, [
    ["ask the running service", "firebreak explain shop-eu/shop/order-input shop-eu/shop/cust-record 8443/tcp"],
    ["what revision 7 said", "firebreak explain web db 5432 --at 7"],
    ["ask a repository, by segments", "firebreak explain geo-location cust-record 8443/tcp --definitions policies"],
    [
      "take the edit that would allow it",
      "firebreak explain web db 5432 --definitions policies -o json | jq -r .edit.patch | git apply",
    ],
  ]);
}

function addDiff(program: Command): void {
  const command = program
    .command("diff")
    .argument(
      "[before]",
      "a revision: a name or commit in a clone, or for the service a number or commit id; with --manifests a folder",
    )
    .argument("[after]", "the same")
    .description("show which connections open and close between two revisions, or between definitions and what is live")
    .option("--live", "compare what is meant with what is enforced now, of the running service or of the inventory")
    .option("--manifests", "compare two folders of Kubernetes manifests")
    .addOption(definitionsOption())
    .addOption(inventoryOption())
    .addOption(asAppliedOption())
    .addOption(enforcerOption("with --manifests: whose reading of the policies"))
    .addOption(fullOption())
    .option("--detailed-exitcode", "exit with 2 when a connection opens or closes, or may")
    .addOption(outputOption())
    .addOption(settingsIfThereOption())
    .action(
      verb(async (before: string | undefined, after: string | undefined, options: DiffOptions) =>
        (await import("../verbs/diff.ts")).diff(before, after, options),
      ),
    );
  addExamples(command, [
    ["what a branch changes, in a clone", "firebreak diff main HEAD"],
    ["on the workloads of a real cluster", "firebreak diff main HEAD --inventory seen.json"],
    ["what is enforced and not meant, or the other way round", "firebreak diff --live"],
    ["two exports of a cluster", "firebreak diff --manifests before/ after/"],
  ]);
}

function addReview(program: Command): void {
  const command = program
    .command("review")
    .argument("<base>", "the branch it goes into: a name or commit in a clone")
    .argument("<head>", "the change: a name or commit")
    .description("say what merging a change would open and close, and what would refuse it; exit 1 when something would")
    .addOption(definitionsOption())
    .addOption(
      new Option("-o, --output <format>", "how the result is printed").choices(Object.keys(REVIEW_FORMATS)).default("markdown"),
    )
    .option("--detailed-exitcode", "exit with 2 when it is uncertain, or changes how changes are judged")
    .addOption(settingsIfThereOption())
    .action(
      verb(async (base: string, head: string, options: ReviewOptions) =>
        (await import("../verbs/review.ts")).review(base, head, options),
      ),
    );
  addExamples(command, [
    ["what a branch would do, before a pull request is opened", "firebreak review origin/main HEAD"],
    ["for a program", "firebreak review origin/main HEAD -o json | jq .verdict"],
  ]);
}
