import type { Command } from "commander";
import { addExamples, configOption, outputOption, verb, type OutputOptions } from "./common.ts";
import type { VerifyOptions } from "../verbs/audit-verify.ts";
import type { LogOptions } from "../verbs/audit-log.ts";
import type { FolderOptions } from "../audit-folder.ts";

const FOLDER = "folder of a log or of an export (default: audit.folder of the settings)";

/** `audit …`: reads of the log's files; they work beside a running service and without one. */
export function addAuditVerbs(program: Command): void {
  program.commandsGroup("The audit log:");
  const audit = program.command("audit").description("verify, read and export the audit log");
  addVerify(audit);
  addLog(audit);
  addCheckpoint(audit);
  addExport(audit);
}

function addVerify(audit: Command): void {
  const command = audit
    .command("verify")
    .description("recompute the whole log and check it against a pinned key, and an older checkpoint")
    .option("--key <key>", "the verifier key you kept elsewhere: NAME+HASH+BASE64, or a file that holds it")
    .option("--checkpoint <file>", "a checkpoint kept from earlier: the log must contain everything it covered")
    .option("--folder <dir>", FOLDER)
    .addOption(outputOption())
    .addOption(configOption())
    .action(verb(async (options: VerifyOptions) => (await import("../verbs/audit-verify.ts")).auditVerify(options)));
  addExamples(command, [
    ["with the key and checkpoint you keep elsewhere", "firebreak audit verify --key firebreak.pub --checkpoint last-month.txt"],
    ["an export", "firebreak audit verify --folder evidence --key firebreak.pub"],
  ]);
}

function addLog(audit: Command): void {
  const command = audit
    .command("log")
    .description("list entries, oldest first")
    .option("--since <when>", "not before: a time (2026-11-21T08:00:00Z, 2026-11-21) or an age (90s, 30m, 12h, 7d, 2w)")
    .option("--until <when>", "before that time or age")
    .option("--type <types>", "only these, comma-separated: revision.accepted, apply.outcome, finding.opened …")
    .option("--target <name>", "only about cluster/NAME or host/FLEET/NAME")
    .option("--folder <dir>", FOLDER)
    .addOption(outputOption())
    .addOption(configOption())
    .action(verb(async (options: LogOptions) => (await import("../verbs/audit-log.ts")).auditLog(options)));
  addExamples(command, [
    ["what changed this week, by whom, and what it opened", "firebreak audit log --since 7d --type revision.accepted"],
    ["the last hour", "firebreak audit log --since 1h"],
    ["every apply on a target", "firebreak audit log --type apply.intent,apply.outcome --target cluster/shop-eu"],
  ]);
}

function addCheckpoint(audit: Command): void {
  const command = audit
    .command("checkpoint")
    .description("print the newest signed checkpoint: keep it elsewhere, to show later that nothing was rewritten")
    .option("--folder <dir>", FOLDER)
    .addOption(configOption())
    .action(verb(async (options: FolderOptions) => (await import("../verbs/audit-checkpoint.ts")).auditCheckpoint(options)));
  addExamples(command, [["keep one", "firebreak audit checkpoint > checkpoint-2026-11.txt"]]);
}

function addExport(audit: Command): void {
  const command = audit
    .command("export")
    .argument("<dir>", "a new or empty folder")
    .description("copy the log as a tlog-tiles folder with its verifier key, for independent tools")
    .option("--folder <dir>", FOLDER)
    .addOption(outputOption())
    .addOption(configOption())
    .action(
      verb(async (dir: string, options: FolderOptions & OutputOptions) =>
        (await import("../verbs/audit-export.ts")).auditExport(dir, options),
      ),
    );
  addExamples(command, [["hand it to an auditor", "firebreak audit export evidence"]]);
}
