/** SIG Network's kube-network-policies on a node: what makes NetworkPolicy objects decide about packets. */
import { buildPart } from "./build.mjs";
import type { TestCluster } from "./cluster.ts";
import type { Daemon } from "./daemon.ts";
import { commandIn } from "./netns.ts";
import type { TestNode } from "./nodes.ts";
import { waitFor } from "./wait.ts";

/** The queue that the enforcer reads; its own default. */
const QUEUE = 100;

export interface EnforcerOptions {
  readonly signal?: AbortSignal | undefined;
  readonly log?: (line: string) => void;
}

/** Why there is no enforcer, in words for people; undefined when it is built (now, if need be). */
export async function whyNoEnforcer({ signal, log }: EnforcerOptions = {}): Promise<string | undefined> {
  const built = await buildPart("enforcer", { ...(log === undefined ? {} : { log }), ...(signal === undefined ? {} : { signal }) });
  return "missing" in built ? built.missing : undefined;
}

/** Starts the enforcer in a node's namespace and waits until it takes decisions; throws with the reason when it is not there. */
export async function startEnforcer(cluster: TestCluster, node: TestNode, { signal, log }: EnforcerOptions = {}): Promise<Daemon> {
  const options = { ...(log === undefined ? {} : { log }), ...(signal === undefined ? {} : { signal }) };
  const built = await buildPart("enforcer", options);
  if ("missing" in built) throw new Error(`no enforcer: ${built.missing}`);
  const { namespace } = node;
  if (namespace === undefined) throw new Error(`node ${node.name} of ${cluster.name} has no packets to decide about`);
  const flags = [
    "--kubeconfig",
    cluster.readerKubeconfig,
    "--hostname-override",
    node.name,
    "--disable-nri",
    "--netfilter-bug-1766-fix=false",
  ];
  const daemon = cluster.run.start({
    label: `enforcer of ${cluster.name}/${node.name}`,
    argv: ["ip", "netns", "exec", namespace, built.binary, ...flags],
  });
  const isListening = async (): Promise<boolean> => {
    daemon.check();
    const queues = await commandIn(namespace, ["cat", "/proc/net/netfilter/nfnetlink_queue"], { signal });
    return queues.split("\n").some((line) => line.trim().split(/\s+/)[0] === String(QUEUE));
  };
  await waitFor(isListening, { what: `the ${daemon.label} reads queue ${QUEUE}`, timeoutMs: 60_000, everyMs: 50, signal });
  // The enforcer feeds itself with an nft `queue` expression where the kernel has one; this rule does where it has not. Without
  // --queue-bypass a dead enforcer closes: every new connection waits for a verdict that never comes.
  const rule = ["-I", "FORWARD", "-m", "conntrack", "--ctstate", "NEW", "-j", "NFQUEUE", "--queue-num", String(QUEUE)];
  await commandIn(namespace, ["iptables-nft", "-w", ...rule], { signal });
  return daemon;
}
