import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isEmptyPorts } from "../../../core/address/ports.ts";
import { beyond, differencePairs, isAmong } from "../../../core/adopt/pairs.ts";
import { intentOf } from "../../../core/intent/intent.ts";
import { withEdit } from "../../../core/adopt/file.ts";
import { liveSource } from "../../../core/enforced/source.ts";
import type { LiveTarget } from "../../../core/enforced/target.ts";
import type { NetworkPolicy } from "../../../core/render/networkpolicy-types.ts";
import { lineDiff } from "../../support/line-diff.ts";
import { adopt, driftAt, organisation, policyText, seen, worldOf } from "./world.ts";

const EU = "cluster/eu";
const SHOP = policyText("order", [
  "{from: [web], to: [db], ports: [8443/tcp]} # orders",
  "{from: [web], to: [only], ports: [80/tcp, 81/tcp]}",
]);
const FILES = organisation({ "order.yaml": `# who may\n${SHOP}` });

/** What somebody edits of a policy object. */
interface Spec {
  ingress: { from?: unknown[]; ports?: unknown[] }[];
}

/** Somebody edits the first policy object of the pods with this label. */
function edited(app: string, change: (spec: Spec) => void, files = FILES): LiveTarget {
  const policies = structuredClone(seen(worldOf(files).rendered).get(EU)) as Extract<LiveTarget, { kind: "cluster" }>;
  const found = policies.policies
    .map(({ object }) => object as NetworkPolicy)
    .find((object) => {
      return JSON.stringify(object.spec.podSelector).includes(`"${app}"`) && object.spec.policyTypes?.includes("Ingress");
    });
  if (found === undefined) throw new Error(`no object isolates ${app}`);
  change(found.spec as unknown as Spec); // a rendered one has them
  return policies;
}

function fileDiff(answer: ReturnType<typeof adopt>) {
  if (!("edit" in answer)) throw new Error(JSON.stringify(answer));
  return answer.edit.files.map(({ path, before, after }) => ({ path, ...lineDiff(before, after) }));
}

const peer = (app: string) => ({ podSelector: { matchLabels: { app } }, namespaceSelector: {} });

describe("a live change in the words of rules, and the smallest edit that says it", () => {
  // Bug: the live peer is not mapped back to the segment that holds it; or the rule lands in a file of its own.
  it("a peer that somebody let in becomes a rule of the policy that opens this responder", () => {
    const live = edited("only", (spec) => spec.ingress.push({ from: [peer("geo")], ports: [{ protocol: "TCP", port: 9000 }] }));
    const { adoption } = driftAt(FILES, EU, live);
    expect(adoption).toEqual({
      kind: "sayable",
      opened: [{ from: ["geo"], to: ["only"], ports: ["9000/tcp"] }],
      closed: [],
      scopes: [{ target: EU, as: ["initiator", "responder"], peers: [] }],
    });
    const answer = adopt(FILES, adoption);
    expect(fileDiff(answer)).toEqual([
      { path: "order.yaml", gone: [], fresh: ["    - {from: [geo], to: [only], ports: [9000/tcp]}"] },
    ]);
    expect(answer).toMatchObject({ edit: { elsewhere: { opened: [], closed: [] }, breaks: [] } });
  });

  // Bug: a rule beside one that names the same segments already.
  it("a port becomes a port of the rule with these segments", () => {
    const live = edited("only", (spec) => spec.ingress.push({ from: [peer("web")], ports: [{ protocol: "TCP", port: 82 }] }));
    const { adoption } = driftAt(FILES, EU, live);
    expect(fileDiff(adopt(FILES, adoption))).toEqual([
      {
        path: "order.yaml",
        gone: ["    - {from: [web], to: [only], ports: [80/tcp, 81/tcp]}"],
        fresh: ["    - {from: [web], to: [only], ports: [80/tcp, 81/tcp, 82/tcp]}"],
      },
    ]);
  });

  // Bug: what the same segments have on other clusters opens without a word.
  it("what a segment opens on other targets is told", () => {
    const live = edited("db", (spec) => spec.ingress.push({ from: [peer("web")], ports: [{ protocol: "TCP", port: 5432 }] }));
    const { adoption } = driftAt(FILES, EU, live);
    expect(adopt(FILES, adoption)).toMatchObject({ edit: { elsewhere: { opened: ["cluster/eu", "cluster/us"], closed: [] } } });
  });

  it("an address that no segment holds becomes a segment and a rule", () => {
    const live = edited("only", (spec) =>
      spec.ingress.push({ from: [{ ipBlock: { cidr: "203.0.113.0/24" } }], ports: [{ protocol: "TCP", port: 80 }] }),
    );
    const { adoption } = driftAt(FILES, EU, live);
    expect(adoption).toMatchObject({ opened: [{ from: ["203.0.113.0/24"], to: ["only"], ports: ["80/tcp"] }] });
    const answer = adopt(FILES, adoption);
    expect(fileDiff(answer).map(({ path, fresh }) => [path, fresh.at(-1)])).toEqual([
      ["adopted-203-0-113-0-24.yaml", '    - addresses: ["203.0.113.0/24"]'],
      ["order.yaml", "    - {from: [adopted-203-0-113-0-24], to: [only], ports: [80/tcp]}"],
    ]);
  });

  it("what was narrowed becomes the removal of the port, or of the rule", () => {
    const port = edited("only", (spec) => {
      spec.ingress[0]!.ports = [{ protocol: "TCP", port: 80 }];
    });
    expect(fileDiff(adopt(FILES, driftAt(FILES, EU, port).adoption))).toEqual([
      {
        path: "order.yaml",
        gone: ["    - {from: [web], to: [only], ports: [80/tcp, 81/tcp]}"],
        fresh: ["    - {from: [web], to: [only], ports: [80/tcp]}"],
      },
    ]);
    const rule = edited("only", (spec) => {
      spec.ingress = [];
    });
    expect(fileDiff(adopt(FILES, driftAt(FILES, EU, rule).adoption))).toEqual([
      { path: "order.yaml", gone: ["    - {from: [web], to: [only], ports: [80/tcp, 81/tcp]}"], fresh: [] },
    ]);
  });

  it("a policy goes with its only rule: its document, or its file", () => {
    const one = policyText("order", ["{from: [web], to: [only], ports: [80/tcp]}"]);
    const alone = organisation({ "order.yaml": one });
    const shared = organisation({
      "order.yaml": `${policyText("first", ["{from: [web], to: [db], ports: [1/tcp]}"])}---\n# why\n${one}`,
    });
    for (const [files, expected] of [
      [alone, ""],
      [shared, policyText("first", ["{from: [web], to: [db], ports: [1/tcp]}"])],
    ] as const) {
      const live = edited("only", (spec) => void (spec.ingress = []), files);
      const answer = adopt(files, driftAt(files, EU, live).adoption);
      expect(answer).toMatchObject({ edit: { files: [{ path: "order.yaml", after: expected }] } });
    }
  });

  it.each<[string, string, (spec: Spec) => void, string]>([
    ["a pod in no segment", "only", (spec) => spec.ingress.push({ from: [peer("stray")] }), "no segment says"],
    ["half of a segment", "only", (spec) => spec.ingress.push({ from: [{ ipBlock: { cidr: "192.0.2.0/25" } }] }), ""],
    ["nothing that anybody has", "only", (spec) => spec.ingress.push({ from: [peer("nobody")] }), "no connection of a workload"],
    ["an egress that stays closed", "only", (spec) => spec.ingress.push({ from: [peer("db")] }), "no connection of a workload"],
  ])("%s: no proposal, and why", (_name, app, change, why) => {
    const { adoption } = driftAt(FILES, EU, edited(app, change));
    if (why === "") expect(adoption).toMatchObject({ kind: "sayable", opened: [{ from: ["192.0.2.0/25"] }] });
    else expect(adoption).toMatchObject({ kind: "unsayable", why: expect.stringContaining(why) });
  });

  it("Git that says so already needs no edit", () => {
    const said = {
      kind: "sayable",
      opened: [{ from: ["web"], to: ["db"], ports: ["8443/tcp"] }],
      closed: [],
      scopes: [{ target: EU, as: ["initiator", "responder"], peers: [] }],
    } as const;
    expect(adopt(FILES, said)).toEqual({ said: true });
    const gone = {
      kind: "sayable",
      opened: [{ from: ["left"], to: ["db"], ports: ["8443/tcp"] }],
      closed: [],
      scopes: [{ target: EU, as: ["initiator", "responder"], peers: [] }],
    } as const;
    expect(adopt(FILES, gone)).toEqual({ none: "there is no segment left any more" });
  });
});

const NAMES = ["web", "geo", "db", "only", "ldap", "office"];
const PORTS = ["80/tcp", "81/tcp", "5432/tcp", "53/udp"];
const someRule = fc.record({
  from: fc.subarray([...NAMES, "any"], { minLength: 1, maxLength: 2 }),
  to: fc.subarray(["web", "geo", "db", "only", "ldap"], { minLength: 1, maxLength: 2 }),
  ports: fc.subarray(PORTS, { minLength: 1, maxLength: 3 }),
});
type SomeRule = { readonly from: readonly string[]; readonly to: readonly string[]; readonly ports: readonly string[] };
const ruleOf = ({ from, to, ports }: SomeRule): string =>
  `{from: [${from.join(", ")}], to: [${to.join(", ")}], ports: [${ports.join(", ")}]}`;
const filesOf = (rules: readonly SomeRule[]) =>
  organisation(rules.length === 0 ? {} : { "a.yaml": policyText("a", rules.map(ruleOf)) });

describe("after the merge Git says what is live, and nothing else", () => {
  it("whatever rules there are, and whichever came or went at one target", () => {
    let adopted = 0;
    fc.assert(
      fc.property(
        fc.array(someRule, { minLength: 1, maxLength: 4 }),
        someRule,
        fc.constantFrom("add", "remove", "port"),
        fc.constantFrom(EU, "host/dir/ldap-1"),
        (rules, extra, kind, target) => {
          const files = filesOf(rules);
          const changed =
            kind === "add"
              ? [...rules, extra]
              : kind === "remove"
                ? rules.slice(1)
                : rules.map((rule, index) => (index === 0 ? { ...rule, ports: extra.ports } : rule));
          const drifted = seen(worldOf(filesOf(changed)).rendered).get(target);
          if (drifted === undefined) throw new Error(target);
          const { before, after, adoption } = driftAt(files, target, drifted);
          const answer = adopt(files, adoption);
          if (!("edit" in answer)) return;
          adopted += 1;
          const { edit } = answer;
          if (adoption.kind !== "sayable") throw new Error("an edit for what cannot be said");
          const { scopes } = adoption;
          const merged = worldOf(edit.files.reduce(withEdit, files));
          const names = intentOf(merged.definitions, after.estate, { as: "approved" });
          const merge = liveSource(after.estate, seen(merged.rendered));
          // In the scope of what was found: as it was found. Re-planning would change no connection there.
          const rest = differencePairs(after, merge, names).changes.filter(({ from, to }) => isAmong(scopes, from, to));
          expect(
            rest.map(({ from, to }) => [from.workloads, to.workloads]),
            JSON.stringify([adoption, edit.files]),
          ).toEqual([]);
          // Elsewhere: what changes is told.
          for (const change of differencePairs(before, merge, names).changes) {
            if (isAmong(scopes, change.from, change.to)) continue;
            if (!isEmptyPorts(change.opened))
              expect(edit.elsewhere.opened).toEqual(expect.arrayContaining([...beyond(scopes, change.from, change.to)]));
            if (!isEmptyPorts(change.closed))
              expect(edit.elsewhere.closed).toEqual(expect.arrayContaining([...beyond(scopes, change.from, change.to)]));
          }
        },
      ),
      { numRuns: 60 },
    );
    expect(adopted).toBeGreaterThan(10);
  }, 120_000);
});
