/** What people do behind Git's back, and what must become of it: found, told with what it opens, healed, logged, over. */
import { describe, expect, it } from "vitest";
import type { FindingAnswer } from "../../core/api/shapes.ts";
import type { FindingKind } from "../../core/finding/finding.ts";
import { waitFor } from "../../testbed/wait.ts";
import type { Firebreak } from "./e2e-firebreak.ts";
import { policiesOf, policyPath, tableOf, type LivePolicy, type Organisation } from "./e2e-organisation.ts";
import { becomes } from "./e2e-packets.ts";

/** The organisation and the Firebreak that watches it, once they are there. */
export type Stage = () => { readonly organisation: Organisation; readonly firebreak: Firebreak };

const CLUSTER = "cluster/shop-eu";
const HOST = "host/directory/ldap-blue-1";

/** All rules go, and ssh stays: a host that shuts out its healer is healed by nobody. */
const FLUSH = `nft -f - <<end
flush chain inet firebreak input
add rule inet firebreak input ct state established,related accept
add rule inet firebreak input tcp dport 22 accept
end`;

/** Every tampering as a test of its own. */
export function tamperings(stage: Stage): void {
  describe("when somebody writes to a cluster", () => {
    it("closes a default deny that was opened with `ingress: [{}]`", async () => {
      const { organisation, firebreak } = stage();
      const { eu, pod } = organisation;
      const [key, before] = await defaultDeny(organisation);
      const since = Date.now();
      await eu.api.call("PATCH", policyPath(key), { spec: { ingress: [{}] } });

      const finding = await firebreak.finding("modified", { target: CLUSTER, subject: `networkpolicy ${key}`, since, all: true });
      expect(finding.effect.opened.join()).toContain("shop/cust-record: any port");
      await isHealed(firebreak, finding);
      expect((await policiesOf(eu)).get(key)?.spec).toEqual(before.spec);
      await becomes("closed", pod("geo/geo-location"), pod("shop/cust-record"), 8443);
    });

    it("puts a deleted policy back", async () => {
      const { organisation, firebreak } = stage();
      const { eu, pod } = organisation;
      const [key, before] = await defaultDeny(organisation);
      const since = Date.now();
      await eu.api.remove(policyPath(key));

      const finding = await firebreak.finding("deleted", { target: CLUSTER, subject: `networkpolicy ${key}`, since, all: true });
      await isHealed(firebreak, finding);
      expect((await policiesOf(eu)).get(key)?.spec).toEqual(before.spec);
      await becomes("open", pod("shop/order-input"), pod("shop/cust-record"), 8443);
      await becomes("closed", pod("geo/geo-location"), pod("shop/cust-record"), 8443);
    });

    it("tells of a foreign policy that widens, with what it opens, and leaves it alone", async () => {
      const { organisation, firebreak } = stage();
      const { eu, pod } = organisation;
      await eu.api.put("/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies", foreignPolicy("let-everybody-in"));
      await becomes("open", pod("geo/geo-location"), pod("shop/cust-record"), 8443);

      const finding = await firebreak.finding("foreign", { target: CLUSTER, subject: "networkpolicy shop/let-everybody-in" });
      expect([finding.severity, finding.effect.verdict, finding.heals]).toEqual(["high", "opens", 0]);
      expect(finding.effect.opened.join()).toContain("shop/cust-record");
      expect((await policiesOf(eu)).has("shop/let-everybody-in")).toBe(true);

      await eu.api.remove(policyPath("shop/let-everybody-in"));
      await firebreak.resolved(finding.fingerprint);
      await becomes("closed", pod("geo/geo-location"), pod("shop/cust-record"), 8443);
    });
  });

  describe("when somebody writes on a host", () => {
    const OURS: readonly { readonly what: string; readonly kind: FindingKind; readonly script: string }[] = [
      {
        what: "appends an accept rule",
        kind: "ruleset-changed",
        script: "nft add rule inet firebreak input tcp dport 8080 accept",
      },
      { what: "inserts an accept rule", kind: "ruleset-changed", script: "nft insert rule inet firebreak input accept" },
      { what: "makes the table dormant", kind: "dormant", script: "nft add table inet firebreak '{ flags dormant; }'" },
      { what: "sets the policy to accept", kind: "ruleset-changed", script: "nft chain inet firebreak input '{ policy accept; }'" },
      { what: "deletes the table", kind: "table-missing", script: "nft delete table inet firebreak" },
      { what: "flushes a chain", kind: "ruleset-changed", script: FLUSH },
    ];
    for (const { what, kind, script } of OURS) {
      it(`heals it when somebody ${what}`, async () => {
        const { organisation, firebreak } = stage();
        const host = organisation.host("ldap-blue-1");
        const before = withoutFence(await tableOf(host));
        const since = Date.now();
        await host.exec(script);

        const finding = await firebreak.finding(kind, { target: HOST, since, all: true });
        expect(["opens", "both", "closes", "equivalent"]).toContain(finding.effect.verdict);
        await isHealed(firebreak, finding);
        expect(withoutFence(await tableOf(host))).toBe(before);
        await becomes("closed", organisation.pod("shop/order-input"), host, 8080);
        await becomes("open", organisation.pod("credit/credit-check"), host, 636);
      });
    }

    it("takes an address out of a set that nobody published, and says whom it let in", async () => {
      const { organisation, firebreak } = stage();
      const [host, stranger] = [organisation.host("ldap-blue-1"), organisation.pod("geo/geo-location")];
      const set = setWith(await tableOf(host), organisation.pod("credit/credit-check").address);
      const since = Date.now();
      await host.exec(`nft add element inet firebreak ${set} '{ ${stranger.address} }'`);

      const finding = await firebreak.finding("unpublished-element", { target: HOST, subject: `set ${set}`, since, all: true });
      expect([finding.effect.verdict, finding.effect.opened.join()]).toEqual(["opens", expect.stringContaining(stranger.address)]);
      await isHealed(firebreak, finding);
      await becomes("closed", stranger, host, 636);
      expect(await tableOf(host)).not.toContain(stranger.address);
    });

    it("tells of a foreign nat redirect with what it opens, and leaves it alone", async () => {
      const { organisation, firebreak } = stage();
      const host = organisation.host("ldap-blue-1");
      const chain = "nft add chain ip theirs pre '{ type nat hook prerouting priority -100; }'";
      await host.exec(`nft add table ip theirs; ${chain}; nft add rule ip theirs pre tcp dport 8081 redirect to :636`);

      const finding = await firebreak.finding("foreign-nat", { target: HOST });
      expect([finding.effect.verdict, finding.heals]).toEqual(["opens", 0]);
      expect(finding.effect.opened.join()).toContain("8081/tcp, answered by port 636");
      expect(await host.exec("nft list table ip theirs")).toContain("redirect to :636");

      await host.exec("nft delete table ip theirs");
      await firebreak.resolved(finding.fingerprint);
    });
  });
}

/** Healed, over, and in the log: opened, an apply that worked, resolved. Updates of address sets alone run under the intent in force. */
export async function isHealed(firebreak: Firebreak, { fingerprint, target, kind }: FindingAnswer): Promise<void> {
  const { heals } = await firebreak.resolved(fingerprint);
  expect(heals, `heals of ${kind}`).toBeGreaterThan(0);
  const types = async (): Promise<readonly string[]> => {
    const log = await firebreak.log();
    const from = log.findLastIndex((entry) => entry.type === "finding.opened" && entry.finding.fingerprint === fingerprint);
    return log.slice(from).flatMap((entry) => {
      if (entry.type === "finding.opened" || entry.type === "finding.resolved")
        return entry.finding.fingerprint === fingerprint ? [entry.type] : [];
      return entry.type === "apply.outcome" && entry.target.id === target ? [`${entry.type} ${entry.outcome}`] : [];
    });
  };
  const isLogged = async (): Promise<boolean> => {
    const logged = await types();
    const isApplied = kind === "unpublished-element" || logged.includes("apply.outcome ok");
    return logged[0] === "finding.opened" && isApplied && logged.includes("finding.resolved");
  };
  await waitFor(isLogged, { what: `the log tells how ${kind} was opened, healed and resolved`, timeoutMs: 20_000, everyMs: 100 });
}

/** The object of cust-record that denies by default: its ingress is empty or allows only what rules allow. */
export async function defaultDeny({ eu }: Organisation, of = "shop/fb-cust-record-"): Promise<readonly [string, LivePolicy]> {
  const found = [...(await policiesOf(eu))].find(([key, { spec }]) => key.startsWith(of) && spec.policyTypes.includes("Ingress"));
  if (found === undefined) throw new Error(`nothing isolates ${of}`);
  return found;
}

/** A policy of somebody else that lets everybody reach cust-record. */
export function foreignPolicy(name: string) {
  const spec = { podSelector: { matchLabels: { app: "custRecord" } }, policyTypes: ["Ingress"], ingress: [{}] };
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name }, spec };
}

/** The generation in the fence goes on with every write. */
export function withoutFence(table: string): string {
  return table.replace(/set fence \{[^}]*\}[^}]*\}/, "set fence");
}

/** Name of the first set that holds an address. */
function setWith(table: string, address: string): string {
  const found = [...table.matchAll(/set (\S+) \{([^]*?)\n\t\}/g)].find(([, , body]) => body?.includes(address));
  if (found?.[1] === undefined) throw new Error(`no set holds ${address}:\n${table}`);
  return found[1];
}
