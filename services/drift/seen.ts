import type { LiveTarget } from "../../core/enforced/target.ts";
import type { HostFacts } from "../../core/intent/intent.ts";
import type { NodeClaim } from "../../core/plan/node-claim.ts";
import type { TargetId } from "../../core/model/kinds.ts";

interface SeenTarget {
  readonly live: LiveTarget;
  readonly digest: string;
  readonly enforcer?: string | undefined;
  readonly host?: HostFacts | undefined;
  /** What a host shows for or against being a node of a cluster. */
  readonly node?: NodeClaim | undefined;
}

/** What every target was last seen whole to enforce; memory of this process, gone with it. */
export class SeenTargets {
  readonly #targets = new Map<TargetId, SeenTarget>();
  #version = 0;

  /** Grows when anything that was seen differs from before. */
  get version(): number {
    return this.#version;
  }

  /** @param digest of what decides about connections: equal digests change nothing */
  set(target: TargetId, live: LiveTarget, digest: string, facts: Pick<SeenTarget, "enforcer" | "host" | "node">): void {
    const before = this.#targets.get(target);
    this.#targets.set(target, { live, digest, ...facts });
    if (before?.digest !== digest || before.enforcer !== facts.enforcer) this.#version += 1;
  }

  /** What was seen of these targets; one that was not is `failed`, so that nothing is concluded from its absence. */
  live(targets: readonly TargetId[]): ReadonlyMap<TargetId, LiveTarget> {
    return new Map(targets.map((target) => [target, this.#targets.get(target)?.live ?? unseen(target)]));
  }

  has(target: TargetId): boolean {
    return this.#targets.has(target);
  }

  enforcers(): ReadonlyMap<TargetId, string> {
    return this.#facts(({ enforcer }) => enforcer);
  }

  hosts(): ReadonlyMap<TargetId, HostFacts> {
    return this.#facts(({ host }) => host);
  }

  /** Undefined for what was not seen. */
  node(target: TargetId): NodeClaim | undefined {
    return this.#targets.get(target)?.node;
  }

  #facts<T>(read: (seen: SeenTarget) => T | undefined): ReadonlyMap<TargetId, T> {
    const entries = [...this.#targets].flatMap(([target, seen]): (readonly [TargetId, T])[] => {
      const fact = read(seen);
      return fact === undefined ? [] : [[target, fact]];
    });
    return new Map(entries);
  }
}

function unseen(target: TargetId): LiveTarget {
  if (target.startsWith("cluster/")) return { kind: "cluster", completeness: "failed", policies: [] };
  return { kind: "host", completeness: "failed", ruleset: [], legacyTables: [], addresses: [] };
}
