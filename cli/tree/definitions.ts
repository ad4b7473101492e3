import { Option, type Command } from "commander";
import {
  addExamples,
  asAppliedOption,
  atOption,
  configOption,
  enforcerOption,
  fullOption,
  outputOption,
  verb,
  type ConfigOptions,
} from "./common.ts";
import type { InitOptions } from "../verbs/init.ts";
import type { ValidateOptions } from "../verbs/validate.ts";
import type { PlanOptions } from "../verbs/plan.ts";
import type { ImportVerbOptions } from "../verbs/import.ts";
import type { ImportAnsibleOptions } from "../verbs/import-ansible.ts";
import type { ImportHostsOptions } from "../verbs/import-hosts.ts";
import type { InventoryFromOptions } from "../verbs/inventory.ts";
import type { RenderVerbOptions } from "../verbs/render.ts";

/** Verbs about definitions; all but a live plan and `inventory save` need no running service. */
export function addDefinitionVerbs(program: Command): void {
  program.commandsGroup("Definitions:");
  addInit(program);
  addImport(program);
  addValidate(program);
  addPlan(program);
  addInventory(program);
  addRender(program);
}

function addInit(program: Command): void {
  const command = program
    .command("init")
    .argument("[dir]", "where to write", ".")
    .description("write a commented firebreak.yaml and a small set of definitions that validates; overwrites nothing")
    .option(
      "--operator <dir>",
      "folder for settings, keys and state, apart from the repository (default: in it, where .gitignore keeps them out)",
    )
    .action(verb(async (dir: string, options: InitOptions) => (await import("../verbs/init.ts")).init(dir, options)));
  addExamples(command, [
    ["begin in an empty folder", "firebreak init my-network && cd my-network && firebreak validate"],
    ["the repository here, the operator's files there", "firebreak init my-network --operator /etc/firebreak"],
  ]);
}

function addImport(program: Command): void {
  const group = program.command("import").description("write definitions that mean what is there, and enforce nothing");
  addImportCluster(group);
  addImportHosts(group);
  addImportAnsible(group);
}

function addImportCluster(parent: Command): void {
  const command = parent
    .command("cluster", { isDefault: true })
    .description(
      "write definitions that mean what the NetworkPolicies of a cluster mean, in mode: plan, and check that they do; `firebreak import` alone is this one",
    )
    .requiredOption("--cluster <name>", "the name that the cluster gets")
    .option(
      "--context <name>",
      "its context in the kubeconfig (default: the name of the cluster); without --manifests it is read through it",
    )
    .option(
      "--manifests <dir>",
      "folder of Kubernetes manifests, or one file, instead of the cluster: policies, namespaces, workloads",
    )
    .option("--kubeconfig <file>", "where the context is (default: KUBECONFIG, else ~/.kube/config)")
    .option("--to <dir>", "where to write: a folder of the cluster's name in it", "policies")
    .addOption(
      new Option("--isolate <mode>", "what segments say that policies isolate today")
        .choices(["observe", "enforce"])
        .default("observe"),
    )
    .addOption(enforcerOption("how the policies are read, and their translation: whose reading the cluster follows"))
    .option("--owner <team>", "who owns the policies whose NetworkPolicy names nobody")
    .option("--force", "replace files of an import that were edited since")
    .option("--dry-run", "tell what would be written, and write nothing")
    .option(
      "--pull-request",
      "write nothing here: open a pull request on the forge of the settings, or bring the open one up to date",
    )
    .addOption(configOption())
    .option("--detailed-exitcode", "exit 2 when the definitions do not say all of it")
    .addOption(outputOption())
    .action(verb(async (options: ImportVerbOptions) => (await import("../verbs/import.ts")).importVerb(options)));
  addExamples(command, [
    ["from what a cluster has now", "firebreak import --cluster prod-eu --context admin@prod-eu"],
    [
      "from what kubectl wrote",
      "kubectl get ns,networkpolicies,deploy,sts,ds,pods,svc -A -o yaml > seen.yaml && firebreak import --manifests seen.yaml --cluster prod-eu",
    ],
    ["look before it is written", "firebreak import --manifests seen.yaml --cluster prod-eu --dry-run"],
  ]);
}

function addImportHosts(parent: Command): void {
  const command = parent
    .command("hosts")
    .argument("<fleet>", "a fleet that is defined in --to")
    .argument("<file...>", "what hosts printed, each named after its host (db-1.json, db-1.iptables), or folders of them")
    .description(
      "write definitions that mean what the firewalls of hosts mean (nftables, iptables, ufw, firewalld), and check that they do",
    )
    .option("--to <dir>", "where to write: a folder of the fleet's name in it", "policies")
    .addOption(
      new Option("--isolate <mode>", "what segments say whose hosts drop something today")
        .choices(["observe", "enforce"])
        .default("observe"),
    )
    .option("--owner <team>", "who owns the policies")
    .option("--force", "replace files of an import that were edited since")
    .option("--dry-run", "tell what would be written, and write nothing")
    .option(
      "--pull-request",
      "write nothing here: open a pull request on the forge of the settings, or bring the open one up to date",
    )
    .addOption(configOption())
    .option("--detailed-exitcode", "exit 2 when the definitions do not say all of it")
    .addOption(outputOption())
    .action(
      verb(async (fleet: string, paths: readonly string[], options: ImportHostsOptions) =>
        (await import("../verbs/import-hosts.ts")).importHostsVerb(fleet, paths, options),
      ),
    );
  addExamples(command, [
    ["what one host has now", "ssh db-1 sudo nft -j list ruleset > seen/db-1.json && firebreak import hosts servers seen"],
    [
      "a host with iptables or ufw",
      "ssh db-2 'sudo iptables-save; sudo ip6tables-save' > seen/db-2.iptables && firebreak import hosts servers seen",
    ],
  ]);
}

function addImportAnsible(parent: Command): void {
  const command = parent
    .command("ansible")
    .argument("<fleet>", "the name that the fleet gets")
    .argument("<file>", "what `ansible-inventory --list` printed; - is standard input")
    .description("write a fleet of the hosts of an Ansible inventory, with their groups as labels, in mode: plan")
    .option("--to <dir>", "where to write: a folder of the fleet's name in it", "policies")
    .option("--dry-run", "tell what would be written, and write nothing")
    .option(
      "--pull-request",
      "write nothing here: open a pull request on the forge of the settings, or bring the open one up to date",
    )
    .addOption(configOption())
    .option("--detailed-exitcode", "exit 2 when a host is not in the definitions as it is in the inventory")
    .addOption(outputOption())
    .action(
      verb(async (fleet: string, file: string, options: ImportAnsibleOptions) =>
        (await import("../verbs/import-ansible.ts")).importAnsibleVerb(fleet, file, options),
      ),
    );
  addExamples(command, [["all of it", "ansible-inventory --list | firebreak import ansible servers -"]]);
}

function addValidate(program: Command): void {
  const command = program
    .command("validate")
    .argument("[dir]", "folder of definitions (default: repository.path of the settings, else policies)")
    .description("check definitions: every problem at once, with file, line and what to do")
    .addOption(atOption())
    .option("-c, --config <file>", "settings whose `allow` bounds what definitions may name (default: firebreak.yaml without DIR)")
    .option("--github", "print the notes as annotations of GitHub Actions")
    .addOption(outputOption())
    .action(
      verb(async (dir: string | undefined, options: ValidateOptions) =>
        (await import("../verbs/validate.ts")).validate(dir, options),
      ),
    );
  addExamples(command, [
    ["check a folder", "firebreak validate policies"],
    ["check it as the service would, with what its operator allows", "firebreak validate --config firebreak.yaml"],
    ["in a pull request's check, its commit and not what lies here", "firebreak validate policies --at merged --github"],
  ]);
}

function addPlan(program: Command): void {
  const command = program
    .command("plan")
    .argument("[target]", "cluster/NAME or host/FLEET/NAME (default: every target)")
    .description("show what would be written, and what that opens and closes")
    .option("--inventory <file>", "plan without the service, from what `inventory save` wrote")
    .option("--definitions <dir>", "definitions to plan; with --inventory")
    .addOption(atOption())
    .addOption(asAppliedOption())
    .addOption(fullOption())
    .option("--detailed-exitcode", "exit with 2 when there are changes")
    .addOption(outputOption())
    .addOption(configOption())
    .action(
      verb(async (target: string | undefined, options: PlanOptions) => (await import("../verbs/plan.ts")).plan(target, options)),
    );
  addExamples(command, [
    ["what the service would do now", "firebreak plan"],
    ["one target", "firebreak plan cluster/shop-eu"],
    ["what a branch would change, offline", "firebreak plan --inventory seen.json --definitions policies"],
  ]);
}

function addInventory(program: Command): void {
  const inventory = program.command("inventory").description("what is seen of every target, as a file");
  const save = inventory
    .command("save")
    .argument("<file>", "where to write; - is standard output")
    .description("write workloads and live policies of every target to a file, for offline plans")
    .addOption(configOption())
    .action(
      verb(async (file: string, options: ConfigOptions) => (await import("../verbs/inventory.ts")).saveInventory(file, options)),
    );
  addExamples(save, [["save it, then plan a branch offline", "firebreak inventory save seen.json"]]);
  const from = inventory
    .command("from")
    .argument("<file...>", "what kubectl wrote of one cluster, or folders of it")
    .description("make the same file of what kubectl wrote, without a service: for offline plans before anything runs")
    .requiredOption("--cluster <name>", "the name of the cluster in the definitions")
    .option("--to <file>", "where to write, beside what it has of other targets; - is standard output", "-")
    .action(
      verb(async (files: readonly string[], options: InventoryFromOptions) =>
        (await import("../verbs/inventory.ts")).inventoryFrom(files, options),
      ),
    );
  addExamples(from, [
    [
      "a first plan without any service",
      "kubectl get ns,nodes,pods,svc,networkpolicies -A -o yaml > live.yaml && firebreak inventory from live.yaml --cluster prod-eu --to seen.json && firebreak plan --inventory seen.json",
    ],
  ]);
}

function addRender(program: Command): void {
  const command = program
    .command("render")
    .description("print what would be written to a target: NetworkPolicies as YAML, or an nft transaction as JSON")
    .requiredOption("--target <name>", "cluster/NAME or host/FLEET/NAME")
    .option("--definitions <dir>", "folder of definitions (default: repository.path of the settings, else policies)")
    .addOption(atOption())
    .option("--inventory <file>", "what `inventory save` wrote: namespaces, resolvers and addresses come from it")
    .option("-c, --config <file>", "settings with the lifeline (default: firebreak.yaml, when it is there)")
    .addOption(outputOption())
    .action(verb(async (options: RenderVerbOptions) => (await import("../verbs/render.ts")).render(options)));
  addExamples(command, [
    ["the policies of a cluster", "firebreak render --target cluster/shop-eu --inventory seen.json"],
    ["the ruleset of a host", "firebreak render --target host/directory/ldap-blue-1 -o json"],
  ]);
}
