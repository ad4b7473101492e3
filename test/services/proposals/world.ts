import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  joinProposal,
  leaveProposal,
  listProposals,
  openStore,
  type Store,
  type StoredProposal,
} from "../../../adapters/store/index.ts";
import { adoptingEdit, type AdoptingAnswer } from "../../../core/adopt/edit.ts";
import type { Adoption, SayableAdoption } from "../../../core/finding/adoption.ts";
import type { EntryInput } from "../../../core/audit/entry.ts";
import { causeOf } from "../../../core/finding/cause.ts";
import type { Finding } from "../../../core/finding/finding.ts";
import type { Forge, PullRequest } from "../../../core/forge/forge.ts";
import { branchOf, type ProposalContext } from "../../../services/syncer/proposals/context.ts";
import { lookAfterProposals } from "../../../services/syncer/proposals/loop.ts";
import { INVENTORIES, OPERATOR, organisation, policyText } from "../../core/adopt/world.ts";
import { incident } from "../../support/incidents.ts";

export const PATH = "policies/order.yaml";
export const POLICY = policyText("order", [
  "{from: [web], to: [db], ports: [8443/tcp]} # orders",
  "{from: [web], to: [only], ports: [80/tcp, 81/tcp]}",
]);
export const ADOPTED = POLICY.replace("81/tcp]}\n", "81/tcp]}\n    - {from: [geo], to: [only], ports: [9000/tcp]}\n");
export const NARROWED = POLICY.replace("[80/tcp, 81/tcp]", "[80/tcp]");
const START = Date.parse("2026-11-21T10:00:00Z");
export const DAY = 24 * 60 * 60_000;

const scopes = [{ target: "cluster/eu", as: ["initiator", "responder"], peers: [] }] as const;
export const WIDENED: Adoption = {
  kind: "sayable",
  opened: [{ from: ["geo"], to: ["only"], ports: ["9000/tcp"] }],
  closed: [],
  scopes,
};
export const CLOSED: Adoption = {
  kind: "sayable",
  opened: [],
  closed: [{ from: ["web"], to: ["only"], ports: ["81/tcp"] }],
  scopes,
};

/** A live change of one target. */
export function drift(adoption: Adoption, over: Partial<Finding> = {}): Finding {
  const opened = adoption.kind === "sayable" && adoption.opened.length > 0;
  const effect = {
    verdict: opened ? "opens" : "closes",
    opened: opened ? ["geo → only"] : [],
    closed: opened ? [] : ["web → only"],
  } as const;
  const base = {
    ...incident().finding,
    fingerprint: "f1",
    kind: "modified",
    target: "cluster/eu",
    subject: "networkpolicy shop/fb-only",
  } as const;
  return { ...base, effect, widens: opened, who: "kubectl-edit", adoption, ...over };
}

let opened: Promise<Store> | undefined;
let folder: string | undefined;

async function theStore(): Promise<Store> {
  folder ??= mkdtempSync(join(tmpdir(), "fb-proposals-"));
  opened ??= openStore({ kind: "embedded", folder }, { signal: new AbortController().signal });
  return await opened;
}

/** To be called before all tests of a file. */
export async function openTheStore(): Promise<void> {
  await theStore();
}

/** To be called after all tests of a file. */
export async function closeStore(): Promise<void> {
  try {
    await (await opened)?.close();
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

const answers = new Map<string, AdoptingAnswer>();

/** Worked out once: what it takes is the same again and again. */
function editOf(text: string | undefined, adoption: SayableAdoption): AdoptingAnswer {
  const key = JSON.stringify([text, adoption]);
  const inventories = new Map(INVENTORIES.map((found) => [found.target, found]));
  const files = organisation(text === undefined ? {} : { [PATH]: text });
  const answer = answers.get(key) ?? adoptingEdit(files, adoption, { inventories, operator: OPERATOR, now: 0 });
  answers.set(key, answer);
  return answer;
}

const PATIENCE = 8;

/** The syncer's side of proposals: a store, a clock, a forge; started anew at will. */
export class Desk {
  readonly entries: EntryInput[] = [];
  readonly forge: Forge;
  readonly store: Store;
  at = START;

  private constructor(forge: Forge, store: Store) {
    this.forge = forge;
    this.store = store;
  }

  /** Nothing is remembered. One database for all: opening one takes seconds. */
  static async open(forge: Forge): Promise<Desk> {
    const desk = new Desk(forge, await theStore());
    await desk.loseStore();
    return desk;
  }

  /** Everything that was remembered is gone. */
  async loseStore(): Promise<void> {
    await this.store.db.deleteFrom("firebreak.proposals").execute();
  }

  async found(finding: Finding): Promise<void> {
    const told = { ...finding, firstSeen: this.at, lastSeen: this.at };
    await joinProposal(this.store, { cause: causeOf(finding), finding: told, now: this.at, declinedForMs: DAY });
  }

  async over({ fingerprint }: Finding, isHealed: boolean): Promise<void> {
    await leaveProposal(this.store, fingerprint, isHealed, this.at);
  }

  /** One round of the loop of a process that has just started. */
  async look(): Promise<void> {
    const { forge } = this;
    const quiet = () => undefined;
    const context: ProposalContext = {
      forge,
      store: this.store,
      base: "main",
      signal: AbortSignal.timeout(60_000),
      now: () => this.at,
      random: () => 0.5,
      // The casts: only these are asked for.
      trail: { append: async (list: readonly EntryInput[]) => await Promise.resolve(void this.entries.push(...list)) } as never,
      log: { info: quiet, warn: quiet, debug: quiet, error: quiet } as never,
      edit: async (commit, adoption) => {
        const text = await forge.readFile(PATH, commit, AbortSignal.timeout(60_000));
        return editOf(text, adoption);
      },
    };
    await lookAfterProposals(context);
    // A real forge on a busy machine may fail for a moment: what was put off is tried again when it is due, as the loop does.
    for (let left = PATIENCE; forge.kind === "gitea" && left > 0; left -= 1) {
      const failed = (await this.rows()).find(({ lastError }) => lastError !== undefined);
      if (failed?.dueAt === undefined) return;
      this.at = Math.max(this.at, failed.dueAt);
      await lookAfterProposals(context);
    }
  }

  /** Later, and one round. */
  async later(ms = 60_000): Promise<void> {
    this.at += ms;
    await this.look();
  }

  async rows(): Promise<readonly StoredProposal[]> {
    return await listProposals(this.store);
  }

  /** The newest first; also those whose branch is gone. */
  async pulls(finding: Finding): Promise<readonly PullRequest[]> {
    const signal = AbortSignal.timeout(60_000);
    const listed = await this.forge.listPullsFrom(branchOf(causeOf(finding)), signal);
    const row = (await this.rows()).find(({ cause }) => cause === causeOf(finding));
    const found = new Map(listed.map((pull) => [pull.number, pull]));
    for (const number of [row?.memory.number, ...(row?.memory.past ?? [])]) {
      const pull = number === undefined ? undefined : await this.forge.readPull(number, signal);
      if (pull !== undefined) found.set(pull.number, pull);
    }
    return [...found.values()].sort((a, b) => b.number - a.number);
  }

  async text(finding: Finding): Promise<string | undefined> {
    return await this.forge.readFile(PATH, branchOf(causeOf(finding)), AbortSignal.timeout(60_000));
  }

  async commits(finding: Finding) {
    return await this.forge.listCommits("main", branchOf(causeOf(finding)), AbortSignal.timeout(60_000));
  }

  types(): readonly string[] {
    return this.entries.map(({ type }) => type);
  }
}
