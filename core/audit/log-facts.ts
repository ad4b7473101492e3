/** What the log says of a target, by its newest entries. */
export interface TargetFacts {
  /** Who it proved to be: the cluster's kube-system UID, or the fingerprint of the host's key. */
  readonly uid?: string | undefined;
  /** The revision whose apply was last read back and found right. */
  readonly applied?: number | undefined;
  /** The first revision that named it no more; a revision that names it again has no entry. */
  readonly orphanedBy?: number | undefined;
  /** It was let go, and nothing was said of it since. */
  readonly isReleased?: boolean | undefined;
}

/** Somebody holds a pull request. */
export interface HoldFacts {
  readonly by: string;
  readonly reason: string;
  /** ms since the epoch */
  readonly at: number;
}

/** What a plan was made of. */
export interface PlanFacts {
  readonly pull: number;
  /** The head that it shows. */
  readonly commit: string;
}

/** Plans that are remembered, the newest: an older one has to be looked at anew. */
const MOST_PLANS = 10_000;

/** An entry as far as facts are made of it. */
interface Told {
  readonly type: string;
  readonly time: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * What a store also knows and may be wrong about, kept from the entries of the log as they come: who targets are, what was applied to them,
 * which are nobody's any more, which pull requests are on hold, what was shown of them. The log is signed and the store is not, so the log is believed.
 */
export class LogFacts {
  readonly #targets = new Map<string, TargetFacts>();
  readonly #holds = new Map<number, HoldFacts>();
  readonly #plans = new Map<string, PlanFacts>();
  readonly #written = new Map<string, Set<string>>();

  /** Takes in the next entry of the log. */
  add({ type, time, fields }: Told): void {
    switch (type) {
      case "plan.computed":
        this.#steps(fields);
        return;
      case "apply.outcome":
        if (fields["outcome"] === "ok") this.#update(fields, { applied: numberOf(fields["revision"]), isReleased: false });
        return;
      case "target.identified":
        this.#update(fields, { isReleased: false });
        return;
      case "target.replaced":
        this.#update(fields, { applied: undefined });
        return;
      case "target.orphaned":
        this.#update(fields, { orphanedBy: numberOf(fields["revision"]), isReleased: false });
        return;
      case "target.released": {
        const { id } = targetOf(fields);
        if (id !== undefined) this.#targets.set(id, { isReleased: true });
        this.#written.delete(id ?? "");
        return;
      }
      case "plan.reviewed":
        this.#plan(fields);
        return;
      case "plan.held":
        this.#hold(fields, time);
        return;
      case "plan.approved":
      case "plan.resumed": {
        const pull = pullOf(fields);
        if (pull !== undefined) this.#holds.delete(pull);
        return;
      }
      default:
    }
  }

  /** What is known of a target; nothing of one that the log never told of. */
  target(id: string): TargetFacts {
    return this.#targets.get(id) ?? {};
  }

  /** Targets gone from Git and not released, with the revision that named each no more; one that Git names again is among them. */
  *orphans(): Iterable<readonly [string, number]> {
    for (const [id, { orphanedBy, isReleased }] of this.#targets)
      if (orphanedBy !== undefined && isReleased !== true) yield [id, orphanedBy];
  }

  /** Who holds a pull request; undefined while nobody does. */
  hold(pull: number): HoldFacts | undefined {
    return this.#holds.get(pull);
  }

  /** Which head a plan showed, of which pull request; undefined for one that the log does not know, or not any more. */
  plan(id: string): PlanFacts | undefined {
    return this.#plans.get(id);
  }

  /** True for an object (`networkpolicy NAMESPACE/NAME`) that was planned to be written to a target, and since then not to go. */
  hasWritten(target: string, subject: string): boolean {
    return this.#written.get(target)?.has(subject) === true;
  }

  /** True while somebody holds any pull request. */
  holdsAny(): boolean {
    return this.#holds.size > 0;
  }

  #update(fields: Told["fields"], facts: TargetFacts): void {
    const { id, uid } = targetOf(fields);
    if (id === undefined) return;
    const before = this.#targets.get(id) ?? {};
    this.#targets.set(id, { ...before, ...facts, uid: uid ?? before.uid });
  }

  /** Of hosts there is one table, whose mark says enough. */
  #steps(fields: Told["fields"]): void {
    const { id } = targetOf(fields);
    const steps = recordOf(fields["detail"])["steps"];
    if (id?.startsWith("cluster/") !== true || !Array.isArray(steps)) return;
    const written = this.#written.get(id) ?? new Set();
    this.#written.set(id, written);
    for (const step of steps) {
      const { kind, subject } = recordOf(step);
      if (typeof subject !== "string") continue;
      if (kind === "delete") written.delete(subject);
      else written.add(subject);
    }
  }

  #plan(fields: Told["fields"]): void {
    const [pull, commit, id] = [pullOf(fields), textOf(fields["commit"]), textOf(fields["plan"])];
    if (pull === undefined || commit === undefined || id === undefined) return;
    this.#plans.delete(id);
    this.#plans.set(id, { pull, commit });
    const [oldest] = this.#plans.keys();
    if (this.#plans.size > MOST_PLANS && oldest !== undefined) this.#plans.delete(oldest);
  }

  #hold(fields: Told["fields"], time: string): void {
    const pull = pullOf(fields);
    if (pull === undefined) return;
    const by = textOf(recordOf(fields["actor"])["id"]) ?? "";
    this.#holds.set(pull, { by, reason: textOf(fields["reason"]) ?? "", at: Date.parse(time) });
  }
}

function targetOf(fields: Told["fields"]): { readonly id: string | undefined; readonly uid: string | undefined } {
  const { id, uid } = recordOf(fields["target"]);
  return { id: textOf(id), uid: textOf(uid) };
}

function pullOf(fields: Told["fields"]): number | undefined {
  return numberOf(recordOf(fields["pullRequest"])["number"]);
}

// Entries may be of a newer version: what does not read is not there.
function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
