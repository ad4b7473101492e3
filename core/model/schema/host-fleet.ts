import { z } from "zod";
import { cidrs, HostAddress } from "./addresses.ts";
import { Mode } from "./cluster.ts";
import { ApiVersion, LabelMap, Metadata, Name } from "./names.ts";
import { PortList } from "./ports.ts";
import { parsedText, quote, refuse } from "./text.ts";

const USER = /^[a-z_][a-z0-9_-]{0,31}$/;

const User = parsedText<string>({ description: "The user to log in as.", pattern: USER.source }, (text) => {
  if (USER.test(text)) return { ok: text };
  const detail = "Lower-case letters, digits, _ and -, beginning with a letter or _, at most 32";
  return { code: "bad-user", summary: `${quote(text)} is not a user name`, detail };
});

const Transport = z
  .strictObject({
    ssh: z
      .strictObject({
        user: User,
        port: z.int().min(1).max(65535).default(22).meta({ description: "The port that sshd listens on." }),
      })
      .optional()
      .meta({ description: "Over OpenSSH, with pinned host keys." }),
    local: z.strictObject({}).optional().meta({
      description:
        "The host that the service itself runs on: `local: {}`; the operator's firebreak.yaml must allow it (allow.local).",
    }),
  })
  .superRefine((transport, context) => {
    if (context.issues.length > 0) return; // an unknown key is told already, and is probably what is missing
    if ((transport.ssh === undefined) !== (transport.local === undefined)) return;
    const detail = "Write ssh: {user: NAME}, or local: {} for the host that the service runs on";
    const summary = transport.ssh === undefined ? "transport says neither ssh nor local" : "ssh and local exclude each other";
    refuse(context, transport, { code: "bad-transport", summary, detail });
  });

const Host = z.strictObject({
  name: Name,
  addresses: z
    .array(HostAddress)
    .min(1)
    .meta({ description: "All addresses of the host; these are the truth, another one found there is a finding." }),
  labels: LabelMap.default({}).meta({ description: "Laid over the labels of the fleet." }),
});

const Lifeline = z.strictObject({ from: cidrs("Who may always connect."), ports: PortList }).meta({
  description: "Connections that are never cut; adds to the floor of the service's own configuration, never removes from it.",
});

/** Linux hosts that are reached in one way. */
export const HostFleetDocument = z
  .strictObject({
    apiVersion: ApiVersion,
    kind: z.literal("HostFleet"),
    metadata: Metadata,
    spec: z.strictObject({
      mode: Mode,
      transport: Transport.meta({ description: "How the hosts are reached." }),
      lifeline: Lifeline.optional(),
      hosts: z.array(Host).min(1).meta({ description: "The hosts; each is a target that enforces by nftables." }),
    }),
  })
  .meta({ description: "Linux hosts: each is a target that enforces by nftables." });
export type HostFleetDocument = z.output<typeof HostFleetDocument>;
