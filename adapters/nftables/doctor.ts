import { FirebreakError } from "../../core/ground/error.ts";
import type { HostTransport } from "./connection.ts";
import { rootCommands } from "./install.ts";
import { KEPT } from "./persist-script.ts";
import { openRemote } from "./remote.ts";
import { plainText } from "./ssh.ts";

/** What a host says of itself. */
export interface HostAnswers {
  readonly isRoot: boolean;
  /** `nftables v1.0.6 (…)`; empty: not there. */
  readonly nft: string;
  /** Programs that our scripts need and that are not there. */
  readonly missing: readonly string[];
  /** Commands that sudo does not let us run without a password. */
  readonly refused: readonly string[];
  /** Its clock: whole seconds since the epoch. */
  readonly seconds: number;
  /** What loads the ruleset at its start; `none`: neither systemd nor OpenRC runs there. */
  readonly boot: "ready" | "missing" | "none";
}

/** Changes nothing. $@: the commands to ask sudo about. */
const ASK = `export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
echo "=time $(date +%s)"
echo "=uid $(id -u)"
echo "=nft $(nft --version 2>/dev/null | head -n 1)"
for need in setsid sha256sum mktemp ip; do command -v "$need" >/dev/null 2>&1 || echo "=missing $need"; done
if [ -d /run/systemd/system ]; then [ -e ${KEPT.wants} ] && [ -e ${KEPT.dropIn} ] && echo "=boot ready" || echo "=boot missing"
elif [ -d /run/openrc ]; then [ -e ${KEPT.runlevel} ] && echo "=boot ready" || echo "=boot missing"
else echo "=boot none"; fi
[ "$(id -u)" -eq 0 ] || for words in "$@"; do sudo -n -l $words >/dev/null 2>&1 || echo "=refused $words"; done
`;

/** Asks a host what it has and what it lets us do, with the apply key. @throws FirebreakError as `observe` of a connection */
export async function askHost(target: string, transport: HostTransport, signal: AbortSignal): Promise<HostAnswers> {
  const remote = openRemote(target, transport);
  try {
    const command = { script: ASK, args: rootCommands() };
    const { stdout, stderr, status } = await remote.execute({ command, deadlineMs: 30_000, maxBytes: 65_536, signal, fresh: true });
    if (!stdout.includes("=time ")) {
      const cause = new Error(plainText(`${stderr} (status ${status})`));
      throw new FirebreakError("HOST_NOT_UNDERSTOOD", `ask ${target} what it has: a forced command answers with this key`, {
        cause,
      });
    }
    const all = (key: string): readonly string[] =>
      stdout.split("\n").flatMap((line) => (line.startsWith(`=${key} `) ? [plainText(line.slice(key.length + 2))] : []));
    const [boot = "none"] = all("boot");
    return {
      isRoot: all("uid")[0] === "0",
      nft: all("nft")[0] ?? "",
      missing: all("missing"),
      refused: all("refused"),
      seconds: Number(all("time")[0] ?? 0),
      boot: boot === "ready" || boot === "missing" ? boot : "none",
    };
  } finally {
    await remote.close();
  }
}
