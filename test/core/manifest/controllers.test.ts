import { describe, expect, test } from "vitest";
import { readManifests } from "../../../core/manifest/read.ts";
import type { Manifests } from "../../../core/manifest/read.ts";
import { manifestDiff } from "../../../core/reach/manifest-diff.ts";
import { reachOf } from "../../../core/reach/matrix.ts";
import { answerProbe, endpointFinder } from "../../../core/reach/probe.ts";
import { expandPairs } from "../../../core/reach/render.ts";
import { evaluator } from "../../../core/verdict/evaluator.ts";
import { KUBE_NETWORK_POLICIES as PROFILE, PROFILES } from "../../../core/verdict/profile.ts";
import { files } from "./files.ts";

function manifests(...objects: readonly object[]): Manifests {
  const { manifests: read, notes } = readManifests(files({ "a.json": [NAMESPACE, DB, ...objects] }));
  if (read === undefined) throw new Error(notes.map(({ summary }) => summary).join("\n"));
  return read;
}

const NAMESPACE = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
const pod = (name: string, ip?: string): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "shop", labels: { app: name } },
  spec: { containers: [{ name: "c", ports: [{ containerPort: 5432 }] }] },
  status: ip === undefined ? {} : { podIP: ip },
});
const DB = pod("db", "10.0.0.1");
const TEMPLATE = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c" }] } };

function workload(kind: string, name: string, spec: object = {}): object {
  const apiVersion = kind === "Job" || kind === "CronJob" ? "batch/v1" : "apps/v1";
  const whole = kind === "CronJob" ? { jobTemplate: { spec: { template: TEMPLATE, ...spec } } } : { template: TEMPLATE, ...spec };
  return { apiVersion, kind, metadata: { name, namespace: "shop" }, spec: whole };
}

function policy(name: string, spec: object): object {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace: "shop" }, spec };
}

/** Lets in those with the labels at db, and nobody else. */
function allow(podSelector: object): object {
  return policy("db", { podSelector: { matchLabels: { app: "db" } }, ingress: [{ from: [{ podSelector }] }] });
}

/** `open`, `closed`, or `uncertain`; the listing and the comparison with nothing must say the same. */
function ask(read: Manifests, src: string, dst: string, profile = PROFILE): string {
  const engine = evaluator(read.world, profile);
  const answer = answerProbe(engine, endpointFinder(read.world), { src, dst, protocol: "tcp", port: 5432 });
  if (answer.uncertain !== undefined) expect(answer.allowed).toBe(false);
  return answer.uncertain !== undefined ? "uncertain" : answer.allowed ? "open" : "closed";
}

describe("labels that the cluster adds (bug: a policy by such a label selects nobody, here)", () => {
  test.each([
    ["Job", { matchLabels: { "job-name": "x" } }, "open"],
    ["Job", { matchLabels: { "batch.kubernetes.io/job-name": "x" } }, "open"],
    ["Job", { matchLabels: { "batch.kubernetes.io/job-name": "y" } }, "closed"],
    ["Job", { matchLabels: { "controller-uid": "1" } }, "uncertain"],
    ["Job", { matchExpressions: [{ key: "batch.kubernetes.io/controller-uid", operator: "Exists" }] }, "open"],
    ["Job", { matchExpressions: [{ key: "job-name", operator: "DoesNotExist" }] }, "closed"],
    ["CronJob", { matchLabels: { "job-name": "x-1" } }, "uncertain"],
    ["CronJob", { matchLabels: { "job-name": "x-1", app: "other" } }, "closed"],
    ["CronJob", { matchExpressions: [{ key: "job-name", operator: "Exists" }] }, "open"],
    ["CronJob", { matchExpressions: [{ key: "job-name", operator: "NotIn", values: ["y"] }] }, "uncertain"],
    ["Deployment", { matchLabels: { "pod-template-hash": "5d8f" } }, "uncertain"],
    ["Deployment", { matchExpressions: [{ key: "pod-template-hash", operator: "Exists" }] }, "open"],
    ["ReplicaSet", { matchExpressions: [{ key: "pod-template-hash", operator: "Exists" }] }, "closed"],
    ["DaemonSet", { matchLabels: { "controller-revision-hash": "5d8f" } }, "uncertain"],
    ["DaemonSet", { matchExpressions: [{ key: "pod-template-generation", operator: "Exists" }] }, "open"],
    ["StatefulSet", { matchLabels: { "controller-revision-hash": "x-5d8f" } }, "uncertain"],
    ["StatefulSet", { matchLabels: { "statefulset.kubernetes.io/pod-name": "x-0" } }, "open"],
    ["StatefulSet", { matchLabels: { "apps.kubernetes.io/pod-index": "1" } }, "closed"],
  ])("%s and %j: %s", (kind, selector, answer) => {
    expect(ask(manifests(workload(kind, "x"), allow(selector)), "shop/x", "shop/db")).toBe(answer);
  });

  test("not those of a Job that is selected by hand, and not of another name", () => {
    const selector = { matchLabels: { "job-name": "x" } };
    expect(ask(manifests(workload("Job", "x", { manualSelector: true }), allow(selector)), "shop/x", "shop/db")).toBe("closed");
    const wrong = { ...TEMPLATE, metadata: { labels: { "job-name": "y" } } };
    expect(() => manifests(workload("Job", "x", { template: wrong }))).toThrow(/job-name must be "x"/);
  });

  test("pods of one StatefulSet are told apart (bug: all are what the first one is)", () => {
    const selector = { matchLabels: { "statefulset.kubernetes.io/pod-name": "x-0" } };
    const read = manifests(workload("StatefulSet", "x", { replicas: 2 }), allow(selector));
    expect(ask(read, "shop/x-0", "shop/db")).toBe("open");
    expect(ask(read, "shop/x-1", "shop/db")).toBe("closed");
    expect(ask(read, "shop/x", "shop/db")).toBe("uncertain");
    const later = manifests(workload("StatefulSet", "x", { replicas: 1, ordinals: { start: 3 } }), allow(selector));
    expect(ask(later, "shop/x-3", "shop/db")).toBe("closed");
    const indexed = { completionMode: "Indexed", completions: 2, parallelism: 2 };
    const byIndex = allow({ matchLabels: { "batch.kubernetes.io/job-completion-index": "1" } });
    expect(ask(manifests(workload("Job", "x", indexed), byIndex), "shop/x-1", "shop/db")).toBe("open");
    expect(ask(manifests(workload("Job", "x", indexed), byIndex), "shop/x-0", "shop/db")).toBe("closed");
    expect(ask(manifests(workload("StatefulSet", "x", { replicas: 1000 }), allow(selector)), "shop/x", "shop/db")).toBe(
      "uncertain",
    );
  });

  test("a policy that may isolate closes, and says so (bug: said open, is closed)", () => {
    const isolating = policy("x", { podSelector: { matchLabels: { "pod-template-hash": "1" } }, policyTypes: ["Egress"] });
    expect(ask(manifests(workload("Deployment", "x"), isolating), "shop/x", "shop/db")).toBe("uncertain");
    const other = policy("y", { podSelector: {}, policyTypes: ["Egress"] });
    expect(ask(manifests(workload("Deployment", "x"), isolating, other), "shop/x", "shop/db")).toBe("closed");
  });

  test("diff doubts what may be otherwise, and reach says how much is missing (bug: equivalent, and no note)", () => {
    const cron = workload("CronJob", "x");
    const [before, after] = [allow({ matchLabels: { "job-name": "a" } }), allow({ matchLabels: { "job-name": "b" } })];
    const { uncertain } = manifestDiff(manifests(cron, before), manifests(cron, after), PROFILE);
    expect(uncertain.map(({ text }) => text).join()).toMatch(
      /1 pairs may be otherwise, such as shop\/x\[CronJob\] → shop\/db: .*job-name/,
    );
    const { notes } = reachOf(manifests(cron, before), PROFILE);
    expect(notes.find(({ code }) => code === "uncertain")?.summary).toMatch(
      /1 pair of workloads, such as shop\/x\[CronJob\] → shop\/db/,
    );
    const { uncertain: none } = manifestDiff(manifests(cron, before), manifests(cron, before), PROFILE);
    expect(none).toEqual([]);
  });
});

describe("addresses that pods will get (bug: a pod of a template is in no block at all)", () => {
  const web = workload("Deployment", "web");
  const api = workload("Deployment", "api", { template: { ...TEMPLATE, metadata: { labels: { app: "api" } } } });
  const egress = (cidr: string, except?: readonly string[]): object =>
    policy("web", {
      podSelector: { matchLabels: { app: "web" } },
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr, ...(except && { except }) } }] }],
    });
  const node = (podCIDR: string): object => ({ apiVersion: "v1", kind: "Node", metadata: { name: "n" }, spec: { podCIDR } });
  const networks = (action: string, ...list: readonly string[]): object => ({
    apiVersion: "policy.networking.k8s.io/v1alpha2",
    kind: "ClusterNetworkPolicy",
    metadata: { name: `p-${action.toLowerCase()}` },
    spec: { tier: "Admin", priority: 5, subject: { namespaces: {} }, egress: [{ action, to: [{ networks: list }] }] },
  });

  test.each([
    ["everything", [egress("0.0.0.0/0")], "open"],
    ["everything but one private address", [egress("0.0.0.0/0", ["10.0.0.7/32"])], "uncertain"],
    ["everything but the metadata service", [egress("0.0.0.0/0", ["169.254.169.254/32"])], "open"],
    ["a private block", [egress("10.0.0.0/8")], "uncertain"],
    ["public addresses", [egress("198.51.100.0/24")], "closed"],
    ["the pod range, with the nodes there", [egress("10.0.0.0/8"), node("10.244.0.0/24")], "open"],
    ["another range, with the nodes there", [egress("172.16.0.0/12"), node("10.244.0.0/24")], "closed"],
    ["networks that deny everything", [networks("Deny", "0.0.0.0/0", "::/0")], "closed"],
    ["networks that deny everything of IPv4", [networks("Deny", "0.0.0.0/0")], "closed"],
    ["networks that may deny", [networks("Deny", "10.0.0.0/8")], "uncertain"],
    ["networks that accept, above isolation", [egress("198.51.100.0/24"), networks("Accept", "0.0.0.0/0", "::/0")], "open"],
    ["networks that may pass, above a denial", [networks("Pass", "10.0.0.0/8")], "uncertain"],
    ["one family of two that are in use", [networks("Deny", "0.0.0.0/0", "2001:db8::/32")], "uncertain"],
  ])("%s", (_, objects, answer) => {
    expect(ask(manifests(web, api, ...objects), "shop/web", "shop/api")).toBe(answer);
  });

  test("blocks of NetworkPolicies by the enforcer, networks of cluster-wide policies for everybody", () => {
    const read = manifests(web, api, egress("0.0.0.0/0"));
    expect(ask(read, "shop/web", "shop/api", PROFILES.cilium)).toBe("closed");
    const known = manifests(pod("a", "10.1.0.1"), pod("b", "10.1.0.2"), networks("Deny", "0.0.0.0/0"));
    expect(ask(known, "shop/a", "shop/b", PROFILES.cilium)).toBe("closed");
  });

  test("reach, verdict and diff say one thing (bug: verdict open, diff equivalent, and a note in reach only)", () => {
    const pairs = (read: Manifests): ReadonlySet<string> =>
      new Set(
        [...expandPairs(reachOf(read, PROFILE))]
          .filter(({ dst }) => dst.startsWith("shop/"))
          .map(({ src, dst }) => `${src} ${dst}`),
      );
    const [before, after] = [manifests(web, api, networks("Deny", "0.0.0.0/0", "::/0")), manifests(web, api)];
    expect(pairs(before)).not.toContain("shop/web[Deployment] shop/api[Deployment]");
    expect(pairs(after)).toContain("shop/web[Deployment] shop/api[Deployment]");
    expect(manifestDiff(before, after, PROFILE).kind).toBe("opens");
  });
});
