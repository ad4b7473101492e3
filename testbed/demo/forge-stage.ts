/** The last act's stage: the repository moves to a forge, where people review and are told. */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { errorChain } from "../../core/ground/error.ts";
import { buildPart } from "../build.mjs";
import { createHostedRepository, type Account, type HostedRepository } from "../forge-repository.ts";
import { startForge, type Forge } from "../forge.ts";
import { writeSettings } from "../organisation.ts";
import { freePort } from "../ports.ts";
import type { Run } from "../run.ts";
import { startService } from "./service.ts";
import { HOST_SETTINGS, type Stage } from "./stage.ts";

/** The account that Firebreak has on the forge. */
export const BOT = "firebreak-bot";

/** What the last act is played on: the stage, its repository on a forge, two people, and a chat that keeps what it hears. */
export interface ForgeStage extends Stage {
  readonly forge: Forge;
  readonly hosted: HostedRepository;
  readonly author: Account;
  readonly reviewer: Account;
  /** Bodies of the messages, as they came. */
  readonly heard: readonly string[];
}

/** Builds the forge (minutes at the first run, with progress); says why there is none. */
export async function buildForge({
  voice,
  signal,
}: Pick<Stage, "voice" | "signal">): Promise<{ readonly missing: string } | undefined> {
  const built = await buildPart("forge", { log: (line) => voice.aside(line), signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    return { missing: errorChain(error).join(", because ") };
  });
  return "missing" in built ? built : undefined;
}

/**
 * Moves the repository to a forge, history and all, and starts Firebreak anew on it: same state, other URL. From now on a change needs one
 * approval, and drift is healed, told in chat and in an issue, and proposed.
 */
export async function moveToForge(stage: Stage): Promise<ForgeStage> {
  const { world, voice, signal } = stage;
  const { run } = world;
  const forge = await startForge({ run, signal });
  const hosted = await createHostedRepository(run, forge, "network");
  await hosted.takeOver(world.git.path);
  const [author, reviewer, bot] = [
    await hosted.addAccount("ada"),
    await hosted.addAccount("rik"),
    await hosted.addAccount(BOT, "admin"),
  ];
  voice.say(`the repository is on a forge now, ${forge.url}; ada and rik may push, ${BOT} is Firebreak`);
  const chat = await openChat(run);
  await stage.service.stop();
  const secrets = run.makeFolder("secrets");
  const keep = (name: string, text: string): string => {
    writeFileSync(join(secrets, name), text, { mode: 0o600 });
    return `file:${join(secrets, name)}`;
  };
  const webhookSecret = randomBytes(24).toString("hex");
  const listen = `127.0.0.1:${await freePort()}`;
  const stateFolder = dirname(stage.logFile);
  const { plan, hosts, rootAddress, kubeconfig, readerKubeconfig, sshKey, sshReadKey } = world;
  const settingsFile = writeSettings({
    world: { plan, hosts, rootAddress, kubeconfig, readerKubeconfig, sshKey, sshReadKey, repository: hosted },
    stateFolder,
    listen,
    extra: {
      hosts: HOST_SETTINGS,
      repository: { webhookSecret: keep("webhook", webhookSecret) },
      forge: {
        kind: "gitea",
        url: forge.baseUrl,
        repository: `${hosted.owner}/${hosted.name}`,
        token: keep("forge", bot.token),
      },
      channels: { chat: { webhook: { url: chat.url } } },
    },
  });
  const service = await startService({ run, settingsFile, logFile: stage.logFile, signal });
  try {
    await hosted.addWebhook(`http://${listen}/webhook/git`, webhookSecret);
    const commit = await hosted.pushFiles({ "policies/workspace.yaml": WORKSPACE }, "One approval; drift is told and proposed");
    const { targets } = await service.inForce(commit, world.hosts.size + world.clusters.size);
    voice.say(`firebreak up runs again, on the forge's repository; all ${targets.length} targets are in sync`);
    // The key and the checkpoint of the very beginning: the log must go on from there.
    const { pinnedKey, firstCheckpoint } = stage.service;
    const pinned = { ...service, pinnedKey, firstCheckpoint };
    return { ...stage, settingsFile, service: pinned, repository: hosted, forge, hosted, author, reviewer, heard: chat.heard };
  } catch (error) {
    await service.stop();
    throw error;
  }
}

const WORKSPACE = `apiVersion: firebreak.dev/v1alpha1
kind: Workspace
spec:
  internal: [10.0.0.0/8, 172.16.0.0/12]
  require: [owner, reason]
  approvals: {required: 1}
  drift:
    default: [alert, heal, issue, propose]
  routes:
    - {match: {severity: [critical, high]}, groupWait: 1s, groupInterval: 1s}
`;

/** A chat's incoming webhook, as far as one is needed to read what comes in. */
async function openChat(run: Run): Promise<{ readonly url: string; readonly heard: readonly string[] }> {
  const heard: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      heard.push(Buffer.concat(chunks).toString());
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  run.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard };
}
