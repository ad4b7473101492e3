import { openHost } from "../../../adapters/nftables/index.ts";
import type { ApplyStage, SshTransport } from "../../../adapters/nftables/index.ts";
import type { HostStep } from "../../../core/plan/plan.ts";

/** What the parent passes as the only argument. */
export interface ApplyChildTask {
  readonly target: string;
  readonly transport: SshTransport;
  readonly step: HostStep;
  readonly deadManSeconds: number;
  readonly dieAt: ApplyStage;
}

/** Applies one step and dies, as if by SIGKILL, right after one stage of it. */
const task: ApplyChildTask = JSON.parse(process.argv[2] ?? "");
const signal = new AbortController().signal;
const connection = await openHost({
  target: task.target,
  transport: task.transport,
  access: "apply",
  signal,
  now: () => 0,
  onStep: (stage) => void (stage === task.dieAt && process.kill(process.pid, "SIGKILL")),
});
await connection.apply(task.step, { deadManSeconds: task.deadManSeconds, signal });
