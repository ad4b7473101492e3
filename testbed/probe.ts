/** A place packets come from and go to: a pod, a node, a host, an external, or the root namespace. */
import { startAgent, type Agent } from "./agent/client.ts";
import type { ProbeResult, Port, Protocol } from "./agent/protocol.ts";
import type { Run } from "./run.ts";

/** Something with an address and, unless it is only an API object, a namespace of its own. */
export interface Place {
  readonly label: string;
  readonly address: string;
  /** Network namespace; undefined for the root one. */
  readonly namespace: string | undefined;
  /** The process inside; started at the first call. */
  agent(): Promise<Agent>;
}

/** What a place is made of. */
export interface PlaceOptions {
  readonly label: string;
  readonly address: string;
  readonly namespace: string | undefined;
  /** False: an API object only, nothing can be sent from it. */
  readonly isReal: boolean;
  /** See `AgentOptions.prepare`. */
  readonly prepare?: string;
}

/** Makes a place whose agent starts when it is first needed. */
export function place(run: Run, { label, address, namespace, isReal, prepare }: PlaceOptions): Place {
  let agent: Promise<Agent> | undefined;
  return {
    label,
    address,
    namespace,
    agent() {
      if (!isReal) return Promise.reject(new Error(`${label} is an API object only: it has no packets`));
      agent ??= startAgent({
        run,
        label,
        ...(namespace === undefined ? {} : { namespace }),
        ...(prepare === undefined ? {} : { prepare }),
      });
      return agent;
    },
  };
}

/** Lets a place listen (and echo) on ports. */
export async function listenOn(at: Place, ports: readonly Port[]): Promise<void> {
  if (ports.length === 0) return;
  const agent = await at.agent();
  await agent.ask({ kind: "listen", ports });
}

/** What to probe; `timeoutMs` (default 500) is how long silence is waited for: an open path answers in a few milliseconds. */
export interface ProbeOptions {
  readonly port: number;
  readonly protocol?: Protocol;
  readonly timeoutMs?: number;
}

/**
 * One connection attempt with real packets: TCP handshake, or a UDP datagram that is echoed.
 *
 * @example expect(await probe(orderInput, custRecord, { port: 8443 })).toBe("open");
 */
export async function probe(from: Place, to: Pick<Place, "address"> | string, options: ProbeOptions): Promise<"open" | "closed"> {
  return (await probeWithReason(from, to, options)).verdict;
}

/** As {@link probe}, with the reason: a dropped packet shows as "timeout", a port nobody listens on as "refused". */
export async function probeWithReason(
  from: Place,
  to: Pick<Place, "address"> | string,
  options: ProbeOptions,
): Promise<ProbeResult> {
  const agent = await from.agent();
  const address = typeof to === "string" ? to : to.address;
  const { port, protocol = "tcp", timeoutMs = 500 } = options;
  return (await agent.ask({ kind: "probe", address, port, protocol, timeoutMs })) as ProbeResult; // what agent/probe.ts returns
}

/** Asks a DNS server (port 53) for the A record of a name: the address, "nxdomain", or undefined when no answer came. */
export async function resolveFrom(
  from: Place,
  server: Pick<Place, "address"> | string,
  { name, protocol = "udp", timeoutMs = 500 }: { readonly name: string; readonly protocol?: Protocol; readonly timeoutMs?: number },
): Promise<string | undefined> {
  const agent = await from.agent();
  const ask = { kind: "resolve", server: typeof server === "string" ? server : server.address, name, protocol, timeoutMs } as const;
  const outcome = (await agent.ask(ask)) as { address: string } | { failed: string }; // what agent/probe.ts returns
  return "address" in outcome ? outcome.address : undefined;
}
