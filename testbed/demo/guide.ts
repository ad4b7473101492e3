/** What one can do while the demonstration stays up. */
import { relative } from "node:path";
import { FLEET } from "../organisation.ts";
import type { Stage } from "./stage.ts";

/** The commands, ready to be pasted into another terminal in this folder. */
export function formatGuide({ world, settingsFile, logFile }: Stage): string {
  const config = relative(process.cwd(), settingsFile);
  const firebreak = (verb: string): string =>
    `npx firebreak-dev ${verb}`.replace("npx firebreak-dev", "node_modules/.bin/node cli/firebreak.ts") + ` -c ${config}`;
  const { git } = world;
  const url = git.url.replace("://", `://${git.username}:${git.token}@`);
  const host = [...world.hosts.values()][0];
  const cluster = [...world.clusters.values()][0];
  const lines = [
    "It stays up until Ctrl-C. Meanwhile, in another terminal in this folder (as root):",
    "",
    "look",
    `  ${firebreak("status --watch")}`,
    `  ${firebreak("findings --all")}`,
    `  ${firebreak("plan")}`,
    `  ${firebreak("audit log")}`,
    `  tail -f ${relative(process.cwd(), logFile)}`,
    "change the policies: push to main",
    `  git clone ${url} /tmp/policies`,
  ];
  if (host?.namespace !== undefined) {
    lines.push(
      "tamper",
      `  ip netns exec ${host.namespace} nft insert rule inet firebreak input accept    # host/${FLEET}/${host.name}`,
    );
  }
  if (cluster !== undefined)
    lines.push(
      `  kubectl --kubeconfig ${relative(process.cwd(), world.kubeconfig)} --context ${cluster.name} -n shop get networkpolicies`,
    );
  return lines.join("\n");
}
