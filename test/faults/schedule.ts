/** What is done to Firebreak and to its world, and when. One seed is one schedule. */
import { randomFrom, type Random } from "./random.ts";
import { HOSTS, TOGGLES } from "./definitions.ts";

/** One process with everything in it, or three on PostgreSQL and Redis. */
export type Form = "embedded" | "scale-out";
export type Part = "up" | "syncer" | "drift" | "console";

/** Behind Git's back on a host. The last two are somebody else's tables: told, never touched. */
export const HOST_TAMPERINGS = [
  "insert accept",
  "append accept",
  "flush rules",
  "delete table",
  "dormant",
  "policy accept",
  "add element",
  "foreign table",
  "foreign redirect",
] as const;
export type HostTampering = (typeof HOST_TAMPERINGS)[number];

export const CLUSTER_TAMPERINGS = ["open", "delete", "relabel", "foreign"] as const;
export type ClusterTampering = (typeof CLUSTER_TAMPERINGS)[number];

/** What can be away for a while. */
export const AWAY = ["git", "sshd one", "sshd two", "cable one", "cable two", "api", "api paused", "redis", "postgres"] as const;
export type Away = (typeof AWAY)[number];

export type FaultEvent =
  /** A commit that turns some of {@link TOGGLES} over. */
  | { readonly kind: "push"; readonly flips: readonly number[] }
  /** A commit that is no policy; then Git has a head that is never in force. */
  | { readonly kind: "push bad" }
  /** A commit that says again what the last good one but one said. */
  | { readonly kind: "revert" }
  | { readonly kind: "tamper host"; readonly host: string; readonly how: HostTampering }
  | { readonly kind: "tamper cluster"; readonly how: ClusterTampering }
  /** Pods of a segment come, or one goes. */
  | { readonly kind: "churn"; readonly pods: number }
  /** SIGKILL; started again after `forMs`. */
  | { readonly kind: "kill"; readonly part: Part; readonly forMs: number }
  /** SIGSTOP, SIGCONT after `forMs`. */
  | { readonly kind: "pause"; readonly part: Part; readonly forMs: number }
  | { readonly kind: "away"; readonly what: Away; readonly forMs: number }
  /** Every connection to it is cut, and may come back at once. */
  | { readonly kind: "cut"; readonly what: "redis" | "postgres" }
  /** Redis is emptied. */
  | { readonly kind: "flush redis" }
  /** A host comes up without any ruleset, as after a reboot. */
  | { readonly kind: "reboot"; readonly host: string }
  /** The state folder of `part` takes nothing more. */
  | { readonly kind: "disk"; readonly how: "full" | "read-only"; readonly forMs: number }
  /** Every process's clock jumps. */
  | { readonly kind: "clock"; readonly stepMs: number }
  /** The documented backup is taken; at `restoreAfterMs` everything stops and is restored from it. */
  | { readonly kind: "restore"; readonly restoreAfterMs: number };

/** An event and when it begins, ms after the schedule does. */
export interface Timed {
  readonly at: number;
  readonly event: FaultEvent;
}

export interface Schedule {
  readonly seed: number;
  readonly form: Form;
  readonly hasCluster: boolean;
  readonly events: readonly Timed[];
}

export interface ScheduleOptions {
  readonly form: Form;
  readonly hasCluster: boolean;
  /** Length of the part in which things are done; then it has to come right. */
  readonly lengthMs?: number;
}

/** More of one kind on one host would be a fight, and Firebreak gives up on purpose. */
const TAMPERINGS_PER_TARGET = 3;
const LENGTH_MS = 16_000;
/** In CI, where eight of them have four minutes. */
export const SHORT_MS = 8_000;

/** In which form and on which world a seed is tried: every two seeds both forms, every four all combinations. */
export function planOf(seed: number): { readonly form: Form; readonly hasCluster: boolean } {
  return { form: seed % 2 === 1 ? "embedded" : "scale-out", hasCluster: seed % 4 >= 2 };
}

/** The schedule of a seed. */
export function scheduleOf(seed: number, { form, hasCluster, lengthMs = LENGTH_MS }: ScheduleOptions): Schedule {
  const random = randomFrom(seed);
  const makers = makersFor(form, hasCluster);
  const total = makers.reduce((sum, { weight }) => sum + weight, 0);
  const draw = (): FaultEvent => {
    let left = random.next() * total;
    for (const { weight, make } of makers) {
      left -= weight;
      if (left < 0) return make(random);
    }
    return makers[0]!.make(random);
  };
  const times = Array.from({ length: random.between(5, 9) }, () => random.between(0, lengthMs)).sort((a, b) => a - b);
  const events = times.map((at): Timed => ({ at, event: draw() }));
  // Each schedule moves something and breaks something.
  events.push({ at: random.between(0, lengthMs), event: makePush(random) });
  events.push({ at: random.between(0, lengthMs), event: makeHostTampering(random) });
  events.sort((a, b) => a.at - b.at);
  return { seed, form, hasCluster, events: withinLimits(events) };
}

interface Maker {
  readonly weight: number;
  readonly make: (random: Random) => FaultEvent;
}

function makersFor(form: Form, hasCluster: boolean): readonly Maker[] {
  const parts: readonly Part[] = form === "embedded" ? ["up"] : ["syncer", "syncer", "drift", "console"];
  const forMs = (random: Random, low = 500, high = 6_000): number => random.between(low, high);
  const common: readonly Maker[] = [
    { weight: 5, make: makePush },
    { weight: 1, make: () => ({ kind: "push bad" }) },
    { weight: 1, make: () => ({ kind: "revert" }) },
    { weight: 5, make: makeHostTampering },
    { weight: 4, make: (random) => ({ kind: "kill", part: random.pick(parts), forMs: forMs(random, 100, 4_000) }) },
    { weight: 2, make: (random) => ({ kind: "pause", part: random.pick(parts), forMs: forMs(random) }) },
    { weight: 3, make: (random) => ({ kind: "away", what: random.pick(awayOf("hosts")), forMs: forMs(random) }) },
    { weight: 1, make: (random) => ({ kind: "reboot", host: random.pick(HOSTS) }) },
    {
      weight: 2,
      make: (random) => ({ kind: "disk", how: random.pick(["full", "read-only"] as const), forMs: forMs(random, 1_000, 6_000) }),
    },
    { weight: 1, make: (random) => ({ kind: "clock", stepMs: random.pick([-3_600_000, -30_000, 30_000, 3_600_000]) }) },
    { weight: 1, make: (random) => ({ kind: "restore", restoreAfterMs: random.between(2_000, 8_000) }) },
  ];
  const servers: readonly Maker[] = [
    { weight: 4, make: (random) => ({ kind: "away", what: random.pick(awayOf("servers")), forMs: forMs(random, 500, 8_000) }) },
    { weight: 2, make: (random) => ({ kind: "cut", what: random.pick(["redis", "postgres"] as const) }) },
    { weight: 1, make: () => ({ kind: "flush redis" }) },
  ];
  const cluster: readonly Maker[] = [
    { weight: 4, make: (random) => ({ kind: "tamper cluster", how: random.pick(CLUSTER_TAMPERINGS) }) },
    { weight: 2, make: (random) => ({ kind: "churn", pods: random.between(1, 4) }) },
    {
      weight: 2,
      make: (random) => ({ kind: "away", what: random.pick(["api", "api paused"] as const), forMs: forMs(random, 1_000, 6_000) }),
    },
  ];
  return [...common, ...(form === "embedded" ? [] : servers), ...(hasCluster ? cluster : [])];
}

function awayOf(group: "hosts" | "servers"): readonly Away[] {
  return group === "servers"
    ? ["redis", "postgres"]
    : ["git", ...HOSTS.flatMap((host): readonly Away[] => [`sshd ${host}`, `cable ${host}`])];
}

function makePush(random: Random): FaultEvent {
  const flips = new Set(Array.from({ length: random.between(1, 2) }, () => random.between(0, TOGGLES.length - 1)));
  return { kind: "push", flips: [...flips] };
}

function makeHostTampering(random: Random): FaultEvent {
  return { kind: "tamper host", host: random.pick(HOSTS), how: random.pick(HOST_TAMPERINGS) };
}

/** Leaves out what would be a fight, and second restores. */
function withinLimits(events: readonly Timed[]): readonly Timed[] {
  const counts = new Map<string, number>();
  return events.filter(({ event }) => {
    const [key, most] =
      event.kind === "tamper host" || event.kind === "reboot"
        ? [`host ${event.host}`, TAMPERINGS_PER_TARGET]
        : event.kind === "tamper cluster"
          ? ["cluster", TAMPERINGS_PER_TARGET]
          : event.kind === "restore" || event.kind === "clock"
            ? [event.kind, 1]
            : ["", Infinity];
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return count <= most;
  });
}

/** True for what takes the API server away. */
export function isApi(what: Away): boolean {
  return what === "api" || what === "api paused";
}

/** An event in a few words. */
export function sayEvent({ at, event }: Timed): string {
  const { kind, ...rest } = event;
  return `${(at / 1000).toFixed(1).padStart(5)} s  ${kind} ${Object.values(rest).join(" ")}`.trimEnd();
}
