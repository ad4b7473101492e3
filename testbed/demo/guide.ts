/** What one can do while the demonstration stays up. */
import { fromHere, type Stage } from "./stage.ts";

/**
 * The commands, ready to be pasted into another terminal in the same folder.
 *
 * @param link into the console
 */
export function formatGuide({ world, repository, settingsFile, logFile }: Stage, link: string): string {
  const firebreak = (verb: string): string => `node_modules/.bin/node cli/firebreak.ts ${verb} -c ${fromHere(settingsFile)}`;
  const url = repository.url.replace("://", `://${repository.username}:${repository.token}@`);
  return [
    "It stays up until Ctrl-C. Meanwhile, in another terminal in this folder:",
    "",
    "Look in a browser (this link counts once, within five minutes; sign-in makes another)",
    `  ${link}`,
    `  ${firebreak("sign-in")}`,
    "Look",
    `  ${firebreak("status --watch")}`,
    `  ${firebreak("findings --all")}`,
    `  ${firebreak("plan")}`,
    `  ${firebreak("audit verify")}`,
    `  tail -f ${fromHere(logFile)}`,
    "Change who may talk to whom: commit to policies/ on branch main, and push",
    `  git clone ${url}`,
    ...tampering({ world }),
  ].join("\n");
}

function tampering({ world }: Pick<Stage, "world">): readonly string[] {
  const lines: string[] = [];
  const host = [...world.hosts.values()][0];
  if (host?.namespace !== undefined) {
    const enter = `sudo ip netns exec ${host.namespace}`;
    lines.push(`Tamper with host ${host.name}`, `  ${enter} nft insert rule inet firebreak input accept`);
  }
  const cluster = [...world.clusters.values()][0];
  if (cluster !== undefined) {
    const kubectl = `kubectl --kubeconfig ${fromHere(world.kubeconfig)} --context ${cluster.context}`;
    lines.push(`Tamper with cluster ${cluster.name}`, `  ${kubectl} -n shop delete networkpolicy --all`);
  }
  return lines;
}
