/** A real Prometheus Alertmanager on a free loopback port. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./ports.ts";
import type { Run } from "./run.ts";
import { waitFor } from "./wait.ts";

/** An alert as `GET /api/v2/alerts` tells it. */
export interface LiveAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly status: { readonly state: string };
}

export interface TestAlertmanager extends AsyncDisposable {
  /** http://127.0.0.1:PORT */
  readonly url: string;
  /** Alerts that fire now. */
  alerts(): Promise<readonly LiveAlert[]>;
}

/** Starts it with one receiver that tells nobody, and waits until it is ready. */
export async function startAlertmanager({ run }: { readonly run: Run }): Promise<TestAlertmanager> {
  const port = await freePort();
  const folder = run.makeFolder("alertmanager");
  const config = join(folder, "alertmanager.yml");
  writeFileSync(config, "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n");
  const url = `http://127.0.0.1:${port}`;
  const daemon = run.start({
    label: `alertmanager on ${port}`,
    argv: [
      "prometheus-alertmanager",
      `--config.file=${config}`,
      `--storage.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--cluster.listen-address=",
    ],
  });
  const isReady = async (): Promise<boolean> => {
    daemon.check();
    return await fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  };
  await waitFor(isReady, { what: "Alertmanager is ready", timeoutMs: 20_000 });
  return {
    url,
    async alerts() {
      const response = await fetch(`${url}/api/v2/alerts?active=true&silenced=false&inhibited=false`);
      return (await response.json()) as readonly LiveAlert[];
    },
    [Symbol.asyncDispose]: async () => await daemon.stop(),
  };
}
