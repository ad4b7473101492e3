/** Hosts: read and write nftables over OpenSSH. The public face of this folder. */
export { openHost } from "./host.ts";
export { applyAuthorizedKey, readbackAuthorizedKey, READBACK_PATH, sudoersLines } from "./install.ts";
export { forgetScript, installScript } from "./persist-script.ts";
export { parseReadback } from "./readback.ts";
export { READBACK_SCRIPT } from "./readback-script.ts";
export type {
  ApplyOptions,
  ApplyOutcome,
  ApplyStage,
  HostAccess,
  HostConnection,
  HostTransport,
  OpenHostOptions,
  ReadAnswer,
} from "./connection.ts";
export type { SshTransport } from "./ssh.ts";
