import { forgetScript, installScript } from "../../adapters/nftables/index.ts";
import { API, type ReconcileAnswer, type StatusAnswer } from "../../core/api/shapes.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { unknownTarget } from "../../core/model/unknown-name.ts";
import { formatReconcile } from "../../core/text/answers.ts";
import { ApiClient } from "../api.ts";
import { printResult, tell } from "../output.ts";
import { loadSettings } from "../settings.ts";
import type { ConfigOptions, OutputOptions } from "../tree/common.ts";
import { reachOf, runByAdmin, type AdminOptions } from "./hosts-setup.ts";

export interface HostsPersistOptions extends OutputOptions, ConfigOptions, AdminOptions {
  readonly printInstaller?: boolean;
  readonly off?: boolean;
  readonly yes?: boolean;
  readonly definitions?: string;
}

/**
 * `firebreak hosts persist [HOST…]`: has hosts looked at now, which writes what they load at their next start where it is not as it should
 * be (or takes it away, with `hosts.persist: false`). With `--print-installer`: what root runs once on a host whose apply user is not root.
 * With `--off`: what root runs to undo all of it; `--yes` runs it.
 */
export async function hostsPersist(names: readonly string[], options: HostsPersistOptions): Promise<number> {
  if (options.printInstaller === true) {
    process.stdout.write(installScript());
    return 0;
  }
  if (options.off === true) return await turnOff(names, options);
  if (options.yes === true) throw new FirebreakError("USAGE", "--yes goes with --off: without it nothing is asked");
  const api = await ApiClient.connect(options.config);
  const { targets } = await api.get<StatusAnswer>(API.status);
  const hosts = targets.map(({ target }) => target).filter((target) => target.startsWith("host/"));
  const unknown = names.find((name) => !hosts.includes(name));
  if (unknown !== undefined) throw unknownTarget(unknown, hosts);
  const asked: string[] = [];
  for (const target of names.length === 0 ? hosts : names)
    asked.push(...(await api.post<ReconcileAnswer>(API.reconcile, { target })).targets);
  await printResult(options.output, { targets: asked }, () => formatReconcile({ targets: asked }));
  return 0;
}

/** Nothing is run on a host unless `--yes` says so, and not while the service would keep the ruleset again. */
async function turnOff(names: readonly string[], options: HostsPersistOptions): Promise<number> {
  const [first] = names;
  if (first === undefined) throw new FirebreakError("USAGE", "name the hosts: firebreak hosts persist --off host/FLEET/NAME");
  const settings = await loadSettings(options.config);
  const reaches = [];
  for (const name of names) reaches.push(await reachOf(name, options.definitions, settings));
  const script = forgetScript();
  if (options.yes !== true) {
    process.stdout.write(script);
    for (const { id, address } of reaches)
      tell(`this is what root runs on ${id}: pipe it to \`ssh root@${address} sh -s\`, or let --yes do it`);
    tell("after it, a reboot leaves the host open until Firebreak looks at it; what is enforced now stays");
    if (settings.hosts.persist) tell(KEPT_AGAIN);
    return 0;
  }
  if (settings.hosts.persist) throw new FirebreakError("CONFIG_INVALID", KEPT_AGAIN);
  const { signal } = new AbortController();
  for (const reach of reaches) tell(`${reach.id}: ${await runByAdmin(reach, options, script, signal)}`);
  return 0;
}

const KEPT_AGAIN =
  "firebreak.yaml says hosts.persist: true, so the next run would keep the ruleset again: set hosts: {persist: false} and restart the service first";
