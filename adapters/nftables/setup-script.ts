import { FirebreakError } from "../../core/ground/error.ts";
import { applyAuthorizedKey, readbackAuthorizedKey, READBACK_PATH, sudoersLines } from "./install.ts";
import { installScript } from "./persist-script.ts";
import { READBACK_SCRIPT } from "./readback-script.ts";
import { isUserName } from "./ssh.ts";

/** What a host is made ready for. */
export interface HostSetup {
  /** The apply user, as the fleet says; root needs no sudo. */
  readonly user: string;
  /** `KEYTYPE KEY` of the syncer, which may write. */
  readonly applyKey: string;
  /** `KEYTYPE KEY` of the drift detector, which only reads back; undefined where it has none of its own. */
  readonly readbackKey: string | undefined;
  /** Whether the confirmed ruleset is to be kept for the next start. */
  readonly persist: boolean;
}

const SUDOERS = "/etc/sudoers.d/firebreak";

/**
 * What root runs once on a host: user, keys, forced command, sudoers, and what loads the ruleset at the next start. Run again, it changes what
 * differs and nothing else. No value in it comes from the host.
 *
 * @throws FirebreakError HOST_REFUSED for a user that is none
 */
export function setupScript(setup: HostSetup): string {
  const { user, persist } = setup;
  // Once more after the parser: it stands in a script that root runs.
  if (!isUserName(user)) throw new FirebreakError("HOST_REFUSED", "set up a host whose apply user is not a user name");
  const isRoot = user === "root";
  return `#!/bin/sh
# Makes this host ready for Firebreak. Run it as root; run again, it changes what differs and nothing else.
set -eu
umask 022
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
[ "$(id -u)" -eq 0 ] || { echo "firebreak: this has to run as root" >&2; exit 1; }
for need in nft setsid sha256sum ip${isRoot ? "" : " sudo visudo"}; do
  command -v "$need" >/dev/null || { echo "firebreak: $need is missing: install nftables, util-linux, coreutils, iproute2${isRoot ? "" : " and sudo"}" >&2; exit 1; }
done
put() { # MODE PATH: standard input, as a whole
  cat >"$2.firebreak-new" && chmod "$1" "$2.firebreak-new" && mv -f "$2.firebreak-new" "$2"
}
${isRoot ? "" : userPart(user)}home=$(getent passwd ${user} | cut -d: -f6)
group=$(id -gn ${user})
${isRoot ? "" : NO_LINKS}mkdir -p "$home/.ssh"
touch "$home/.ssh/authorized_keys"
# Other keys stay; ours are known by their comment.
{ grep -v ' firebreak-\\(apply\\|readback\\)$' "$home/.ssh/authorized_keys" || :; cat <<'FIREBREAK'
${keyLines(setup)}
FIREBREAK
} >"$home/.ssh/authorized_keys.firebreak-new"
mv -f "$home/.ssh/authorized_keys.firebreak-new" "$home/.ssh/authorized_keys"
chmod 0700 "$home/.ssh"
chmod 0600 "$home/.ssh/authorized_keys"
chown ${user}:"$group" "$home/.ssh" "$home/.ssh/authorized_keys"
echo "keys of ${user}: $home/.ssh/authorized_keys"
mkdir -p ${READBACK_PATH.slice(0, READBACK_PATH.lastIndexOf("/"))}
put 0755 ${READBACK_PATH} <<'FIREBREAK'
${READBACK_SCRIPT}FIREBREAK
echo "forced command of the read-back key: ${READBACK_PATH}"
${isRoot ? "" : sudoPart(user)}${persist ? persistPart() : ""}echo "this host is ready for Firebreak"
`;
}

/** The user may write in its home: a link there would have root write, or give away, what it leads to. */
const NO_LINKS = `for path in "$home/.ssh" "$home/.ssh/authorized_keys" "$home/.ssh/authorized_keys.firebreak-new"; do
  [ ! -L "$path" ] || { echo "firebreak: $path is a link, which root does not follow: look at who made it, and remove it" >&2; exit 1; }
done
`;

function userPart(user: string): string {
  return `if ! getent passwd ${user} >/dev/null; then
  if command -v useradd >/dev/null; then useradd --system --create-home --home-dir /var/lib/${user} --shell /bin/sh ${user}
  else adduser -S -D -h /var/lib/${user} -s /bin/sh ${user}; fi
  # No password, and not locked either: sshd lets no locked user in.
  if command -v usermod >/dev/null; then usermod -p '*' ${user}; else echo '${user}:*' | chpasswd -e; fi
  echo "user ${user} was made"
fi
`;
}

function sudoPart(user: string): string {
  return `put 0440 /etc/sudoers.d/firebreak.new <<'FIREBREAK'
# Written by \`firebreak hosts setup\`: what Firebreak's user runs as root, word for word.
${sudoersLines(user, "apply")}FIREBREAK
visudo -cqf /etc/sudoers.d/firebreak.new || { rm -f /etc/sudoers.d/firebreak.new; echo "firebreak: sudo does not read its file" >&2; exit 1; }
mv -f /etc/sudoers.d/firebreak.new ${SUDOERS}
echo "rights of ${user}: ${SUDOERS}"
`;
}

/** A host without systemd and OpenRC enforces all the same; after a reboot it is open until the next look. */
function persistPart(): string {
  return `if [ -d /run/systemd/system ] || [ -d /run/openrc ]; then
sh -s <<'FIREBREAK_UNITS'
${installScript()}FIREBREAK_UNITS
echo "the confirmed ruleset is loaded before the network is up"
else
echo "firebreak: neither systemd nor OpenRC runs here: after a reboot this host is open until it is looked at" >&2
fi
`;
}

function keyLines({ applyKey, readbackKey }: HostSetup): string {
  const apply = applyAuthorizedKey(`${applyKey} firebreak-apply`);
  const readback = readbackKey === undefined ? [] : [readbackAuthorizedKey(`${readbackKey} firebreak-readback`)];
  return [apply, ...readback].join("\n");
}
