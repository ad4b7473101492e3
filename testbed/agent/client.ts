/** Starts an agent inside a namespace and talks to it. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Run } from "../run.ts";
import type { Ask, Reply } from "./protocol.ts";

/** An agent that runs. */
export interface Agent {
  readonly pid: number;
  /** Sends one ask and returns its value; throws when the agent ended or says why it cannot. */
  ask(ask: Ask): Promise<unknown>;
  stop(): Promise<void>;
}

export interface AgentOptions {
  readonly run: Run;
  readonly label: string;
  /** Network namespace; absent: the root one. */
  readonly namespace?: string;
  /**
   * A shell script run first, in the agent's own mount namespace (`ip netns exec` makes one): mounts made here are seen by the agent
   * and by whatever enters its mount namespace, by nobody else.
   */
  readonly prepare?: string;
  readonly signal?: AbortSignal | undefined;
}

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

/** Starts an agent and waits until it is ready. */
export async function startAgent({ run, label, namespace, prepare, signal }: AgentOptions): Promise<Agent> {
  const guard = process.platform === "linux" ? ["setpriv", "--pdeathsig", "KILL"] : [];
  const inside = namespace === undefined ? [] : ["ip", "netns", "exec", namespace];
  const first = prepare === undefined ? [] : ["sh", "-ec", `${prepare}\nexec "$@"`, "sh"];
  const [program, ...args] = [...guard, ...inside, ...first, process.execPath, MAIN];
  const env = { ...process.env, NODE_OPTIONS: "" }; // a test runner's loaders and debuggers are not for agents
  const child = spawn(program, args, { env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-1000)));
  let ended: Error | undefined;
  let next = 1;
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  const end = (how: string): void => {
    ended ??= new Error(`the agent of ${label} ${how}: ${said.trim() || "no message"}`);
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  const gone = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      end(`could not be started: ${error.message}`);
      resolve();
    });
    child.once("close", (code, sig) => {
      end(`ended with ${sig ?? String(code)}`);
      resolve();
    });
  });
  child.stdin.on("error", () => undefined); // an agent that ended: `close` tells everybody who waits
  createInterface({ input: child.stdout }).on("line", (line) => {
    const reply = JSON.parse(line) as Reply; // written by main.ts of the same version
    const waiter = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ("value" in reply) waiter?.resolve(reply.value);
    else waiter?.reject(new Error(`${label}: ${reply.error}`));
    if (waiting.size === 0) rest();
  });
  // Only an open request keeps the owner's process alive: an idle agent must not hold it.
  const handles = [child, child.stdin, child.stdout, child.stderr] as unknown as readonly { ref(): void; unref(): void }[];
  const rest = (): void => handles.forEach((handle) => handle.unref());
  const reply = (id: number): Promise<unknown> => {
    if (ended !== undefined) return Promise.reject(ended);
    handles.forEach((handle) => handle.ref());
    return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  };
  const stop = async (): Promise<void> => {
    child.ref();
    child.kill("SIGKILL");
    await gone;
  };
  run.defer(stop);
  const abort = (): void => void child.kill("SIGKILL");
  signal?.addEventListener("abort", abort, { once: true });
  await reply(0);
  signal?.removeEventListener("abort", abort);
  return {
    pid: child.pid ?? 0,
    async ask(ask) {
      const id = next++;
      const value = reply(id);
      if (ended === undefined) child.stdin.write(`${JSON.stringify({ id, ask })}\n`);
      return await value;
    },
    stop,
  };
}
