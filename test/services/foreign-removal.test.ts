/** What `foreign: remove` takes away: on a real store, whose findings somebody may have made up. */
import { createSecretKey } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStore, recordTargets, type Store } from "../../adapters/store/index.ts";
import { LogFacts } from "../../core/audit/log-facts.ts";
import { compileCluster } from "../../core/compile/cluster.ts";
import { clusterTargetId } from "../../core/model/target.ts";
import { fingerprintOf } from "../../core/finding/fingerprint.ts";
import type { Finding } from "../../core/finding/finding.ts";
import { markAnnotations } from "../../core/render/networkpolicy-mark.ts";
import { renderNetworkPolicies } from "../../core/render/networkpolicy.ts";
import type { NetworkPolicy, NetworkPolicySpec } from "../../core/render/networkpolicy-types.ts";
import { recordFindings } from "../../services/findings.ts";
import type { SyncerContext } from "../../services/syncer/context.ts";
import { foreignToRemove } from "../../services/syncer/foreign.ts";
import { app, cluster, definitions, inventory, namespace, pod, segment } from "../support/definitions.ts";

const EU = clusterTargetId("eu");
const eu = { ...cluster("eu"), foreign: "remove" as const };
const defs = definitions({ clusters: [eu], segments: [segment("web", [app("web")], "enforce")] });
const world = inventory("eu", {
  namespaces: [namespace("shop")],
  pods: [pod("shop/web-1", { app: "web" }, "10.1.0.1"), pod("shop/job-1", { app: "job" }, "10.1.0.2")],
});
const { want } = compileCluster({
  definitions: defs,
  cluster: eu,
  namespaces: world.namespaces,
  services: [],
  memberships: new Map(),
});
const mark = { instance: "us", sequence: 1, digest: "0".repeat(16) };

const folder = mkdtempSync(join(tmpdir(), "fb-foreign-"));
let store: Store;
let context: SyncerContext;
const facts = new LogFacts();

beforeAll(async () => {
  store = await openStore({ kind: "embedded", folder: join(folder, "store") }, { signal: AbortSignal.timeout(60_000) });
  await recordTargets(store, [{ id: EU, mode: "apply", labels: {} }], 1, 1);
  // The cast: nothing else of a syncer is asked for here; what is compared is small, so no worker is.
  context = {
    store,
    instance: "us",
    sealKey: createSecretKey(new Uint8Array(32)),
    isLogNew: false,
    facts,
    settings: { channels: {} },
    trail: { append: async () => await Promise.resolve() },
    log: { warn: () => undefined, info: () => undefined, error: () => undefined, debug: () => undefined },
    signal: new AbortController().signal,
    now: Date.now,
  } as unknown as SyncerContext;
});

afterAll(async () => {
  await store?.close();
  rmSync(folder, { recursive: true, force: true });
});

const OPENS: NetworkPolicySpec = { podSelector: {}, policyTypes: ["Ingress"], ingress: [{}] };
const OPENS_AND_ISOLATES: NetworkPolicySpec = { podSelector: {}, policyTypes: ["Ingress", "Egress"], ingress: [{}], egress: [] };
const DENIES: NetworkPolicySpec = { podSelector: { matchLabels: { app: "job" } }, policyTypes: ["Ingress"], ingress: [] };

function object(name: string, spec: NetworkPolicySpec, annotations: Readonly<Record<string, string>> = {}): NetworkPolicy {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace: "shop", annotations }, spec };
}

/** A row that says of a policy that it widens, whoever wrote it. */
async function say(...names: readonly string[]): Promise<void> {
  const findings = names.map((name): Finding => {
    const subject = `networkpolicy shop/${name}`;
    const effect = { verdict: "opens" as const, opened: ["all"], closed: [] };
    const known = { fingerprint: fingerprintOf("foreign", EU, subject), kind: "foreign" as const, target: EU, subject, effect };
    return {
      ...known,
      severity: "high",
      summary: "opens",
      who: undefined,
      at: undefined,
      healable: true,
      widens: true,
      foreign: true,
    };
  });
  await recordFindings(context, defs.workspace, { id: EU, target: undefined, kinds: ["foreign"], findings }, Date.now());
}

async function removed(...live: readonly NetworkPolicy[]): Promise<readonly string[]> {
  const policies = [...renderNetworkPolicies(want, mark), ...live].map((one) => ({
    object: one,
    manager: "x",
    managedAt: undefined,
  }));
  const observation = { kind: "cluster" as const, target: EU, completeness: "complete" as const, uid: "u", policies, at: 0 };
  const state = {
    target: { kind: "cluster" as const, id: EU, mode: "apply" as const, labels: {}, cluster: eu },
    want,
    mark,
    definitions: defs,
  };
  const look = { kind: "cluster" as const, states: [state] as const, observation, inventory: world, enforcer: undefined };
  return [...(await foreignToRemove(context, eu, observation, async () => await Promise.resolve(look)))];
}

// Bug: whoever may write findings, the drift detector's role too, has a tenant's default deny removed by saying that it widens.
it("is no policy that only closes, whatever a finding says of it", async () => {
  await say("deny", "open");
  expect(await removed(object("deny", DENIES), object("open", OPENS))).toEqual(["shop/open"]);
});

it("is nothing that was not told of before", async () => {
  await say();
  expect(await removed(object("open", OPENS))).toEqual([]);
});

// Bug: a copied mark keeps an opening policy.
it("is what carries our mark and Firebreak never wrote; what it wrote is held", async () => {
  const copied = object("fb-x", OPENS_AND_ISOLATES, markAnnotations(mark));
  await say("fb-x");
  expect(await removed(copied)).toEqual(["shop/fb-x"]);
  const steps = [{ kind: "create", subject: "networkpolicy shop/fb-x", why: "" }];
  facts.add({ type: "plan.computed", time: "", fields: { target: { id: EU }, detail: { steps } } });
  expect(await removed(copied)).toEqual([]);
});
