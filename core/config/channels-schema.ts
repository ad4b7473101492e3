import { z } from "zod";
import { withoutCredentials } from "../ground/error.ts";

/** A secret by reference: `env:NAME` or `file:PATH`. A literal is refused, so that no secret stands in the file. */
export const secret = z
  .string()
  .regex(/^(env|file):.+$/, "must be a reference, env:NAME or file:PATH; secrets do not stand in this file");

/** True for a URL with a user name or a password in it: it ends in the log, in messages and in other people's terminals. */
export function hasCredentials(text: string): boolean {
  return withoutCredentials(text) !== text;
}

export const httpUrl = z
  .string()
  .regex(/^https?:\/\/[^\s/]/, "must be an http or https URL")
  .refine((text) => !hasCredentials(text), "must not hold credentials: give them by reference, as `token` or `urlFrom` do");

const mailbox = z.string().regex(/^[^\s@]+@[^\s@]+$|^[^<>]+<[^\s@]+@[^\s@]+>$/, "must be an e-mail address");

const webhook = z.strictObject({
  url: httpUrl.optional().meta({ description: "Where to; instead of `urlFrom` when the URL is no secret" }),
  urlFrom: secret.optional().meta({ description: "Reference to the URL, when the URL is itself the secret" }),
  secret: secret.optional().meta({ description: "Signing secret, base64 (Standard Webhooks); unset: not signed" }),
  signature: z
    .enum(["hmac", "ed25519"])
    .default("hmac")
    .meta({ description: "How it is signed: HMAC-SHA256 (`v1`) or Ed25519 (`v1a`, the secret is the 32-byte seed)" }),
  template: z
    .enum(["json", "teams", "mattermost", "discord", "slack"])
    .default("json")
    .meta({ description: "The body: ours, or what that chat expects of an incoming webhook" }),
});

/** One way to tell people; exactly one kind. */
const KINDS = {
  webhook: webhook.optional().meta({ description: "A signed JSON webhook" }),
  slack: z
    .strictObject({ webhook: secret.meta({ description: "Reference to the URL of an incoming webhook" }) })
    .optional()
    .meta({ description: "Slack, incoming webhook: a message each time" }),
  slackBot: z
    .strictObject({
      token: secret.meta({ description: "Bot token: `chat:write`, and `channels:history` so that nothing is told twice" }),
      channel: z.string().min(1).meta({ description: "Channel id" }),
      url: httpUrl.optional().meta({ description: "API base URL; Slack's own when unset" }),
    })
    .optional()
    .meta({ description: "Slack, bot: one message per group, edited, with a thread" }),
  alertmanager: z
    .strictObject({ url: httpUrl.meta({ description: "Base URL of a Prometheus Alertmanager" }) })
    .optional()
    .meta({ description: "Prometheus Alertmanager: an alert per finding" }),
  email: z
    .strictObject({
      smtp: secret.meta({ description: "Reference to smtp://USER:PASSWORD@HOST:PORT or smtps://…" }),
      from: mailbox.meta({ description: "Sender" }),
      to: z.array(mailbox).nonempty().meta({ description: "Receivers" }),
    })
    .optional()
    .meta({ description: "Mail, a thread per group" }),
};

const channel = z.strictObject(KINDS).superRefine((given, context) => {
  const kinds = Object.values(given).filter((kind) => kind !== undefined).length;
  if (kinds !== 1) context.addIssue({ code: "custom", message: `must be exactly one of ${Object.keys(KINDS).join(", ")}` });
  const { webhook: hook } = given;
  if (hook !== undefined && (hook.url === undefined) === (hook.urlFrom === undefined))
    context.addIssue({ code: "custom", path: ["webhook"], message: "must have either url or urlFrom" });
});

/** Who can be told, by name; routes in the Workspace choose among them. */
export const ChannelsSchema = z
  .record(z.string().regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, "must be a name of lower-case letters, digits and dashes"), channel)
  .default({});

/** One channel of firebreak.yaml. */
export type ChannelSettings = z.output<typeof channel>;
