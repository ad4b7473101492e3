import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { listFindings, listOpenWork } from "../../adapters/store/index.ts";
import { TARGET_STATES } from "../../core/api/shapes.ts";
import type { Need } from "../health.ts";
import type { ConsoleParts } from "./main.ts";
import { readStatus } from "./status.ts";

const NEEDS: readonly Need[] = ["store", "queue", "log", "definitions"];

/** Metrics in Prometheus' text format, read from the store when asked: right after a restart, too. */
export function openMetrics(parts: ConsoleParts): { readonly contentType: string; text(): Promise<string> } {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  collectDefaultMetrics({ register: registry, prefix: "firebreak_" });
  const state = new Gauge({
    name: "firebreak_target_state",
    help: "1 for the state a target is in",
    labelNames: ["target", "state"],
    registers,
  });
  const readAge = new Gauge({
    name: "firebreak_target_read_age_seconds",
    help: "Time since a target was last read back whole",
    labelNames: ["target"],
    registers,
  });
  const findings = new Gauge({
    name: "firebreak_findings_open",
    help: "Open findings",
    labelNames: ["severity", "kind"],
    registers,
  });
  const revision = new Gauge({ name: "firebreak_revision", help: "Sequence number of the revision in force", registers });
  const refused = new Gauge({ name: "firebreak_revision_refused", help: "1 while the newest commit is refused", registers });
  const work = new Gauge({ name: "firebreak_work_open", help: "Open causes to reconcile a target", registers });
  const dead = new Gauge({
    name: "firebreak_notices_dead",
    help: "Groups of findings that a channel refuses until a person mends something: nobody was told there",
    labelNames: ["channel"],
    registers,
  });
  const failing = new Gauge({
    name: "firebreak_notices_failing",
    help: "Groups of findings whose last telling failed and is tried again",
    labelNames: ["channel"],
    registers,
  });

  const trouble = new Gauge({
    name: "firebreak_trouble",
    help: "1 while this process lacks its store, its queue, the disk of the log or the definitions in force; 0 while it has it",
    labelNames: ["need"],
    registers,
  });
  const ready = new Gauge({
    name: "firebreak_ready",
    help: "1 while this process can do its work, as /readyz says; why not is there",
    registers,
  });
  const unwatched = new Gauge({
    name: "firebreak_unwatched_seconds",
    help: "Time of the last day in which nobody could record what was seen: what came and went in it is not known",
    registers,
  });
  const silent = new Gauge({
    name: "firebreak_service_trouble",
    help: "Things that the services say they lack, and 1 for a service that was not heard of (code SERVICE_SILENT)",
    labelNames: ["service", "code"],
    registers,
  });
  const fetchAge = new Gauge({
    name: "firebreak_git_age_seconds",
    help: "Time since the branch was last read",
    registers,
  });

  return {
    contentType: registry.contentType,
    async text() {
      const away = new Set(parts.health.troubles().map(({ need }) => need));
      for (const need of NEEDS) trouble.set({ need }, away.has(need) ? 1 : 0);
      ready.set(away.size === 0 && parts.services().every((service) => service.notReady() === undefined) ? 1 : 0);
      for (const gauge of [state, readAge, findings, dead, failing, silent]) gauge.reset();
      // Without the store there is nothing to count, and that must be told all the same.
      if (away.has("store")) return await registry.metrics();
      const status = await readStatus(parts);
      unwatched.set(status.gaps.reduce((sum, { from, until }) => sum + (Date.parse(until) - Date.parse(from)) / 1000, 0));
      for (const { service, error } of status.troubles) silent.inc({ service, code: error.code });
      if (status.repository.fetchedAt !== null) fetchAge.set((parts.now() - Date.parse(status.repository.fetchedAt)) / 1000);
      for (const target of status.targets) {
        for (const name of TARGET_STATES) state.set({ target: target.target, state: name }, target.state === name ? 1 : 0);
        if (target.lastReadAt !== null)
          readAge.set({ target: target.target }, (parts.now() - Date.parse(target.lastReadAt)) / 1000);
      }
      for (const { severity, kind } of await listFindings(parts.store, { open: true, limit: 10_000 }))
        findings.inc({ severity, kind });
      for (const trouble of status.channels) {
        dead.set({ channel: trouble.channel }, trouble.refused);
        failing.set({ channel: trouble.channel }, trouble.failing);
      }
      revision.set(status.revision?.sequence ?? 0);
      refused.set(status.repository.refused === null ? 0 : 1);
      work.set((await listOpenWork(parts.store)).length);
      return await registry.metrics();
    },
  };
}
