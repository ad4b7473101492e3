import { installScript } from "../../adapters/nftables/index.ts";
import { API, type ReconcileAnswer, type StatusAnswer } from "../../core/api/shapes.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { formatReconcile } from "../../core/text/answers.ts";
import { ApiClient } from "../api.ts";
import { printResult } from "../output.ts";
import type { ConfigOptions, OutputOptions } from "../tree/common.ts";

export interface HostsPersistOptions extends OutputOptions, ConfigOptions {
  readonly printInstaller?: boolean;
}

/**
 * `firebreak hosts persist [HOST…]`: has hosts looked at now, which writes what they load at their next start where it is not as it should
 * be (or takes it away, with `hosts.persist: false`). With `--print-installer`: what root runs once on a host whose apply user is not root.
 */
export async function hostsPersist(names: readonly string[], options: HostsPersistOptions): Promise<number> {
  if (options.printInstaller === true) {
    process.stdout.write(installScript());
    return 0;
  }
  const api = await ApiClient.connect(options.config);
  const { targets } = await api.get<StatusAnswer>(API.status);
  const hosts = targets.map(({ target }) => target).filter((target) => target.startsWith("host/"));
  const unknown = names.find((name) => !hosts.includes(name));
  if (unknown !== undefined) throw new FirebreakError("NOT_FOUND", `there is no host ${unknown}; firebreak status lists them`);
  const asked: string[] = [];
  for (const target of names.length === 0 ? hosts : names)
    asked.push(...(await api.post<ReconcileAnswer>(API.reconcile, { target })).targets);
  await printResult(options.output, { targets: asked }, () => formatReconcile({ targets: asked }));
  return 0;
}
