/** The main job as a story, told once and run on every way to operate Firebreak. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNamespace } from "../../testbed/cluster.ts";
import { createPod, deletePod, movePod, relabelPod } from "../../testbed/pods.ts";
import { resolveFrom } from "../../testbed/probe.ts";
import { waitFor } from "../../testbed/wait.ts";
import { SEGMENT_LABEL } from "../../core/render/networkpolicy-mark.ts";
import { prepareFirebreak, type Firebreak, type Mode } from "./e2e-firebreak.ts";
import { enforcementOf, openOrganisation, policiesOf, tableOf, type Organisation } from "./e2e-organisation.ts";
import { becomes, wrongPaths, type Path } from "./e2e-packets.ts";
import { tamperings, type Stage } from "./e2e-tampering.ts";

const CUSTOMER_RECORD = "shop/cust-record";

/** The whole story; call it once in a test file. `more` adds what only this way to operate has. */
export function tellMainJob(mode: Mode, more?: (stage: Stage) => void): void {
  describe(`the main job, ${mode}`, () => {
    let organisation: Organisation;
    let firebreak: Firebreak;

    beforeAll(async () => {
      organisation = await openOrganisation();
      firebreak = await prepareFirebreak(organisation, { mode });
    }, 120_000);

    afterAll(async () => {
      await firebreak?.stop();
      await organisation?.[Symbol.asyncDispose]();
    }, 60_000);

    it("finds everything open, applies the branch, and packets show who may talk to whom", async () => {
      const paths = pathsOf(organisation);
      expect(await wrongPaths(paths.map((path) => ({ ...path, is: "open" })))).toEqual([]);

      await firebreak.start();
      await firebreak.converged((await organisation.world.git.head()) ?? "");

      for (const { is, from, to, port } of paths) await becomes(is, from, to, port);
      expect(await firebreak.findings()).toEqual([]);
    });

    it("keeps DNS working for a pod whose egress is closed (the bug: default deny without the essentials)", async () => {
      const [pod, dns] = [organisation.pod(CUSTOMER_RECORD), organisation.pod("kube-system/coredns")];
      for (const protocol of ["udp", "tcp"] as const) {
        const name = "kubernetes.default.svc.cluster.local";
        expect(await resolveFrom(pod, dns, { name, protocol, timeoutMs: 3_000 })).toBe("10.96.0.1");
      }
    });

    it("has sent `from` and `to` with every rule but those from or to anybody (the bug: `_from`, which the API server drops)", async () => {
      for (const cluster of [organisation.eu, organisation.us]) {
        const policies = await policiesOf(cluster);
        expect(policies.size).toBeGreaterThan(10);
        const without = [...policies.values()].flatMap(({ metadata, spec }) =>
          [...(spec.ingress ?? []), ...(spec.egress ?? [])]
            .filter((rule) => !hasPeers(rule))
            .map(() => metadata.labels?.[SEGMENT_LABEL]),
        );
        expect(without).toEqual(["order-input"]);
      }
    });

    it("isolates a pod of an enforced and an observed segment, and not one of the observed segment only", async () => {
      const outsider = organisation.pod("geo/geo-location");
      const plain = await createPod(organisation.eu, {
        namespace: "shop",
        name: "plain",
        labels: { app: "plain" },
        ports: ["8443/tcp"],
      });
      expect(await wrongPaths([{ from: outsider, to: plain, port: 8443, is: "open" }])).toEqual([]);
      expect(await wrongPaths([{ from: plain, to: organisation.mainframe, port: 1414, is: "open" }])).toEqual([]);
      expect(await wrongPaths([{ from: outsider, to: organisation.pod(CUSTOMER_RECORD), port: 8443, is: "closed" }])).toEqual([]);
      await deletePod(organisation.eu, plain);
    });

    it("creates, changes and deletes a policy", async () => {
      const [from, to] = [organisation.pod("geo/geo-location"), organisation.pod(CUSTOMER_RECORD)];
      const file = "policies/extra.yaml";

      await firebreak.converged(await organisation.add(file, extraPolicy("8443/tcp"), "create"));
      await becomes("open", from, to, 8443);

      await firebreak.converged(await organisation.edit(file, (text) => text.replace("8443/tcp", "8080/tcp"), "change"));
      await becomes("open", from, to, 8080);
      await becomes("closed", from, to, 8443);

      await firebreak.converged(await organisation.remove([file], "delete"));
      await becomes("closed", from, to, 8080);
      expect(await wrongPaths(pathsOf(organisation))).toEqual([]);
    });

    it("lets a pod join a segment by its label, move, and leave again; the hosts' sets follow", async () => {
      const host = organisation.host("ldap-blue-1");
      const pod = organisation.pod("geo/geo-location");
      await becomes("closed", pod, host, 636);

      const joined = await relabelPod(organisation.eu, pod, { app: "geoLocation", ldap: "blue" });
      await becomes("open", joined, host, 636);
      expect(await tableOf(host)).toContain(joined.address);

      const moved = await movePod(organisation.eu, joined, { node: "node-1" });
      await becomes("open", moved, host, 636);
      await waitFor(async () => !(await tableOf(host)).includes(`${joined.address},`), { what: "the old address is gone" });

      const left = await relabelPod(organisation.eu, moved, { app: "geoLocation" });
      await becomes("closed", left, host, 636);
    });

    it("isolates a new namespace, and goes on when it is deleted", async () => {
      const { eu } = organisation;
      const [friend, stranger] = [organisation.pod("shop/order-input"), organisation.pod("geo/geo-location")];
      const pod = { namespace: "shop-2", name: "cust-record", labels: { app: "custRecord" }, ports: ["8443/tcp"] };
      await createNamespace(eu, "shop-2", { team: "shop" });
      const second = await createPod(eu, pod);
      await becomes("closed", stranger, second, 8443);
      await becomes("open", friend, second, 8443);

      await deletePod(eu, second);
      await eu.api.remove("/api/v1/namespaces/shop-2");
      const isGone = async (): Promise<boolean> => ![...(await policiesOf(eu)).keys()].some((key) => key.startsWith("shop-2/"));
      await waitFor(isGone, { what: "its policies are gone" });
      const status = await firebreak.converged((await organisation.world.git.head()) ?? "");
      expect(status.targets.flatMap(({ error }) => error ?? [])).toEqual([]);
      expect(await firebreak.findings()).toEqual([]);
    });

    tamperings(() => ({ organisation, firebreak }));
    more?.(() => ({ organisation, firebreak }));

    it("writes nothing when it is started again and everything is right (the bug: objects replaced by equal ones)", async () => {
      await firebreak.converged((await organisation.world.git.head()) ?? "");
      const before = await enforcementOf(organisation);
      const entries = (await firebreak.log()).length;
      await firebreak.stop();
      const started = Date.now();
      await firebreak.start();
      const isQuiet = async (): Promise<boolean> => {
        const { targets } = await firebreak.status();
        return targets.every(({ lastReadAt }) => Date.parse(lastReadAt ?? "") > started) && (await openWork(firebreak)) === 0;
      };
      await waitFor(isQuiet, { what: "every target was looked at and nothing is left to do", timeoutMs: 60_000 });
      expect(await enforcementOf(organisation)).toEqual(before);
      const written = (await firebreak.log()).slice(entries).map(({ type }) => type);
      expect(written.filter((type) => type === "apply.intent" || type === "finding.opened")).toEqual([]);
    });

    it("has a log in which every intent has its outcome, and which verifies", async () => {
      const log = await firebreak.log();
      const intents = log.filter(({ type }) => type === "apply.intent").map(({ seq }) => seq);
      const answered = log.flatMap((entry) => (entry.type === "apply.outcome" ? [entry.causedBy] : []));
      expect(intents.length).toBeGreaterThan(6);
      expect(intents.filter((seq) => !answered.includes(seq))).toEqual([]);
      expect(await firebreak.verifyLog()).toBe("verified");
    });
  });
}

/** Of every kind: pod → pod, pod → host, host → pod, cluster → cluster, to an external; allowed and not. */
export function pathsOf({ pod, host, us, mainframe }: Organisation): readonly Path[] {
  const [blue, red] = [host("ldap-blue-1"), host("ldap-red-1")];
  return [
    { from: pod("shop/order-input"), to: pod(CUSTOMER_RECORD), port: 8443, is: "open" },
    { from: pod("shop/order-input"), to: pod(CUSTOMER_RECORD), port: 8080, is: "closed" },
    { from: pod("geo/geo-location"), to: pod(CUSTOMER_RECORD), port: 8443, is: "closed" },
    { from: pod("geo/geo-confirm"), to: pod("geo/ip-map"), port: 8080, is: "open" },
    { from: pod("credit/credit-check"), to: blue, port: 636, is: "open" },
    { from: pod("credit/credit-check"), to: blue, port: 8080, is: "closed" },
    { from: pod("shop/order-input"), to: blue, port: 636, is: "closed" },
    { from: pod("shop/order-input"), to: red, port: 636, is: "open" },
    { from: pod("monitoring/prometheus"), to: blue, port: 9100, is: "open" },
    { from: blue, to: host("ldap-blue-2"), port: 636, is: "open" },
    { from: blue, to: red, port: 636, is: "closed" },
    { from: blue, to: pod("shop/order-input"), port: 8443, is: "open" },
    { from: blue, to: pod(CUSTOMER_RECORD), port: 8443, is: "closed" },
    { from: pod("shop/order-input", us), to: pod(CUSTOMER_RECORD), port: 8443, is: "open" },
    { from: pod("shop/order-input"), to: pod(CUSTOMER_RECORD, us), port: 8443, is: "open" },
    { from: pod("geo/geo-location", us), to: pod(CUSTOMER_RECORD), port: 8443, is: "closed" },
    { from: pod("credit/credit-check", us), to: blue, port: 636, is: "open" },
    { from: pod("credit/credit-status"), to: mainframe, port: 1414, is: "open" },
    { from: pod(CUSTOMER_RECORD), to: mainframe, port: 1414, is: "closed" },
  ];
}

function hasPeers(rule: unknown): boolean {
  const { from, to } = rule as { from?: readonly unknown[]; to?: readonly unknown[] };
  return (from ?? to ?? []).length > 0;
}

function extraPolicy(port: string): string {
  return `apiVersion: firebreak.dev/v1alpha1
kind: Policy
metadata: {name: extra}
spec:
  owner: team-geo
  reason: A place is stored with the customer.
  rules:
    - {from: [geo-location], to: [cust-record], ports: [${port}]}
`;
}

async function openWork({ settings }: Firebreak): Promise<number> {
  const text = await (
    await fetch(`http://${settings.listen}/metrics`, { headers: await authorization(settings.stateFolder) })
  ).text();
  return Number(/^firebreak_work_open (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
}

async function authorization(stateFolder: string): Promise<Record<string, string>> {
  const { readFile } = await import("node:fs/promises");
  return { authorization: `Bearer ${(await readFile(`${stateFolder}/api.token`, "utf8")).trim()}` };
}
