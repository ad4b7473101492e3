/** Network namespaces and the routed links between them. Root only. */
import { command, tryCommand, type CommandOptions } from "./command.ts";

/**
 * Next hops: the router's end of every link carries one of these, so no subnet is shared and nothing is bridged. A node must not use
 * its own router's: an ARP request that comes from an address the receiver itself has is ignored (measured: a node that had sent
 * nothing yet could not be reached).
 */
export const GATEWAY = { router: "169.254.0.1", node: "169.254.1.1" } as const;

/** Gives device names (at most 15 characters) that are free in one namespace. */
export type Device = () => string;

/** Device names `<letter>1`, `<letter>2`, … */
export function devices(letter: string): Device {
  let count = 0;
  return () => {
    count += 1;
    return `${letter}${count}`;
  };
}

/** Runs `ip -batch` with these lines, in a namespace or in the root one. */
export async function ip(namespace: string | undefined, lines: readonly string[], signal?: AbortSignal): Promise<void> {
  const where = namespace === undefined ? [] : ["-n", namespace];
  await command(["ip", ...where, "-batch", "-"], { input: `${lines.join("\n")}\n`, signal });
}

/** Creates a namespace with its loopback up; a router forwards and takes packets that arrive by another way than its replies leave. */
export async function createNetns(
  name: string,
  { router = false, signal }: { router?: boolean; signal?: AbortSignal | undefined } = {},
) {
  await command(["ip", "netns", "add", name], { signal });
  await ip(name, ["link set lo up"], signal);
  if (!router) return;
  const settings = "echo 1 > ip_forward; for f in conf/all/rp_filter conf/default/rp_filter; do echo 0 > $f; done";
  await command(["ip", "netns", "exec", name, "sh", "-ec", `cd /proc/sys/net/ipv4; ${settings}`], { signal });
}

/** A leaf of the routed tree: `address` inside `namespace`, reached from `router` over its own link `device`. */
export interface Leaf {
  readonly namespace: string;
  readonly router: string;
  /** Name of the router's end, unique in the router's namespace, at most 15 characters. */
  readonly device: string;
  readonly address: string;
  /** Address of the router's end: one of {@link GATEWAY}. */
  readonly gateway: string;
  /** Further ranges that live behind this leaf (a node's pods). */
  readonly behind?: readonly string[];
}

/** Links a namespace to its router with a veth pair: /32 address, default route through the router. */
export async function linkLeaf(leaf: Leaf, signal?: AbortSignal): Promise<void> {
  await ip(
    leaf.router,
    [
      `link add ${leaf.device} type veth peer name eth0 netns ${leaf.namespace}`,
      `address add ${leaf.gateway}/32 dev ${leaf.device}`,
    ],
    signal,
  );
  await ip(
    leaf.namespace,
    [
      `address add ${leaf.address}/32 dev eth0`,
      "link set eth0 up",
      `route add ${leaf.gateway} dev eth0 scope link`,
      `route add default via ${leaf.gateway} dev eth0`,
    ],
    signal,
  );
  await raiseLeaf(leaf, signal);
}

/** Brings the router's end up with its routes: at first, and after {@link lowerLeaf}, which loses them. */
export async function raiseLeaf(leaf: Leaf, signal?: AbortSignal): Promise<void> {
  const routes = (leaf.behind ?? []).map((range) => `route add ${range} via ${leaf.address} dev ${leaf.device}`);
  await ip(leaf.router, [`link set ${leaf.device} up`, `route add ${leaf.address}/32 dev ${leaf.device}`, ...routes], signal);
}

/** Takes the router's end down: as if the cable were pulled. */
export async function lowerLeaf(leaf: Leaf, signal?: AbortSignal): Promise<void> {
  await ip(leaf.router, [`link set ${leaf.device} down`], signal);
}

/** Ends all processes of a namespace and removes it, with every link it has. */
export async function removeNetns(name: string): Promise<void> {
  const { stdout } = await tryCommand(["ip", "netns", "pids", name]);
  for (const pid of stdout.split("\n").filter(Boolean)) process.kill(Number(pid), "SIGKILL");
  await command(["ip", "netns", "delete", name]);
}

/** Runs a command inside a namespace. */
export async function commandIn(namespace: string, argv: readonly string[], options?: CommandOptions): Promise<string> {
  return await command(["ip", "netns", "exec", namespace, ...argv], options);
}
