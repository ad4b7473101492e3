import { isIP } from "node:net";
import { askHost } from "../../adapters/nftables/doctor.ts";
import type { SettingsFile } from "../../core/config/settings-schema.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import type { Target } from "../../core/model/target.ts";
import { clockCheck, fail, ok, trying, warn, type Check } from "./check.ts";

/** One host: reachability, its pinned key, nft, what sudo lets us do, its clock, and what loads the ruleset at its start. */
export async function checkHost(
  { id, fleet, host }: Extract<Target, { kind: "host" }>,
  settings: SettingsFile,
  controlFolder: string,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  return await trying(id, "ssh", async () => {
    const { transport } = fleet;
    const { identityFile, knownHosts } = settings.ssh;
    if (transport.kind === "ssh" && (identityFile === undefined || knownHosts === undefined))
      throw new FirebreakError("CONFIG_INVALID", "firebreak.yaml needs ssh.identityFile and ssh.knownHosts");
    const address = host.addresses.find((text) => isIP(text) === 4) ?? host.addresses[0] ?? "";
    const how =
      transport.kind === "local"
        ? ({ kind: "local" } as const)
        : ({
            kind: "ssh",
            address,
            user: transport.user,
            port: transport.port,
            identityFile: identityFile ?? "",
            knownHostsFile: knownHosts ?? "",
            controlFolder,
          } as const);
    const before = Date.now();
    const said = await askHost(id, how, signal);
    const middle = (before + Date.now()) / 2;
    const reached =
      transport.kind === "local" ? "this machine" : `${transport.user}@${address} lets us in, and showed the pinned key`;
    return [
      ok(id, "ssh", reached),
      said.nft === "" ? fail(id, "nft", "is not installed", "Install nftables.") : ok(id, "nft", said.nft),
      ...(said.missing.length === 0
        ? []
        : [fail(id, "programs", `missing: ${said.missing.join(", ")}`, "Install util-linux, coreutils and iproute2.")]),
      said.refused.length === 0
        ? ok(id, "rights", said.isRoot ? "root" : "sudo lets it do all that is needed, and asks for no password")
        : fail(
            id,
            "rights",
            `sudo refuses ${said.refused.length}: ${said.refused.slice(0, 3).join("; ")}${said.refused.length > 3 ? " …" : ""}`,
            `firebreak hosts setup ${id} prints the file for /etc/sudoers.d`,
          ),
      clockCheck(id, said.seconds + 0.5 - middle / 1000),
      ...bootCheck(id, said.boot, settings.hosts.persist),
    ];
  });
}

function bootCheck(id: string, boot: "ready" | "missing" | "none", isWanted: boolean): readonly Check[] {
  if (!isWanted) return [];
  if (boot === "ready") return [ok(id, "reboot", "the confirmed ruleset is loaded before the network is up")];
  const remedy =
    boot === "missing"
      ? `firebreak hosts setup ${id}, or hosts persist once it is applied, installs what loads it`
      : "Only systemd and OpenRC load it; anywhere else load /etc/firebreak/ruleset.json before the network, or set hosts.persist: false.";
  const found = boot === "missing" ? "nothing loads the ruleset at its start yet" : "neither systemd nor OpenRC runs there";
  return [warn(id, "reboot", `${found}: after a reboot it is open until it is looked at`, remedy)];
}
