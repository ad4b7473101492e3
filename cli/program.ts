import { Command } from "commander";
import packageJson from "../package.json" with { type: "json" };
import { addAuditVerbs } from "./tree/audit.ts";
import { addConnectivityVerbs } from "./tree/connectivity.ts";
import { addDefinitionVerbs } from "./tree/definitions.ts";
import { addFlowVerbs } from "./tree/flows.ts";
import { addManifestVerbs } from "./tree/manifests.ts";
import { addRunningVerbs } from "./tree/running.ts";
import { addServiceVerbs } from "./tree/services.ts";
import { addSetupVerbs } from "./tree/setup.ts";
import { addShellVerbs } from "./tree/shell.ts";
import { addWorkflowVerbs } from "./tree/workflows.ts";

/** The whole command tree; building it loads nothing that a verb needs. Help, completion and the reference are made from it. */
export function buildProgram(): Command {
  const program = new Command("firebreak")
    .description("GitOps network segmentation: one Git repository says who may talk to whom, in every cluster and on every host.")
    .version(packageJson.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [VERB]", "print help for a verb")
    .showHelpAfterError("(firebreak --help lists what there is)")
    .addHelpText(
      "after",
      "\nResults go to standard output, everything else to standard error.\nExit: 0 done, 1 failed, with --detailed-exitcode 2 for changes or drift.",
    );
  addDefinitionVerbs(program);
  addConnectivityVerbs(program);
  addFlowVerbs(program);
  addManifestVerbs(program);
  addSetupVerbs(program);
  addRunningVerbs(program);
  addServiceVerbs(program);
  addAuditVerbs(program);
  addWorkflowVerbs(program);
  addShellVerbs(program);
  return program;
}
