import { Option, type Command } from "commander";
import { addExamples, configOption, fullOption, outputOption, verb, type ConfigOptions, type OutputOptions } from "./common.ts";
import { addNotifyVerbs } from "./notify.ts";
import type { SignInOptions } from "../verbs/sign-in.ts";
import type { StatusOptions } from "../verbs/status.ts";
import type { DenialsOptions } from "../verbs/denials.ts";
import type { FindingsOptions } from "../verbs/findings.ts";
import type { ReconcileOptions } from "../verbs/reconcile.ts";
import type { ReleaseOptions } from "../verbs/release.ts";

/** Verbs that ask the running service. */
export function addRunningVerbs(program: Command): void {
  program.commandsGroup("The running service:");
  addStatus(program);
  addFindings(program);
  addDenials(program);
  addReconcile(program);
  addAccept(program);
  addApprove(program);
  addRelease(program);
  addNotifyVerbs(program);
  addSignIn(program);
}

function addStatus(program: Command): void {
  const command = program
    .command("status")
    .description("show the revision in force and the state of every target")
    .option("-w, --watch", "show it again every two seconds until Ctrl-C")
    .addOption(
      new Option("--wait <commit>", "wait until it is in force and applied; exit 1 when it is refused or time is up").conflicts(
        "watch",
      ),
    )
    .option("--timeout <duration>", "how long to wait", "10m")
    .option("--detailed-exitcode", "exit with 2 when a target has drifted or has open findings, or nobody can say")
    .addOption(outputOption())
    .addOption(configOption())
    .action(verb(async (options: StatusOptions) => (await import("../verbs/status.ts")).status(options)));
  addExamples(command, [
    ["once", "firebreak status"],
    ["in a script", "firebreak status -o json --detailed-exitcode"],
    ["after a merge", "firebreak status --wait $(git rev-parse origin/main) --timeout 5m"],
  ]);
}

function addFindings(program: Command): void {
  const command = program
    .command("findings")
    .argument("[finding]", "one by its fingerprint, open or not (default: all that are open)")
    .description("list where live and Git part, and what each opens and closes")
    .option("--all", "resolved ones too")
    .option("--target <name>", "only of cluster/NAME or host/FLEET/NAME")
    .addOption(fullOption())
    .option("--detailed-exitcode", "exit with 2 when one is open")
    .addOption(outputOption())
    .addOption(configOption())
    .action(
      verb(async (finding: string | undefined, options: FindingsOptions) =>
        (await import("../verbs/findings.ts")).findings(finding, options),
      ),
    );
  addExamples(command, [
    ["what is open", "firebreak findings"],
    ["the history of a target", "firebreak findings --all --target cluster/shop-eu"],
  ]);
}

function addDenials(program: Command): void {
  const command = program
    .command("denials")
    .description("list what hosts that observe would have denied in the last week")
    .argument("[target]", "only host/FLEET/NAME")
    .addOption(outputOption())
    .addOption(configOption())
    .action(
      verb(async (target: string | undefined, options: DenialsOptions) =>
        (await import("../verbs/denials.ts")).denials(target, options),
      ),
    );
  addExamples(command, [
    ["before enforcing", "firebreak denials"],
    ["of one host", "firebreak denials host/directory/ldap-blue-1"],
  ]);
}

function addReconcile(program: Command): void {
  const command = program
    .command("reconcile")
    .argument("[target]", "cluster/NAME or host/FLEET/NAME (default: every target)")
    .description("look at targets and repair them now; also takes up repairs that were stopped")
    .option("--replaced <uid>", "this name stands for another cluster from now on: the one whose kube-system has this UID")
    .addOption(outputOption())
    .addOption(configOption())
    .action(
      verb(async (target: string | undefined, options: ReconcileOptions) =>
        (await import("../verbs/reconcile.ts")).reconcile(target, options),
      ),
    );
  addExamples(command, [["one host", "firebreak reconcile host/directory/ldap-blue-1"]]);
}

function addAccept(program: Command): void {
  const command = program
    .command("accept")
    .argument("<revision>", "the commit id; a short one counts when it is the commit that is refused now")
    .description("accept a held revision past limits, emptying and a rewritten branch; it is logged with your token")
    .addOption(outputOption())
    .addOption(configOption())
    .action(
      verb(async (revision: string, options: OutputOptions & ConfigOptions) =>
        (await import("../verbs/accept.ts")).accept(revision, options),
      ),
    );
  addExamples(command, [["the commit that `firebreak status` shows as refused", "firebreak accept 4f0c…"]]);
}

function addApprove(program: Command): void {
  const command = program
    .command("approve")
    .argument("<plan>", "the id that a pull request's comment shows")
    .description("approve a pull request's head by its plan, and lift a hold; it is logged with your token")
    .addOption(outputOption())
    .addOption(configOption())
    .action(
      verb(async (plan: string, options: OutputOptions & ConfigOptions) =>
        (await import("../verbs/approve.ts")).approve(plan, options),
      ),
    );
  addExamples(command, [["the plan that the comment ends with", "firebreak approve 3f9a0c12be77"]]);
}

function addRelease(program: Command): void {
  const command = program
    .command("release")
    .argument("<target>", "cluster/NAME or host/FLEET/NAME, gone from Git")
    .description("stop enforcing a target that is gone from Git: prints what opens, asks, removes our objects, forgets it")
    .option("--keep", "leave our objects where they are")
    .option("--forget", "forget a target that cannot be reached")
    .option("-y, --yes", "do not ask; needed without a terminal")
    .addOption(fullOption())
    .addOption(outputOption())
    .addOption(configOption())
    .action(
      verb(async (target: string, options: ReleaseOptions) => (await import("../verbs/release.ts")).release(target, options)),
    );
  addExamples(command, [["a cluster that was taken out of Git", "firebreak release cluster/shop-old"]]);
}

function addSignIn(program: Command): void {
  const command = program
    .command("sign-in")
    .description("print a link into the web console; it counts once, within five minutes")
    .option("--view", "whoever comes by it may only read: for a screen on a wall")
    .addOption(outputOption())
    .addOption(configOption())
    .action(verb(async (options: SignInOptions) => (await import("../verbs/sign-in.ts")).signIn(options)));
  addExamples(command, [
    ["for yourself", "firebreak sign-in"],
    ["for a screen on a wall", "firebreak sign-in --view"],
  ]);
}
