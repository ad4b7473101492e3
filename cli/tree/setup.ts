import { Option, type Command } from "commander";
import type { ClustersSetupOptions } from "../verbs/clusters-setup.ts";
import type { DoctorOptions } from "../verbs/doctor.ts";
import type { GuardVerbOptions } from "../verbs/guard.ts";
import type { HostsPersistOptions } from "../verbs/hosts-persist.ts";
import type { HostsSetupOptions } from "../verbs/hosts-setup.ts";
import { addExamples, configOption, definitionsOption, outputOption, verb } from "./common.ts";

/** Verbs that make hosts and clusters ready. */
export function addSetupVerbs(program: Command): void {
  program.commandsGroup("Getting ready:");
  addDoctor(program);
  const hosts = program.command("hosts").description("make hosts ready, and what they hold beside their rules");
  addHostsSetup(hosts);
  addHostsPersist(hosts);
  addClustersSetup(program.command("clusters").description("make clusters ready"));
  addGuard(program);
}

function addDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .description(
      "look at all that the service depends on: programs, settings, secrets, Git, forge, database, and every right on every target; exit 1 when something does not work, 0 otherwise",
    )
    .option("--target <name>", "only this target, beside the machine and the settings")
    .addOption(definitionsOption())
    .addOption(outputOption())
    .addOption(configOption())
    .action(verb(async (options: DoctorOptions) => (await import("../verbs/doctor.ts")).doctor(options)));
  addExamples(command, [
    ["before the first `up`, and when something does not work", "firebreak doctor"],
    ["only what fails, for a program", "firebreak doctor -o json | jq '.checks[] | select(.state == \"fail\")'"],
  ]);
}

function addHostsSetup(hosts: Command): void {
  const command = hosts
    .command("setup")
    .argument("<host>", "host/FLEET/NAME")
    .description(
      "print what root runs on a host (user, keys, forced command, sudoers, what loads the ruleset at its start), or do it",
    )
    .option("--pin", "pin the host's key, after its fingerprint was confirmed")
    .option("-y, --yes", "pin the key, run it over ssh as the admin user, and read the host back")
    .option("--admin <user>", "who logs in with --yes: root, or a user whose sudo needs no password", "root")
    .option("--admin-key <file>", "that user's private key (default: the ssh agent)")
    .option("--fingerprint <fingerprint>", "SHA256:… of the host's key, compared on its console: pins without asking")
    .addOption(definitionsOption())
    .addOption(configOption())
    .action(
      verb(async (host: string, options: HostsSetupOptions) => (await import("../verbs/hosts-setup.ts")).hostsSetup(host, options)),
    );
  addExamples(command, [
    ["look at it first", "firebreak hosts setup host/metal/backup-1"],
    ["pin its key only", "firebreak hosts setup host/metal/backup-1 --pin"],
    ["do it, as an administrator with sudo", "firebreak hosts setup host/metal/backup-1 --yes --admin ops"],
  ]);
}

function addHostsPersist(hosts: Command): void {
  const command = hosts
    .command("persist")
    .argument("[hosts...]", "host/FLEET/NAME (default: every host)")
    .description("have hosts keep their confirmed ruleset for the next reboot now; hosts.persist: false takes it away")
    .option("--print-installer", "print what root runs once on a host whose apply user is not root")
    .option("--off", "print what root runs on these hosts so that nothing is loaded at their next start any more")
    .option("-y, --yes", "with --off: run it over ssh as the admin user")
    .option("--admin <user>", "who logs in with --yes: root, or a user whose sudo needs no password", "root")
    .option("--admin-key <file>", "that user's private key (default: the ssh agent)")
    .addOption(definitionsOption())
    .addOption(outputOption())
    .addOption(configOption())
    .action(
      verb(async (names: readonly string[], options: HostsPersistOptions) =>
        (await import("../verbs/hosts-persist.ts")).hostsPersist(names, options),
      ),
    );
  addExamples(command, [
    ["one host", "firebreak hosts persist host/directory/ldap-blue-1"],
    ["undo it on one host: look first, then --yes", "firebreak hosts persist --off host/directory/ldap-blue-1"],
    ["for an apply user with sudo", "firebreak hosts persist --print-installer | ssh admin@HOST sudo sh"],
  ]);
}

function addClustersSetup(clusters: Command): void {
  const command = clusters
    .command("setup")
    .argument("<cluster>", "cluster/NAME")
    .description(
      "print the namespace, accounts and roles that Firebreak needs in a cluster, or apply them and write its kubeconfig",
    )
    .addOption(new Option("--service <service>", "only for one of the services (default: both)").choices(["syncer", "drift"]))
    .option("--namespace <name>", "where the accounts are", "firebreak")
    .option("-y, --yes", "apply them through the admin context, and write the kubeconfig of firebreak.yaml")
    .option("--admin-context <name>", "with --yes: a context that may write roles")
    .option("--admin-kubeconfig <file>", "with --yes: where that context is (default: KUBECONFIG, else ~/.kube/config)")
    .option("--valid-for <duration>", "with --yes: how long the token holds, if the API server agrees", "8760h")
    .addOption(definitionsOption())
    .addOption(configOption())
    .action(
      verb(async (cluster: string, options: ClustersSetupOptions) =>
        (await import("../verbs/clusters-setup.ts")).clustersSetup(cluster, options),
      ),
    );
  addExamples(command, [
    ["look at it, or apply it by hand", "firebreak clusters setup cluster/shop-eu | kubectl apply -f -"],
    ["apply it, and write the kubeconfig", "firebreak clusters setup cluster/shop-eu --yes --admin-context shop-eu-admin"],
    [
      "a new token, before the old one runs out; the service need not be restarted",
      "firebreak clusters setup cluster/shop-eu --yes --admin-context shop-eu-admin",
    ],
  ]);
}

function addGuard(program: Command): void {
  const command = program
    .command("guard")
    .argument("<cluster>", "cluster/NAME")
    .description("print what makes a cluster refuse strangers' changes of governed policies and of labels that segments rest on")
    .requiredOption("--break-glass <group...>", "groups that may change everything in an emergency")
    .option("--writer <user...>", "who applies for Firebreak (default: asked of the cluster, as whom its kubeconfig comes)")
    .option("--label-writer <user...>", "users that may set the labels, but no policies: a GitOps tool, an operator")
    .option("--warn", "nothing is refused: who asks is warned, and the API server's audit log tells it")
    .option("--only-ours", "others may have policies of their own in governed namespaces; only Firebreak's are guarded")
    .addOption(new Option("-o, --output <format>", "how it is printed").choices(["yaml", "json"]).default("yaml"))
    .addOption(definitionsOption())
    .addOption(configOption())
    .action(
      verb(async (cluster: string, options: GuardVerbOptions) => (await import("../verbs/guard.ts")).guard(cluster, options)),
    );
  addExamples(command, [
    [
      "see who would be refused, for some days",
      "firebreak guard cluster/shop-eu --break-glass platform-admins --warn | kubectl apply -f -",
    ],
    ["refuse it", "firebreak guard cluster/shop-eu --break-glass platform-admins | kubectl apply -f -"],
    [
      "undo it",
      "kubectl delete validatingadmissionpolicybindings,validatingadmissionpolicies -l app.kubernetes.io/managed-by=firebreak",
    ],
  ]);
}
