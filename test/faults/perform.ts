/** Does the events of a schedule to the world and to Firebreak. */
import type { LimitFunction } from "p-limit";
import { command, tryCommand } from "../../testbed/command.ts";
import { policiesOf, policyPath } from "../support/e2e-organisation.ts";
import { BAD_FILES, FIRST_CHOICE, filesOf, flip, HOSTS, type Choice } from "./definitions.ts";
import type { Commit, Happened } from "./journal.ts";
import type { Away, ClusterTampering, FaultEvent, HostTampering } from "./schedule.ts";
import { addPod, type Stage } from "./stage.ts";
import type { Subject } from "./subject.ts";
import type { LogWatch } from "./watchers.ts";
import { deletePod } from "../../testbed/pods.ts";

export interface Doing {
  readonly stage: Stage;
  readonly subject: Subject;
  readonly logWatch: LogWatch;
  readonly commits: Commit[];
  readonly happened: Happened[];
  /** What gives back what is away; each runs once. */
  readonly lifts: Set<() => Promise<void>>;
  /** Commits are made one after another, each on the one before: two at once would rewrite the branch. */
  readonly oneCommit: LimitFunction;
}

const FOREIGN_POLICY = "app/somebody-elses";

/** Does one event; what it takes away for a while is given back by itself, or by {@link liftAll}. */
export async function perform(doing: Doing, event: FaultEvent): Promise<void> {
  const { logWatch, happened } = doing;
  const began = Date.now();
  const entry: Happened = { event, began, done: began, logSize: logWatch.size() };
  happened.push(entry);
  try {
    await act(doing, event, entry);
  } catch (error) {
    entry.failed = String(error).slice(0, 300);
  }
  entry.done = Date.now();
}

/** Gives everything back now. */
export async function liftAll({ lifts }: Doing): Promise<void> {
  for (const lift of lifts) await lift();
}

async function act(doing: Doing, event: FaultEvent, entry: Happened): Promise<void> {
  const { stage, subject } = doing;
  switch (event.kind) {
    case "push":
      return await push(doing, () => flip(lastChoice(doing), event.flips), "some ways more, some less");
    case "push bad":
      return await push(doing, () => undefined, "a mistake");
    case "revert":
      return await push(doing, () => goodChoices(doing).at(-2) ?? FIRST_CHOICE, "as it was");
    case "tamper host":
      return void (await stage.world.host(event.host).exec(scriptOf(event.how, stage)));
    case "tamper cluster":
      return await tamperWithCluster(stage, event.how);
    case "churn":
      return await churn(doing, event.pods);
    case "kill":
      await subject.kill(event.part);
      return forAWhile(doing, entry, event.forMs, async () => subject.start(event.part));
    case "pause": {
      const pid = subject.pidOf(event.part);
      subject.signal(event.part, "SIGSTOP");
      return forAWhile(doing, entry, event.forMs, async () => {
        if (subject.pidOf(event.part) === pid) subject.signal(event.part, "SIGCONT");
      });
    }
    case "away":
      await takeAway(doing, event.what);
      return forAWhile(doing, entry, event.forMs, async () => await giveBack(doing, event.what));
    case "cut":
      return await cut(stage, event.what);
    case "flush redis":
      return await redis(stage, ["flushall"]);
    case "reboot":
      return await reboot(stage, event.host);
    case "disk":
      await (event.how === "full" ? subject.disk.fill() : subject.disk.readonly(true));
      return forAWhile(doing, entry, event.forMs, async () => {
        await (event.how === "full" ? subject.disk.free() : subject.disk.readonly(false));
      });
    case "clock":
      return subject.setClock(event.stepMs);
    case "restore":
      await subject.backup();
      return forAWhile(doing, entry, event.restoreAfterMs, async () => await restore(doing));
    default:
      return event satisfies never;
  }
}

/** Nested faults of one kind lift by themselves, the last one for good: what is given back twice is there. */
function forAWhile({ lifts }: Doing, entry: Happened, ms: number, giveBackNow: () => Promise<void>): void {
  const lift = async (): Promise<void> => {
    if (!lifts.delete(lift)) return;
    clearTimeout(timer);
    entry.lifting = Date.now();
    try {
      await giveBackNow();
    } catch (error) {
      entry.failed ??= `not given back: ${String(error).slice(0, 300)}`;
    }
    entry.over = Date.now();
  };
  const timer = setTimeout(() => void lift(), ms);
  lifts.add(lift);
}

/** @param choose what the next commit says, once it is its turn; undefined: a mistake */
async function push({ stage, commits, oneCommit }: Doing, choose: () => Choice | undefined, message: string): Promise<void> {
  const { world, hasCluster } = stage;
  await oneCommit(async () => {
    const choice = choose();
    const where = { plan: world.plan, hasCluster, addressOf: (name: string) => stage.place(name).address };
    const files = choice === undefined ? BAD_FILES : filesOf(choice, where);
    const at = Date.now();
    commits.push({ sha: await world.git.pushFiles(files, message), at, choice });
  });
}

function goodChoices({ commits }: Doing): readonly Choice[] {
  return commits.flatMap(({ choice }) => (choice === undefined ? [] : [choice]));
}

function lastChoice(doing: Doing): Choice {
  return goodChoices(doing).at(-1) ?? FIRST_CHOICE;
}

/** All rules go, ssh stays: a host that shuts out its healer is healed by nobody. */
const FLUSH = `nft -f - <<end
flush chain inet firebreak input
add rule inet firebreak input ct state established,related accept
add rule inet firebreak input tcp dport 22 accept
end`;

function scriptOf(how: HostTampering, { place }: Stage): string {
  const stranger = place("beta").address.replace(/\d+$/, "99");
  const set = `$(nft list table inet firebreak | sed -n '/set .*4[n]*\\//{s/.*set \\([^ ]*\\) .*/\\1/;h};/${place("alpha").address}/{x;p;q}')`;
  switch (how) {
    case "insert accept":
      return "nft insert rule inet firebreak input tcp dport 8001-8003 accept";
    case "append accept":
      return "nft add rule inet firebreak input tcp dport 8001-8003 accept";
    case "flush rules":
      return FLUSH;
    case "delete table":
      return "nft delete table inet firebreak";
    case "dormant":
      return "nft list table inet firebreak >/dev/null && nft add table inet firebreak '{ flags dormant; }'";
    case "policy accept":
      return "nft chain inet firebreak input '{ policy accept; }'";
    case "add element":
      return `set="${set}"; [ -n "$set" ] && nft add element inet firebreak "$set" '{ ${stranger} }'`;
    case "foreign table":
      return `nft add table inet theirs; nft add chain inet theirs in '{ type filter hook input priority 10; }'; nft add rule inet theirs in ip saddr ${stranger} drop`;
    case "foreign redirect":
      return "nft add table ip theirnat; nft add chain ip theirnat pre '{ type nat hook prerouting priority -100; }'; nft add rule ip theirnat pre tcp dport 8099 redirect to :8001";
    default:
      return how satisfies never;
  }
}

async function tamperWithCluster({ cluster }: Stage, how: ClusterTampering): Promise<void> {
  if (cluster === undefined) return;
  const ours = [...(await policiesOf(cluster))].find(([key]) => key.startsWith("app/fb-db-"));
  if (ours === undefined && how !== "foreign") throw new Error("nothing isolates db yet");
  const path = policyPath(ours?.[0] ?? "");
  if (how === "open") await cluster.api.call("PATCH", path, { spec: { ingress: [{}] } });
  if (how === "delete") await cluster.api.call("DELETE", path);
  if (how === "relabel") await cluster.api.call("PATCH", path, { spec: { podSelector: { matchLabels: { app: "nobody" } } } });
  if (how === "foreign") {
    const spec = { podSelector: { matchLabels: { app: "db" } }, policyTypes: ["Ingress"], ingress: [{}] };
    const name = FOREIGN_POLICY.split("/")[1] ?? "";
    await cluster.api.put("/apis/networking.k8s.io/v1/namespaces/app/networkpolicies", {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name },
      spec,
    });
  }
}

/** Takes away what somebody else put there: Firebreak only tells of it. */
export async function removeForeign({ world, cluster }: Stage): Promise<void> {
  for (const host of HOSTS)
    await world
      .host(host)
      .exec("nft delete table inet theirs 2>/dev/null || true; nft delete table ip theirnat 2>/dev/null || true");
  await cluster?.api.remove(policyPath(FOREIGN_POLICY));
}

async function churn({ stage }: Doing, pods: number): Promise<void> {
  const { cluster, extraPods } = stage;
  if (cluster === undefined) return;
  const [oldest] = extraPods;
  if (oldest !== undefined) {
    extraPods.shift();
    await deletePod(cluster, oldest);
  }
  for (let count = 0; count < pods; count++) await addPod(stage, `web-${Date.now().toString(36)}-${count}`);
}

async function takeAway({ stage, subject: _ }: Doing, what: Away): Promise<void> {
  const { world, servers, cluster } = stage;
  if (what === "git") return await world.git.stop();
  if (what === "redis") return await servers?.redis.stop();
  if (what === "postgres") return await servers?.postgres.stop();
  if (what === "api") return await cluster?.stopApiServer();
  if (what === "api paused") return cluster?.pauseApiServer(true);
  const [thing, host = ""] = what.split(" ");
  await (thing === "sshd" ? world.host(host).stopSshd() : world.host(host).down());
}

async function giveBack({ stage }: Doing, what: Away): Promise<void> {
  const { world, servers, cluster } = stage;
  if (what === "git") return await world.git.start();
  if (what === "redis") return await servers?.redis.start();
  if (what === "postgres") return await servers?.postgres.start();
  if (what === "api") return await cluster?.startApiServer();
  if (what === "api paused") return cluster?.pauseApiServer(false);
  const [thing, host = ""] = what.split(" ");
  await (thing === "sshd" ? world.host(host).startSshd() : world.host(host).up());
}

async function redis({ servers }: Stage, words: readonly string[]): Promise<void> {
  if (servers !== undefined) await command(["redis-cli", "-p", String(servers.redis.port), ...words]);
}

async function cut(stage: Stage, what: "redis" | "postgres"): Promise<void> {
  if (what === "redis") return await redis(stage, ["client", "kill", "type", "normal"]);
  const { servers } = stage;
  if (servers === undefined) return;
  const query =
    "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'";
  await command(["psql", servers.postgres.url, "--quiet", "--command", query]);
}

/** No ruleset, no connection, no process of anybody's session; sshd is up again at once. */
async function reboot({ world, place }: Stage, name: string): Promise<void> {
  const host = world.host(name);
  const keep = new Set([(await place(name).agent()).pid]);
  await host.stopSshd();
  const pids = await command(["ip", "netns", "pids", host.namespace ?? ""]);
  for (const pid of pids.split("\n").filter(Boolean).map(Number)) if (!keep.has(pid)) await tryCommand(["kill", "-9", String(pid)]);
  await host.exec("nft flush ruleset; conntrack -F 2>/dev/null || true");
  await host.startSshd();
}

/** Everything stops, is put back to what the backup holds, and starts. */
export async function restore({ subject, logWatch }: Doing): Promise<void> {
  await subject.restore();
  await logWatch.restored();
  for (const part of subject.parts) subject.start(part);
}
