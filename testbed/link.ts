/** The link between the root namespace, where Firebreak runs, and the router of a world. */
import { readFileSync } from "node:fs";
import { command, tryCommand } from "./command.ts";
import { createNetns, ip } from "./netns.ts";
import { addressPlan, routedRanges, WORLDS, type AddressPlan } from "./plan.ts";
import type { Run } from "./run.ts";

export interface WorldLink {
  readonly plan: AddressPlan;
  /** Name of the router's namespace. */
  readonly router: string;
}

/**
 * Creates the router of a world and links it to the root namespace.
 *
 * The index is claimed by the name of the root end (`fbw<index>`): the kernel gives a name once, so two runs never share ranges, and
 * it goes with the router's namespace. Without a wish the first free index from 1 is taken: 0 is the demonstration's.
 */
export async function linkWorld(run: Run, wish?: number, signal?: AbortSignal): Promise<WorldLink> {
  const router = `${run.id}-router`;
  await createNetns(router, { router: true, signal });
  const taken = await routesOfRoot(signal);
  const indices = wish === undefined ? Array.from({ length: WORLDS - 1 }, (_, i) => i + 1) : [wish];
  const refused: string[] = [];
  for (const index of indices) {
    const plan = addressPlan(index);
    const clash = [...routedRanges(plan), `${plan.rootAddress}/24`].find((range) => taken.some((other) => overlaps(range, other)));
    if (clash !== undefined) {
      refused.push(`${index}: this machine has a route into ${clash}`);
      continue;
    }
    const device = `fbw${index}`;
    const { code, stderr } = await tryCommand(
      ["ip", "link", "add", device, "type", "veth", "peer", "name", "root0", "netns", router],
      { signal },
    );
    if (code !== 0) {
      refused.push(`${index}: ${stderr.trim()}`);
      continue;
    }
    await ip(router, [`address add ${plan.worldAddress}/24 dev root0`, "link set root0 up"], signal);
    const routes = routedRanges(plan).map((range) => `route add ${range} via ${plan.worldAddress} dev ${device}`);
    await ip(undefined, [`address add ${plan.rootAddress}/24 dev ${device}`, `link set ${device} up`, ...routes], signal);
    return { plan, router };
  }
  throw new Error(`no room for a world on this machine (is another one running?)\n  ${refused.join("\n  ")}`);
}

async function routesOfRoot(signal?: AbortSignal): Promise<readonly string[]> {
  const routes = JSON.parse(await command(["ip", "-json", "-4", "route", "show"], { signal })) as readonly { dst: string }[];
  return routes.map((route) => route.dst).filter((dst) => dst !== "default");
}

/** True when two IPv4 ranges (or single addresses) have an address in common. */
export function overlaps(a: string, b: string): boolean {
  const [left, right] = [bounds(a), bounds(b)];
  return left.first <= right.last && right.first <= left.last;
}

function bounds(range: string): { readonly first: number; readonly last: number } {
  const [address = "", bits = "32"] = range.split("/");
  const size = 2 ** (32 - Number(bits));
  const value = address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const first = value - (value % size);
  return { first, last: first + size - 1 };
}

/** True when this process may create namespaces: root on Linux. */
export function mayMakeNamespaces(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  const line = readFileSync("/proc/self/status", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith("CapEff:"));
  const CAP_SYS_ADMIN = 21n;
  return ((BigInt(`0x${line?.split(/\s+/)[1] ?? "0"}`) >> CAP_SYS_ADMIN) & 1n) === 1n;
}
