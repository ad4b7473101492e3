import { z } from "zod";
import { ChannelsSchema, hasCredentials, httpUrl, secret } from "./channels-schema.ts";
import { parseDurationMs } from "../ground/duration.ts";

/**
 * `firebreak.yaml`: the operator's file, never in the policy repository. It alone names credentials, URLs and folders;
 * `allow` bounds what definitions may name (docs/design/contracts.md "Who may say what").
 */

const MS = { least: 100, second: 1_000, hour: 3_600_000, day: 86_400_000 } as const;

/** A duration in text, ms afterwards. Bounded: nothing may run without a pause, and timers end at 24 days. */
function duration(leastMs: number, mostMs: number, bounds: string) {
  return z.string().transform((text, context) => {
    const ms = parseDurationMs(text);
    if (ms !== undefined && ms >= leastMs && ms <= mostMs) return ms;
    context.addIssue({ code: "custom", message: `must be a duration such as 500ms, 30s, 5m or 1h, ${bounds}` });
    return z.NEVER;
  });
}

const interval = duration(MS.least, MS.day, "from 100ms to 24h");

const cidr = z.string();
const ports = z.array(z.string()).nonempty();

const repository = z.strictObject({
  url: z
    .string()
    .refine(
      (text) => !hasCredentials(text),
      "must not hold credentials: put the user name into `repository.username`, and a reference to the password or token (env:NAME or file:PATH) into `repository.token`",
    )
    .meta({ description: "HTTP(S) URL of the policy repository, without credentials, or the path of a local one" }),
  branch: z.string().default("main").meta({ description: "Branch to follow" }),
  path: z.string().default("policies").meta({ description: "Folder of the definitions inside the repository" }),
  poll: interval
    .prefault("30s")
    .meta({ description: "How often the branch is asked, ±20 % jitter; a webhook only makes it sooner" }),
  username: z.string().default("firebreak").meta({ description: "User name for HTTP authentication" }),
  token: secret.optional().meta({ description: "Password or token for HTTP authentication" }),
  webhookSecret: secret
    .optional()
    .meta({ description: "Secret that signs push webhooks (HMAC-SHA256); unset: the webhook is off" }),
});

const allow = z
  .strictObject({
    contexts: z.array(z.string()).default([]).meta({ description: "kubeconfig contexts that definitions may name" }),
    hosts: z.array(cidr).default([]).meta({ description: "Networks in which host addresses may lie" }),
    users: z.array(z.string()).default([]).meta({ description: "SSH users that definitions may name" }),
    local: z
      .boolean()
      .default(false)
      .meta({ description: "Whether definitions may name the machine that the service runs on (`transport: {local: {}}`)" }),
  })
  .prefault({});

const lifeline = z
  .strictObject({
    from: z
      .array(cidr)
      .default([])
      .meta({ description: "Networks from which every host stays reachable, whatever the policies say" }),
    ports: ports.default(["22/tcp"]).meta({ description: "Ports that stay reachable from there" }),
  })
  .prefault({});

const kubernetes = z
  .strictObject({
    kubeconfig: z.string().optional().meta({ description: "kubeconfig with the contexts that `allow.contexts` lists" }),
  })
  .prefault({});

const ssh = z
  .strictObject({
    identityFile: z.string().optional().meta({ description: "Private key for hosts" }),
    knownHosts: z
      .string()
      .optional()
      .meta({ description: "Pinned host keys (known_hosts format); a host without an entry is refused" }),
  })
  .prefault({});

const readOnly = z
  .strictObject({
    kubeconfig: z
      .string()
      .optional()
      .meta({ description: "kubeconfig for the drift detector, same contexts, read-only rights; unset: the one above" }),
    identityFile: z.string().optional().meta({ description: "Key whose forced command is the read-back; unset: the one above" }),
  })
  .prefault({});

const hosts = z
  .strictObject({
    settle: duration(0, MS.hour, "up to 1h").prefault("60s").meta({
      description:
        "How long a host that is enforced for the first time lets everything pass, so that its kernel learns which sessions are open. Only then is anything closed",
    }),
    deadMan: duration(MS.second, MS.hour, "from 1s to 1h")
      .prefault("30s")
      .meta({ description: "After this a host restores its previous ruleset unless the apply was confirmed" }),
    readEvery: interval.prefault("10s").meta({ description: "How often the drift detector reads each host back" }),
    persist: z.boolean().default(true).meta({
      description:
        "Whether each host with systemd or OpenRC keeps its confirmed ruleset in /etc/firebreak and loads it before its network is up",
    }),
    readLimitMiB: z.int().min(1).max(256).default(16).meta({
      description:
        "Most that a host may send when it is read back, in MiB (100,000 addresses are 1.6); beyond it, it is not understood",
    }),
  })
  .prefault({});

const clusters = z
  .strictObject({
    readEvery: interval.prefault("5m").meta({ description: "How often a cluster's policies are listed anew beside the watch" }),
  })
  .prefault({});

const id = z.string().regex(/^[\w.-]+$/, "must be an id, in quotes when it is a number");

const app = z.strictObject({
  id: id.meta({ description: "App id or client id of a GitHub App" }),
  privateKey: secret.meta({ description: "Reference to its private key (PEM)" }),
  installationId: id.meta({ description: "Its installation on the repository's owner" }),
});

const forge = z
  .strictObject({
    kind: z.enum(["github", "gitea"]).meta({ description: "Which forge" }),
    url: httpUrl.meta({
      description:
        "API base URL: https://api.github.com, ending in /api/v3 for GitHub Enterprise, in /api/v1 for Gitea and Forgejo",
    }),
    repository: z
      .string()
      .regex(/^[^/\s]+\/[^/\s]+$/, "must be owner/name")
      .meta({ description: "The policy repository there, owner/name: its pull requests are reviewed, issues are opened in it" }),
    token: secret
      .optional()
      .meta({ description: "Token that may write contents, pull requests, issues and commit statuses; either this or `app`" }),
    app: app.optional(),
  })
  .superRefine(({ kind, token, app: given }, context) => {
    if ((token === undefined) === (given === undefined))
      context.addIssue({ code: "custom", message: "must have either token or app" });
    if (given !== undefined && kind !== "github")
      context.addIssue({ code: "custom", path: ["app"], message: "is GitHub's; use a token" });
  });

const listen = z
  .string()
  .regex(/^(\[[0-9A-Fa-f:.]+\]|[^\s:]+):\d{1,5}$/, "must be ADDRESS:PORT, with brackets around an IPv6 address")
  .refine((text) => Number(text.slice(text.lastIndexOf(":") + 1)) <= 65_535, "must have a port up to 65535");

export const SettingsSchema = z.strictObject({
  stateFolder: z
    .string()
    .default(".firebreak")
    .meta({ description: "Everything Firebreak keeps: store, log, key, Git cache, API token" }),
  repository,
  allow,
  lifeline,
  kubernetes,
  ssh,
  readOnly,
  hosts,
  clusters,
  database: secret
    .optional()
    .meta({ description: "Reference to a PostgreSQL URL; unset: embedded, in the state folder, one process" }),
  redis: secret.optional().meta({ description: "Reference to a Redis URL for the queue; unset: the queue lives in the database" }),
  forge: forge.optional(),
  channels: ChannelsSchema,
  listen: listen.default("127.0.0.1:7373").meta({ description: "Address and port of the API, health and metrics" }),
  api: z
    .strictObject({
      hostnames: z
        .array(z.string())
        .default([])
        .meta({ description: "Further names under which the API may be called (Host header)" }),
      token: secret.optional().meta({ description: "API token; unset: made on first start, in the state folder, mode 0600" }),
      readToken: secret
        .optional()
        .meta({ description: "A second token that may only read: for workflows, dashboards and scrapers; unset: there is none" }),
    })
    .prefault({}),
  audit: z
    .strictObject({
      origin: z.string().default("firebreak").meta({ description: "Origin line of checkpoints and name of the signing key" }),
      folder: z.string().optional().meta({ description: "Folder of the log; unset: audit/ in the state folder" }),
      keyFile: z
        .string()
        .optional()
        .meta({ description: "Private signing key; unset: audit.key in the state folder, made on first start" }),
    })
    .prefault({}),
  concurrency: z.int().min(1).max(256).default(16).meta({ description: "Targets reconciled at the same time" }),
  logLevel: z.enum(["debug", "info", "warn", "error"]).default("info").meta({ description: "Least level that is logged" }),
});

/** What the file says, defaults filled in, durations in ms; secrets still are references. */
export type SettingsFile = z.output<typeof SettingsSchema>;
