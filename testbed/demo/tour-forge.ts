/** The steps of the tour on a forge: from a pull request to its merge, and from an edit behind Git's back to a pull request. */
import type { FindingAnswer } from "../../core/api/shapes.ts";
import type { HostedPull } from "../forge-repository.ts";
import { waitFor } from "../wait.ts";
import { BOT, type ForgeStage } from "./forge-stage.ts";
import { watchPackets } from "./packets.ts";
import type { Pods } from "./stage.ts";
import { expect, type Step } from "./step.ts";

const PATIENCE = { timeoutMs: 120_000, everyMs: 50 } as const;
const TARGET = "cluster/shop-eu";
const COLLECTION = "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies";
const ORDER_FLOW = "policies/policies/order-flow.yaml";
const ASKED = "    - {from: [order-input], to: [cust-record], ports: [8443/tcp]}\n";

/** The steps, in their order: each goes on where the one before ended. */
export function forgeSteps(orderFlow: string, pods: Pods): readonly Step<ForgeStage>[] {
  const place = (name: string) => {
    const pod = pods.get("shop-eu")?.get(name);
    if (pod === undefined) throw new Error(`shop-eu has no pod ${name}`);
    return pod;
  };
  const way = (port: number) => ({
    from: place("geo/geo-location"),
    to: place("shop/cust-record"),
    port,
    name: `shop-eu/geo-location → shop-eu/cust-record:${port}`,
  });
  return [
    {
      title: "A pull request would let development into production",
      async run(stage) {
        const rule = "    - {from: [dev], to: [cust-record], ports: [8443/tcp]}\n";
        const pull = await propose(stage, "dev-access", "Developers look at customers", orderFlow.replace(ASKED, ASKED + rule));
        await check(stage, pull, "failure");
      },
    },
    {
      title: "A pull request says what it opens; an approval and a merge, and it is in force",
      async run(stage) {
        const { hosted, reviewer, service, voice, world, signal } = stage;
        await using watch = watchPackets(way(8443), signal);
        await watch.first(false, 0);
        const rule = ASKED.replace("order-input", "geo-location");
        const pull = await propose(stage, "geo-customers", "Locations read customers", orderFlow.replace(ASKED, rule + ASKED));
        await hosted.approve(pull.number, reviewer);
        voice.detail("approved", `by ${reviewer.name}`);
        await check(stage, pull, "success");
        await merge(stage, pull);
        await watch.first(true, 0);
        voice.detail("packets", `${way(8443).name}  closed, open now`);
        expect(service !== undefined && world.clusters.size > 0, "there is a cluster");
      },
    },
    {
      title: "Somebody opens a port with kubectl: healed, told in chat and in an issue, and proposed",
      async run(stage) {
        const { service, voice, signal, hosted, reviewer } = stage;
        await using watch = watchPackets(way(8080), signal);
        await watch.first(false, 0);
        const began = Date.now();
        await openByHand(stage);
        voice.detail("did", "kubectl --context shop-eu -n shop edit networkpolicy (geoLocation may reach 8080/tcp)");
        const found = async (): Promise<FindingAnswer | undefined> =>
          (await service.findingsSince(TARGET, began)).find(({ effect }) => effect.opened.length > 0);
        const finding = await waitFor(found, { what: "a finding", ...PATIENCE, signal });
        for (const connection of finding.effect.opened) voice.detail("opens", connection);
        await waitFor(async () => (await found())?.resolvedAt ?? undefined, { what: "it is healed", ...PATIENCE, signal });
        voice.detail("healed", "Git still says no");
        await waitFor(() => stage.heard.some((body) => body.includes(finding.fingerprint)), {
          what: "the chat hears",
          ...PATIENCE,
          signal,
        });
        voice.detail("chat", "heard of it, with what it opened");
        const issue = async () => (await issues(stage)).find(({ body }) => body.includes(finding.fingerprint));
        const told = await waitFor(issue, { what: "there is an issue", ...PATIENCE, signal });
        voice.detail("issue", `#${told.number} ${told.title}`);
        const asks = async () => (await hosted.pulls()).find(({ head }) => head.ref.startsWith("firebreak/adopt-"));
        const question = await waitFor(asks, { what: "a pull request asks", ...PATIENCE, signal });
        voice.detail("asks", `pull request #${question.number}: ${question.title}`);
        for (const line of await changedLines(stage, question)) voice.detail("", line);
        await hosted.approve(question.number, reviewer);
        await hosted.markReady(question, reviewer);
        voice.detail("approved", `by ${reviewer.name}, who says that it is no draft any more`);
        await merge(stage, question);
        await watch.first(true, 0);
        voice.detail("packets", `${way(8080).name}  closed, open now that Git says so`);
        await service.settled(TARGET);
        await waitFor(async () => (await issue())?.state === "closed", { what: "the issue is closed", ...PATIENCE, signal });
        voice.detail("closed", `issue #${told.number}; nothing is open any more`);
      },
    },
  ];
}

async function propose(stage: ForgeStage, branch: string, title: string, text: string): Promise<HostedPull> {
  const { hosted, author, voice, signal } = stage;
  await hosted.pushFiles({ [ORDER_FLOW]: text }, title, { branch, as: author });
  const began = Date.now();
  const pull = await hosted.openPull({ title, branch, as: author });
  voice.detail("asked", `pull request #${pull.number} by ${author.name}: ${title}`);
  const body = await waitFor(async () => await commentOn(stage, pull.number), { what: "a comment on it", ...PATIENCE, signal });
  voice.detail("comment", `after ${Date.now() - began} ms: ${headline(body)}`);
  return pull;
}

async function commentOn({ hosted }: ForgeStage, pull: number): Promise<string | undefined> {
  return (await hosted.comments(pull)).find(({ user }) => user.login === BOT)?.body;
}

/** The line that says what it opens and closes, without the marks of Markdown. */
function headline(body: string): string {
  const line = body.split("\n").find((candidate) => candidate.startsWith("**")) ?? "";
  return line.replaceAll(/[*`]/g, "");
}

async function check({ forge, hosted, voice, signal }: ForgeStage, { head }: HostedPull, state: string): Promise<void> {
  const path = `${hosted.api}/commits/${head.sha}/status`;
  const ours = async () => {
    const { statuses } = (await forge.call("GET", path)) as {
      readonly statuses: readonly { readonly context: string; readonly status: string; readonly description: string }[] | null;
    };
    return statuses?.find(({ context, status }) => context === "firebreak" && status === state);
  };
  const found = await waitFor(ours, { what: `its check is ${state}`, ...PATIENCE, signal });
  voice.detail("check", `${state}: ${found.description}`);
}

async function merge({ hosted, service, world, reviewer, voice }: ForgeStage, pull: HostedPull): Promise<void> {
  const commit = await hosted.merge(pull.number, reviewer);
  const { revision } = await service.inForce(commit, world.hosts.size + world.clusters.size);
  voice.detail("merged", `by ${reviewer.name}; revision ${revision?.sequence ?? 0} is read back on every target`);
}

async function openByHand({ world }: ForgeStage): Promise<void> {
  const { api } = world.cluster("shop-eu");
  const { items } = (await api.get(COLLECTION)) as unknown as { readonly items: readonly Live[] }; // a list has items
  const live = items.find(({ metadata }) => metadata.name.startsWith("fb-cust-record-i-"));
  if (live === undefined) throw new Error("cust-record is not isolated");
  const peer = { podSelector: { matchLabels: { app: "geoLocation" } }, namespaceSelector: { matchLabels: { team: "geo" } } };
  const ingress = [...live.spec.ingress, { from: [peer], ports: [{ protocol: "TCP", port: 8080 }] }];
  await api.call("PATCH", `${COLLECTION}/${live.metadata.name}?fieldManager=kubectl-edit`, { spec: { ingress } });
}

interface Live {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly ingress: readonly unknown[] };
}

interface Issue {
  readonly number: number;
  readonly title: string;
  readonly state: string;
  readonly body: string;
}

async function issues({ forge, hosted }: ForgeStage): Promise<readonly Issue[]> {
  return (await forge.call("GET", `${hosted.api}/issues?state=all&type=issues`)) as readonly Issue[];
}

/** Lines that a pull request adds or removes. */
async function changedLines({ hosted }: ForgeStage, { head }: HostedPull): Promise<readonly string[]> {
  return (await hosted.diff(head.ref)).split("\n").filter((line) => /^[+-](?![+-])/.test(line));
}
